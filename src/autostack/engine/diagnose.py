"""Why a deployment failed: rules over what was seen, most telling first. Pure."""

import re
from collections.abc import Callable, Sequence

from autostack.core.errors import AutostackError
from autostack.engine import build_causes, errors, memory_cause, start_causes
from autostack.engine.plan import Check
from autostack.engine.release import Diagnosis, Listener
from autostack.engine.scene import (
    PROOF_LENGTH,
    Scene,
    command_line,
    exit_words,
    find,
    find_all,
    is_release,
    last_line,
    shown,
    telling_line,
    unset,
)

__all__ = ["RULES", "Scene", "diagnose"]

Rule = Callable[[Scene], Diagnosis | None]


def diagnose(scene: Scene) -> Diagnosis:
    """The first rule that recognises the scene; else the error in its own words."""
    for rule in RULES:
        found = rule(scene)
        if found is not None:
            return found
    return _in_its_own_words(scene)


def _in_its_own_words(scene: Scene) -> Diagnosis:
    if isinstance(scene.error, AutostackError):
        return Diagnosis(
            code=scene.error.code,
            summary=str(scene.error),
            proof=last_line(scene.lines),
            todo=scene.error.hint,
        )
    return Diagnosis(
        code="platform_failed",
        summary=f"The platform itself failed in the step {scene.step.value!r}.",
        todo="Deploy again. If it happens again, report it with the platform's worker log.",
    )


def clone_denied(scene: Scene) -> Diagnosis | None:
    if not isinstance(scene.error, errors.RepositoryDenied):
        return None
    return Diagnosis(
        code="clone_denied",
        summary=str(scene.error),
        proof=last_line(scene.lines),
        todo=scene.error.hint,
    )


def disk(scene: Scene) -> Diagnosis | None:
    if isinstance(scene.error, errors.DiskFloor):
        return Diagnosis(code="disk", summary=str(scene.error), todo=scene.error.hint)
    proof = find(scene.lines, r"No space left on device|\bENOSPC\b|Disk quota exceeded")
    if proof is None and not isinstance(scene.error, errors.OutOfDisk):
        return None
    return Diagnosis(
        code="disk",
        summary="There was no disk space left.",
        proof=shown(proof) or str(scene.error),
        todo="Free disk space on the server, remove old releases, or write less.",
    )


_UNSET: tuple[str, ...] = (
    r"KeyError: '(?P<python>[A-Z][A-Z0-9_]{2,})'",
    # `environment variable DATABASE_URL is not set`
    (
        r"""(?i:variable)s?:? ["'`]?(?P<named>[A-Z][A-Z0-9_]{2,})["'`]? """
        r"""(?i:(?:is |was )?(?:not set|not defined|missing|required|undefined|must be set))"""
    ),
    # `Missing required environment variables: STRIPE_KEY`
    (
        r"""(?i:missing|required|undefined|unset|set the)(?i: required)?(?i: env(?:ironment)?)?"""
        r"""(?i: variables?)?:? ["'`]?(?P<required>[A-Z][A-Z0-9]*_[A-Z0-9_]+)\b"""
    ),
    # `The SECRET_KEY setting must not be empty`
    (
        r"""\b(?P<first>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+) (?i:environment variable |setting )?"""
        r"""(?i:(?:is |was |must )?(?:not be empty|not set|not defined|missing|required))"""
    ),
    # JSON schemas, as env-schema and fastify-env print them
    r"must have required property '(?P<schema>[A-Z][A-Z0-9_]{2,})'",
    # `"DATABASE_URL" is required`
    r"""["'`](?P<quoted>[A-Z][A-Z0-9]*_[A-Z0-9_]+)["'`] is (?i:required|not allowed to be empty)""",
)


def unset_variable(scene: Scene) -> Diagnosis | None:
    name, proof = _unset(scene)
    if name is None:
        return None
    return Diagnosis(
        code="unset_variable",
        summary=f"The variable {name} is not set.",
        proof=proof,
        todo=f"Set it: `autostack env set {name}=…`, then deploy again.",
    )


def read_as_nothing(scene: Scene) -> Diagnosis | None:
    """The app got nothing where it expected an address or a key, and one it reads is not set."""
    proof = find(scene.lines, _NOTHING)
    unread = unset(scene)
    if proof is None or not unread or not _failed_by_itself(scene):
        return None
    address = re.search(_ADDRESS, shown(proof)) is not None
    fit = [one for one in unread if address and re.search(_NAMES_ADDRESS, one[0])]
    name, where = (fit or unread)[0]
    return Diagnosis(
        code="unset_variable",
        summary=f"It reads the variable {name}, which is not set.",
        proof=f"{shown(proof)} ({where})"[:PROOF_LENGTH],
        todo=f"Set it: `autostack env set {name}=…`, then deploy again.",
    )


