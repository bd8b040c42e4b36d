"""Python: any WSGI or ASGI app, Django, Streamlit, Gradio, or a plain script that serves."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from autostack.engine.detect import django, python_reads
from autostack.engine.detect.applications import Application, applications, settle
from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import at, line_of, whole
from autostack.engine.detect.modules import Module, is_main_guard, modules
from autostack.engine.detect.packages import Packages, beside, packages, pyproject
from autostack.engine.detect.python_hazards import hazards
from autostack.engine.detect.python_health import health
from autostack.engine.detect.servers import serve, shell
from autostack.engine.detect.stated import mapping
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import (
    BuildStep,
    Decision,
    Evidence,
    Family,
    Process,
    Toolchain,
)

LOOKED_FOR = (
    "requirements.txt, pyproject.toml, uv.lock, poetry.lock, Pipfile, setup.py, manage.py "
    "or a Python web app"
)
_SCRIPTS = ("main.py", "app.py", "server.py", "run.py", "index.py", "bot.py")
_ENV = {
    "PYTHONUNBUFFERED": "1",
    # Only the edge can reach an instance, so what it says about the client is true.
    "FORWARDED_ALLOW_IPS": "*",
}
_STREAMLIT = (
    'exec streamlit run {file} --server.port "${{PORT:-8000}}" --server.address 0.0.0.0'
    " --server.headless true"
)
_GRADIO = 'GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT="${{PORT:-8000}}" exec python {file}'
_CHAINLIT = 'exec chainlit run {file} --host 0.0.0.0 --port "${{PORT:-8000}}" --headless'
_PANEL = (
    'exec panel serve {file} --address 0.0.0.0 --port "${{PORT:-8000}}"'
    " --allow-websocket-origin '*'"
)
_FRAMEWORKS = frozenset({"django", "fastapi", "flask", "litestar", "quart", "starlette"})
"""Those whose package has their name."""
_TOOLS = {
    "streamlit": ("Streamlit", _STREAMLIT),
    "gradio": ("Gradio", _GRADIO),
    "chainlit": ("Chainlit", _CHAINLIT),
    "panel": ("Panel", _PANEL),
}
_SERVING = re.compile(
    r"http\.server|aiohttp|tornado|bottle|sanic|cherrypy|socketserver|flask|fastapi|nicegui|dash"
    r"|robyn|asyncio\.start_server"
)


def detect(sight: Sight) -> Draft | None:
    tree = sight.tree
    installed = packages(tree)
    code = modules(tree)
    if installed is None and not code:
        return None
    required = installed.required if installed else frozenset[str]()
    app = _application(tree, code, required)
    if installed is None and app:
        installed = beside(tree, app.file)
        required = installed.required if installed else required
    start = _start(tree, code, app, required)
    if installed is None and start is None:
        return None
    return _draft(sight, installed=installed, code=code, app=app, start=start)


def _application(
    tree: Tree, code: Sequence[Module], required: frozenset[str]
) -> Application | None:
    return django.application(tree, code, required) or settle(
        applications(tree, code), required=required
    )


class _Start:
    """How the web process starts, and the decisions that led there."""

    def __init__(
        self, framework: str, process: Process, *decisions: Decision, added: str = ""
    ) -> None:
        self.framework = framework
        self.process = process
        self.decisions = decisions
        self.added = added


def _start(
    tree: Tree, code: Sequence[Module], app: Application | None, required: frozenset[str]
) -> _Start | None:
    tool = _tool(tree, code, required)
    if tool:
        return tool
    return _served(tree, app, required) if app else _script(tree, code)


def _served(tree: Tree, app: Application, required: frozenset[str]) -> _Start:
    served = serve(app, required=required)
    evidence = at(tree, app.file, app.line)
    why = f"{app.target} speaks {app.interface.upper()}"
    if served.added:
        why += f"; {served.added} is installed beside it, because no server is required"
    return _Start(
        app.framework,
        Process(name="web", command=served.command, evidence=evidence),
        Decision(subject="framework", value=app.framework, evidence=evidence),
        Decision(subject="server", value=served.server, evidence=evidence, why=why),
        added=served.added,
    )


def _tool(tree: Tree, code: Sequence[Module], required: frozenset[str]) -> _Start | None:
    """Frameworks that bring their own server and command."""
    for package, (name, line) in _TOOLS.items():
        file = _importing(code, package) if package in required else None
        if file and re.fullmatch(r"[\w./-]+", file):
            evidence = line_of(tree, file, rf"\b{package}\b") or whole(file)
            process = Process(name="web", command=shell(line.format(file=file)), evidence=evidence)
            return _Start(
                name, process, Decision(subject="framework", value=name, evidence=evidence)
            )
    return None


def _importing(code: Sequence[Module], package: str) -> str | None:
    def imports(module: Module) -> bool:
        return any(meaning.partition(".")[0] == package for meaning in module.names.values())

    return next((module.file for module in code if imports(module)), None)


def _script(tree: Tree, code: Sequence[Module]) -> _Start | None:
    """`python main.py`, where that file starts a server by itself."""
    for name in _SCRIPTS:
        module = next((module for module in code if module.file == name), None)
        if module is None or not _SERVING.search(tree.text(name) or ""):
            continue
        guard = next((node for node in module.body.body if is_main_guard(node)), None)
        evidence = at(tree, name, guard.lineno) if guard else whole(name)
        return _Start(
            "",
            Process(name="web", command=("python", name), evidence=evidence),
            Decision(
                subject="start", value=f"python {name}", evidence=evidence, why="it starts a server"
            ),
        )
    return None


def _draft(
    sight: Sight,
    *,
    installed: Packages | None,
    code: Sequence[Module],
    app: Application | None,
    start: _Start | None,
) -> Draft:
    tree = sight.tree
    version, decided = _version(sight)
    found = health(tree, code)
    is_django = bool(start and start.framework == "Django")
    required = installed.required if installed else frozenset[str]()
    ours = django.layer(tree, code, required) if is_django else None
    server = (start.added,) if start and start.added and not sight.stated.web else ()
    bare = _bare(start) if installed is None else ()
    added = (*bare, *server, *(ours.added if ours else ()))
    steps = [
        *_install(installed, added),
        *((ours.step,) if ours else ()),
        *(django.build(tree, code) if is_django else ()),
    ]
    return Draft(
        family=Family.PYTHON,
        framework=start.framework if start else "",
        toolchains=(Toolchain(name="python", version=version),),
        build=tuple(steps),
        web=start.process if start else None,
        health=found.evidence if found else None,
        health_path=found.path if found else "",
        env={**_ENV, **(ours.env if ours else {})},
        decisions=(
            *decided,
            *_installing(installed),
            *_starting(start, stated=sight.stated.web is not None),
            *(ours.decisions if ours else ()),
        ),
        reads=python_reads.reads(tree, code),
        warnings=(
            *_unlocked(installed),
            *_guessed(bare),
            *hazards(tree, code, served=app is not None and not _by_itself(sight)),
            *(django.warnings(sight, code, ours) if is_django else ()),
        ),
    )


def _by_itself(sight: Sight) -> bool:
    """Whether the command that is stated runs a file, with what stands under its main guard."""
    web = sight.stated.web
    return bool(web and re.match(r"python[\d.]*\s+[\w./-]+\.py\b", web.value))


def _bare(start: _Start | None) -> tuple[str, ...]:
    """What the code surely needs, where nothing lists its packages."""
    name = start.framework.lower() if start else ""
    return (name,) if name in _FRAMEWORKS else ()


def _guessed(bare: tuple[str, ...]) -> Iterator[str]:
    if bare:
        yield (
            f"Nothing lists the packages: the newest {bare[0]} is installed, and nothing else the "
            "code imports. Commit a requirements.txt."
        )


def _starting(start: _Start | None, *, stated: bool) -> Iterator[Decision]:
    """Which server would be chosen does not matter where the start command is stated."""
    for decision in start.decisions if start else ():
        if not stated or decision.subject not in ("server", "start"):
            yield decision


def _install(installed: Packages | None, added: tuple[str, ...]) -> list[BuildStep]:
    steps = list(installed.steps) if installed else []
    if not added:
        return steps
    first = steps[0].command if steps else ()
    if first[:3] == ("uv", "pip", "install") and "--no-deps" not in first:
        return [replace(steps[0], command=(*steps[0].command, *added)), *steps[1:]]
    inputs = steps[0].inputs if steps else ()
    beside = BuildStep(
        title=f"Install {' and '.join(added)}",
        command=("uv", "pip", "install", *added),
        inputs=inputs,
    )
    return [*steps[:1], beside, *steps[1:]]


def _installing(installed: Packages | None) -> Iterator[Decision]:
    if installed is None:
        return
    command = installed.steps[0].command[:8] if installed.steps else ()
    yield Decision(
        subject="packages",
        value=" ".join(command) or "nothing",
        evidence=installed.evidence,
        why=f"{installed.manager} describes what is installed",
    )


def _unlocked(installed: Packages | None) -> Iterator[str]:
    if installed and not installed.locked:
        yield (
            f"{installed.evidence.file} does not pin every version: the same commit can get other "
            "packages tomorrow. Pin with `==`, or commit a lock file."
        )


def _version(sight: Sight) -> tuple[str, tuple[Decision, ...]]:
    """What the repository asks for, as a range; empty when it does not say."""
    said = sight.stated.python
    if said:
        return said.value, (Decision(subject="python", value=said.value, evidence=said.evidence),)
    for value, evidence in _asked(sight.tree):
        return value, (Decision(subject="python", value=value, evidence=evidence),)
    return "", ()


def _asked(tree: Tree) -> Iterator[tuple[str, Evidence]]:
    for file in (".python-version", "runtime.txt"):
        for number, line in enumerate(tree.lines(file)[:5], start=1):
            match = re.match(r"^\s*(?:python-|cpython-)?(\d+(?:\.\d+){0,2})\s*$", line)
            if match:
                yield match[1], at(tree, file, number)
    value = mapping(pyproject(tree).get("project")).get("requires-python")
    if isinstance(value, str) and value.strip():
        proof = line_of(tree, "pyproject.toml", r"requires-python")
        yield value.strip(), proof or whole("pyproject.toml")
    for file, pattern in (
        ("Pipfile", r'^\s*python_(full_)?version\s*=\s*"[\d.]+"'),
        ("pyproject.toml", r'^\s*python\s*=\s*"'),
    ):
        found = line_of(tree, file, pattern)
        if found:
            yield found.text.partition('"')[2].partition('"')[0], found
