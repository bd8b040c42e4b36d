"""Why a build failed: rules over what its programs printed. Pure."""

from autostack.engine import errors
from autostack.engine.release import Diagnosis
from autostack.engine.scene import Scene, find, shown, telling_line

_NO_PACKAGE = (
    r"Because (?P<missing>[\w.-]+) was not found in the package registry"
    r"|there is no version of (?P<version>\S+)"
    r"|npm (?:error|ERR!) 404 +'(?P<npm>[^']+)' is not in this registry"
    r"|No matching version found for (?P<range>\S+?)\.?(?: |$)"
    r"|ERR_PNPM_FETCH_404.*?/(?P<pnpm>[^/:]+):"
    r"|Couldn't find (?:any versions for|package) \"(?P<yarn>[^\"]+)\""
)
_NO_PROGRAM = (
    r"^(?:(?:/bin/)?sh: (?:\d+: |line \d+: )?)(?P<program>[\w./@-]+): (?:command )?not found$"
)
_COMPILER = (
    r"command '?(?:/usr/bin/)?(?:\S*-)?(?:gcc|g\+\+|cc|c\+\+)'? failed"
    r"|pg_config executable not found|gyp ERR! (?:build error|find Python)"
)
_UNBUILT = r"Failed to (?:download and )?build `(?P<package>[^`]+)`"
_COMPILED = r"^\s*\S+:\d+:\d+: (?:fatal )?error: .+"
_OLD_SETUP = (
    r"cannot import name '\w+' from 'setuptools|use_2to3 is invalid"
    r"|No module named '(?:pkg_resources|distutils|imp)'"
)
_LOCK = (
    r"can only install packages when your package\.json and package-lock\.json"
    r"|ERR_PNPM_OUTDATED_LOCKFILE|Your lockfile needs to be updated"
    r"|The lockfile would have been modified|lockfile at `uv\.lock` needs to be updated"
)
_CONFLICT = (
    r"npm (?:error|ERR!) ERESOLVE|your requirements are unsatisfiable"
    r"|npm (?:error|ERR!) code EBADENGINE|ERR_PNPM_UNSUPPORTED_ENGINE"
    r"|The engine \"node\" is incompatible with this module"
)
_UNREACHABLE = (
    r"(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT)\s+(?P<host>[\w-]+(?:\.[\w-]+)+)"
    r"|Could not resolve host: (?P<curl>[\w.-]+)"
    r"|Failed to (?:fetch|lookup|connect|clone).{0,80}?https?://(?P<url>[\w.-]+)"
    r"|unable to access 'https?://(?P<git>[\w.-]+)"
    r"|Failed to fetch .{1,60} from (?P<fonts>Google Fonts)"
)


def package_not_found(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _NO_PACKAGE) if _is_build(scene) else None
    if proof is None:
        return None
    name = next(group for group in proof.groups() if group)
    return Diagnosis(
        code="package_not_found",
        summary=f"The package registry has no {name}.",
        proof=shown(proof),
        todo="Correct the name or the version where the project lists what it requires.",
    )


def program_missing(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _NO_PROGRAM) if _is_build(scene) else None
    if proof is None:
        return None
    program = proof["program"]
    return Diagnosis(
        code="program_missing",
        summary=f"The build calls {program!r}, which is not installed.",
        proof=shown(proof),
        todo=f"Add the package that brings {program!r} to the project's dependencies.",
    )


def compiler_missing(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _COMPILER) if _is_build(scene) else None
    if proof is None:
        return None
    return Diagnosis(
        code="compiler_missing",
        summary="A package has to be compiled here, and what that needs is missing.",
        proof=shown(proof),
        todo="Require a version that is published ready-made (for PostgreSQL: psycopg[binary]), or "
        "install the compiler and the library's headers on the server.",
    )


def package_not_built(scene: Scene) -> Diagnosis | None:
    """It came as source, and its source does not go with what is here."""
    proof = find(scene.lines, _UNBUILT) if _is_build(scene) else None
    if proof is None:
        return None
    name = proof["package"]
    script = find(scene.lines, _OLD_SETUP)
    why = (
        "Its setup script was written for an older setuptools"
        if script
        else ("It is often older than the Python used here, which the log names")
    )
    return Diagnosis(
        code="package_not_built",
        summary=f"The package {name} comes as source only, and could not be built from it.",
        proof=shown(script or find(scene.lines, _COMPILED)) or telling_line(scene.lines),
        todo=f"{why}: require a newer version of it, or state an older Python in .python-version.",
    )


def lock_outdated(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _LOCK) if _is_build(scene) else None
    if proof is None:
        return None
    return Diagnosis(
        code="lock_outdated",
        summary="The lock file does not fit what the project lists as its dependencies.",
        proof=shown(proof),
        todo="Install once on your machine, so that the lock file is written anew, and commit it.",
    )


def versions_conflict(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _CONFLICT) if _is_build(scene) else None
    if proof is None:
        return None
    return Diagnosis(
        code="versions_conflict",
        summary="The versions that the project and its packages ask for exclude each other.",
        proof=shown(proof),
        todo="Change the version that is named, or state another version of the language; the "
        "log says which package asks for which.",
    )


def host_unreachable(scene: Scene) -> Diagnosis | None:
    proof = find(scene.lines, _UNREACHABLE) if _is_build(scene) else None
    if proof is None:
        return None
    host = next(group for group in proof.groups() if group)
    return Diagnosis(
        code="host_unreachable",
        summary=f"The build asks {host} for something, and could not reach it from this server.",
        proof=shown(proof),
        todo=f"Let the server reach {host}, or put into the repository what the build fetches.",
    )


def build_failed(scene: Scene) -> Diagnosis | None:
    """No known cause: the error that was printed, rather than the farewell after it."""
    if not _is_build(scene):
        return None
    return Diagnosis(
        code="build_failed",
        summary=str(scene.error),
        proof=telling_line(scene.lines),
        todo=errors.BuildFailed.hint,
    )


def _is_build(scene: Scene) -> bool:
    return isinstance(scene.error, errors.BuildFailed)