_ADDRESS = (
    r"string or URL object|MongoParseError|MongooseError|(?i:connection string|invalid url)"
    r"|parameter to `\w+\(\)` must be a string"
)
_NAMES_ADDRESS = r"UR[IL]|DSN|DATABASE|_DB\b"
_NOTHING = (
    r"Expected string or URL object, got None"  # SQLAlchemy
    r"|\bnot '?NoneType"
    r"|'NoneType' object has no attribute"
    r"|parameter to `\w+\(\)` must be a string, got .undefined"  # Mongoose
    r"|[Rr]eceived (?:undefined|null)\b"
    r"|secretOrPrivateKey must have a value"
    r"|MongoParseError|[Ii]nvalid connection string|Could not parse SQLAlchemy URL"
    r"|TypeError(?: \[ERR_INVALID_URL\])?: Invalid URL"
)


def unreachable_service(scene: Scene) -> Diagnosis | None:
    told = find(scene.lines, rf"(?:Error|error|Exception)\b.*(?:{_UNREACHABLE})")
    proof = told or find(scene.lines, _UNREACHABLE)
    if proof is None or not _failed_by_itself(scene):
        return None
    who = "release command" if is_release(scene) else "app"
    return Diagnosis(
        code="service_unreachable",
        summary=f"The {who} could not reach a database or another service it needs.",
        proof=shown(proof),
        todo="Give the app a database or service it can reach, and its address in a variable."
        + _unread(scene, _NAMES_ADDRESS),
    )


def _unread(scene: Scene, wanted: str = "") -> str:
    """`wanted` is what a name has to hold, unless none does."""
    every = unset(scene)
    fit = [one for one in every if re.search(wanted, one[0])] or every
    names = [f"{name} ({where})" for name, where in fit][:3]
    return f" Variables it reads that are not set: {', '.join(names)}." if names else ""


_UNREACHABLE = (
    r"\bECONNREFUSED\b|\bENOTFOUND\b|could not translate host name|connection to server .+ failed"
    r"|\bEAI_AGAIN\b|[Cc]onnection refused|Name or service not known|MongoServerSelectionError"
    r"|[Nn]o such host|Can't reach database server|Can't connect to (?:MySQL|local)"
    r"|Temporary failure in name resolution|ServerSelectionTimeoutError"
)


def _failed_by_itself(scene: Scene) -> bool:
    """It ended, never listened, or answers with errors: not a matter of where it listens."""
    if isinstance(scene.error, errors.Unhealthy):
        return not scene.listeners or "HTTP 5" in str(scene.error)
    return isinstance(scene.error, errors.Crashed | errors.Unstable | errors.ReleaseCommandFailed)


def syntax_error(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, r"^\s*(?:SyntaxError|IndentationError|TabError): ")
    if proof is None:
        return None
    places = find_all(scene.lines, r"""^\s*File "(?P<python>[^"]+)", line \d+$|^/\S+\.\w+:\d+$""")
    where = f"{places[-1].string.strip()}: " if places else ""
    return Diagnosis(
        code="syntax_error",
        summary="The code has a syntax error.",
        proof=f"{where}{shown(proof)}"[:PROOF_LENGTH],
        todo="Correct that line. If it is right on your machine, that one has a newer version of "
        "the language: state it in .python-version or .nvmrc.",
    )


def server_error(scene: Scene) -> Diagnosis | None:
    answered = re.search(r"last: HTTP (5\d\d)", str(scene.error))
    if answered is None or not isinstance(scene.error, errors.Unhealthy):
        return None
    check = scene.plan.web.check if scene.plan and scene.plan.web else None
    loose = next(
        (text for text in (scene.plan.warnings if scene.plan else ()) if "pin" in text), ""
    )
    todo = "Correct the error it prints, or name a path that answers as the check path."
    if loose:
        todo += f" If it works on your machine, the packages there are older: {loose}"
    return Diagnosis(
        code="server_error",
        summary=f"The app runs, but answers {(check or Check()).path} with HTTP {answered[1]}.",
        proof=telling_line(scene.lines) or f"HTTP {answered[1]}",
        todo=todo,
    )


def _unset(scene: Scene) -> tuple[str | None, str]:
    if isinstance(scene.error, errors.SourceError | errors.BuildTimedOut):
        return None, ""
    for pattern in _UNSET:
        for match in find_all(scene.lines, pattern):
            name = next(group for group in match.groupdict().values() if group)
            if name not in scene.variables:
                return name, shown(match)
    return _unset_on_two_lines(scene)


