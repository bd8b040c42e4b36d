"""Laying what is stated over what was detected, into one Plan."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from autostack.engine.detect.declared import declared
from autostack.engine.detect.draft import Draft
from autostack.engine.detect.evidence import Said
from autostack.engine.detect.stated import Stated
from autostack.engine.detect.surroundings import surroundings
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep, Check, Decision, Family, MissingVariable, Plan, Process

GIVEN = frozenset(
    {
        "CI",
        "DEV",
        "DJANGO_SETTINGS_MODULE",
        "FORWARDED_ALLOW_IPS",
        "HOME",
        "HOST",
        "HOSTNAME",
        "LANG",
        "LC_ALL",
        "LOGNAME",
        "MODE",
        "NODE_ENV",
        "PATH",
        "PORT",
        "PROD",
        "PWD",
        "PYTHONPATH",
        "PYTHONUNBUFFERED",
        "SHELL",
        "TEMP",
        "TERM",
        "TMP",
        "TMPDIR",
        "TZ",
        "USER",
        "VIRTUAL_ENV",
        "WEB_CONCURRENCY",
    }
)
"""Variables the platform or the language sets by itself."""


def compose(
    tree: Tree, draft: Draft, said: Stated, *, root: str, variables: Collection[str]
) -> Plan:
    processes = tuple(_processes(draft, said))
    static = said.publish is not None or (draft.publish is not None and not said.web)
    publish = (said.publish.value if said.publish else draft.publish) if static else None
    env = {**draft.env, **said.env}
    return Plan(
        family=draft.family,
        framework=draft.framework,
        root=root,
        toolchains=draft.toolchains,
        build=_build(draft, said),
        release_command=shell(said.release.value) if said.release else (),
        processes=tuple(process for process in processes if process.name != "web" or not static),
        publish=_beneath(publish) if publish is not None else None,
        env=env,
        decisions=(
            _family(draft, said),
            *draft.decisions,
            *_stated_decisions(draft, said),
            *_checks(draft, said),
            *said.caps,
        ),
        missing=_missing(tree, draft, said, known={*variables, *env, *GIVEN}),
        warnings=(*draft.warnings, *surroundings(tree)),
    )


def shell(line: str) -> tuple[str, ...]:
    return ("sh", "-c", line)


def _beneath(publish: str) -> str:
    parts = [part for part in publish.split("/") if part not in ("", ".")]
    return "/".join(part for part in parts if part != "..") or "."


def _processes(draft: Draft, said: Stated) -> Iterator[Process]:
    check = said.check.settled(draft.health_path)
    web = said.processes.get("web")
    if web and web.command:
        yield _process("web", web.command, said, check=check)
    elif draft.web:
        count = web.count if web and web.count is not None else 1
        yield replace(draft.web, count=count, check=check, caps=web.caps if web else draft.web.caps)
    for name, process in said.processes.items():
        if name != "web" and process.command:
            yield _process(name, process.command, said, check=None)


def _process(name: str, command: Said, said: Stated, *, check: Check | None) -> Process:
    process = said.processes[name]
    return Process(
        name=name,
        command=shell(command.value),
        count=1 if process.count is None else process.count,
        single=process.single,
        overlap=process.overlap,
        check=check,
        caps=process.caps,
        evidence=command.evidence,
    )


def _build(draft: Draft, said: Stated) -> tuple[BuildStep, ...]:
    """A stated build command takes the place of the detected build, not of the install."""
    if said.build is None:
        return draft.build
    installs = tuple(step for step in draft.build if step.title.startswith("Install"))
    prunes = tuple(step for step in draft.build if step.title.startswith("Remove"))
    return (*installs, BuildStep(title="Build", command=shell(said.build.value)), *prunes)


def _family(draft: Draft, said: Stated) -> Decision:
    proofs = [one.evidence for one in (*draft.decisions, said.web) if one and one.evidence]
    first = next(iter(proofs), None)
    return Decision(subject="family", value=draft.family.value, evidence=first)


def _stated_decisions(draft: Draft, said: Stated) -> Iterator[Decision]:
    settings = (("build", said.build), ("release", said.release), ("publish", said.publish))
    for subject, value in settings:
        if value:
            yield _settled(subject, value)
    for name, process in said.processes.items():
        if process.command:
            yield _settled("start" if name == "web" else name, process.command)
    told = any(decision.subject == "start" for decision in draft.decisions)
    if draft.web and not said.web and not told and draft.family is not Family.STATIC:
        yield Decision(
            subject="start",
            value=" ".join(draft.web.command) or "as the image says",
            evidence=draft.web.evidence,
        )


def _settled(subject: str, said: Said) -> Decision:
    why = "" if said.evidence else "set in the project's settings"
    return Decision(subject=subject, value=said.value, evidence=said.evidence, why=why)


def _checks(draft: Draft, said: Stated) -> Iterator[Decision]:
    yield from said.check.decisions()
    if draft.health and not said.check.asks:
        yield Decision(subject="check", value=draft.health_path, evidence=draft.health)


def _missing(
    tree: Tree, draft: Draft, said: Stated, *, known: set[str]
) -> tuple[MissingVariable, ...]:
    found = {variable.name: variable for variable in declared(tree)}
    found |= {variable.name: variable for variable in draft.reads}
    for name, evidence in said.wanted.items():
        found[name] = MissingVariable(name=name, required=True, evidence=evidence)
    missing = (found[name] for name in found if name not in known and not name.startswith("npm_"))
    return tuple(sorted(missing, key=lambda variable: (not variable.required, variable.name)))