def _unset_on_two_lines(scene: Scene) -> tuple[str | None, str]:
    """pydantic-settings names the field on one line and what is wrong on the next; envalid and
    others head a list with what is wrong.
    """
    for name, why in zip(scene.lines, scene.lines[1:], strict=False):
        if re.match(r"\s+Field required \[type=missing", why) and re.fullmatch(r"\w+", name):
            return name.upper(), f"{name}: {why.strip()}"[:PROOF_LENGTH]
        listed = re.match(r"\W*([A-Z][A-Z0-9]*_[A-Z0-9_]+)\W", why)
        if listed and re.search(r"(?i)\b(?:missing|invalid) environment variables\b", name):
            return listed[1], why.strip()[:PROOF_LENGTH]
    return None, ""


def bind_address(scene: Scene) -> Diagnosis | None:
    if not isinstance(scene.error, errors.Unhealthy) or scene.port is None:
        return None
    bound = [one for one in scene.listeners if one.port == scene.port]
    if not bound or any(not loopback(one.host) for one in bound):
        return None
    return Diagnosis(
        code="bind_address",
        summary=f"The app listens on {bound[0].host} only, where nobody else reaches it.",
        proof=f"listens on {bound[0].host}:{bound[0].port}",
        todo="Listen on 0.0.0.0.",
    )


def port(scene: Scene) -> Diagnosis | None:
    taken = find(scene.lines, r"(?i)address already in use|EADDRINUSE")
    if taken is not None:
        summary, proof = "The port the app wants is already in use.", shown(taken)
    elif isinstance(scene.error, errors.Unhealthy) and scene.port is not None:
        if any(one.port == scene.port for one in scene.listeners):
            return None
        summary, proof = _wrong_port(scene.port, scene.listeners)
    else:
        return None
    todo = "Listen on 0.0.0.0 and on the port given in the variable PORT."
    return Diagnosis(code="port", summary=summary, proof=proof, todo=todo)


def _wrong_port(given: int, listeners: Sequence[Listener]) -> tuple[str, str]:
    if not listeners:
        return "Nothing listens on $PORT.", f"no listening socket; PORT was {given}"
    found = ", ".join(f"{one.host}:{one.port}" for one in listeners)
    return f"Nothing listens on $PORT; found {found}.", f"listens on {found}; PORT was {given}"


def command_failed(scene: Scene) -> Diagnosis | None:
    """A command of its own, for the release or as a check, says no."""
    if not isinstance(scene.error, errors.ReleaseCommandFailed | errors.CheckFailed):
        return None
    return Diagnosis(
        code=scene.error.code,
        summary=str(scene.error),
        proof=telling_line(scene.lines),
        todo=scene.error.hint,
    )


def ended_by_itself(scene: Scene) -> Diagnosis | None:
    """Not a crash: it did what it was told, which was not to serve."""
    if not isinstance(scene.error, errors.Crashed) or scene.exit is None or scene.exit.code != 0:
        return None
    return Diagnosis(
        code="ended_by_itself",
        summary=f"The command {' '.join(command_line(scene))!r} ran to its end.",
        proof=exit_words(scene.exit),
        todo="A process has to stay and serve: start a server that listens on $PORT. What is done "
        "once belongs into the build or the release command.",
    )


def crash_at_start(scene: Scene) -> Diagnosis | None:
    if not isinstance(scene.error, errors.Crashed | errors.Unstable):
        return None
    return Diagnosis(
        code="crash_at_start",
        summary=str(scene.error),
        proof=telling_line(scene.lines) or exit_words(scene.exit),
        todo="Start it on your machine with the same command and variables; it fails the same way."
        + _unread(scene),
    )


RULES: tuple[Rule, ...] = (
    clone_denied,
    disk,
    memory_cause.out_of_memory,
    build_causes.package_not_found,
    build_causes.program_missing,
    build_causes.compiler_missing,
    build_causes.package_not_built,
    build_causes.lock_outdated,
    build_causes.versions_conflict,
    build_causes.host_unreachable,
    start_causes.start_command,
    start_causes.missing_module,
    start_causes.unfit_module,
    unset_variable,
    syntax_error,
    read_as_nothing,
    unreachable_service,
    port,
    bind_address,
    server_error,
    command_failed,
    build_causes.build_failed,
    ended_by_itself,
    start_causes.silent,
    crash_at_start,
)


def loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"::1", "localhost"}
