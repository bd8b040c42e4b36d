"""A plan as a Dockerfile, for projects that have none. Pure."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from autostack.drivers.builders.ranges import PYTHONS, node_allows, parse, python_allows
from autostack.engine.plan import BuildStep, Family, Plan

USER = 10001
"""Nobody's number in the usual images. Builds and apps run as it, never as root."""
PUBLIC = ("NEXT_PUBLIC_", "NUXT_PUBLIC_", "PUBLIC_", "REACT_APP_", "VITE_", "VUE_APP_")
"""Variables made to be seen by everybody: a build needs their values."""
REGISTRIES = ("NPM_CONFIG_REGISTRY", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL")
LEFT_OUT = (".git", ".venv", "node_modules")
NODES = ("22", "24", "20", "18")
"""The best known first."""
LATEST = (99, 99)
"""Tags without these parts mean the newest there is."""


_PLAIN = re.compile(r"^\d+(\.\d+)*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseImages:
    """Names of images; `{version}` in one stands for what the project asks for."""

    python: str = "python:{version}-slim"
    node: str = "node:{version}-slim"
    procfile: str = "debian:stable-slim"
    """For what is started by its Procfile alone."""


def dockerfile(plan: Plan, bases: BaseImages, *, names: Iterable[str] = ()) -> str:
    """`names` are the variables that are set; only public ones become arguments."""
    lines = [
        f"FROM {base(plan, bases)}",
        *_tools(plan),
        f"RUN mkdir -p /app /home/app && chown {USER}:{USER} /app /home/app",
        f"USER {USER}:{USER}",
        "WORKDIR /app",
        *_arguments((*REGISTRIES, *(name for name in names if name.startswith(PUBLIC)))),
        *_environment(plan),
        *_steps(plan),
        *_command(plan),
    ]
    return "\n".join(lines) + "\n"


def base(plan: Plan, bases: BaseImages) -> str:
    wanted = {tool.name: tool.version for tool in plan.toolchains}
    if plan.family is Family.PYTHON or "python" in wanted:
        asked = wanted.get("python", "")
        return bases.python.replace("{version}", _version(asked, PYTHONS, python_allows))
    if plan.family is Family.NODE or "node" in wanted:
        asked = wanted.get("node", "")
        return bases.node.replace("{version}", _version(asked, NODES, node_allows))
    return bases.procfile


def _version(
    asked: str, known: Sequence[str], allows: Callable[[str, tuple[int, ...]], bool]
) -> str:
    if _PLAIN.match(asked):
        return asked
    allowed = (one for one in known if allows(asked, (*parse(one), *LATEST)))
    return next(allowed, known[0])


def _tools(plan: Plan) -> Iterator[str]:
    names = {step.command[0] for step in plan.build}
    if "uv" in names:
        yield 'RUN ["python3", "-m", "pip", "install", "--no-cache-dir", "uv"]'
    if names & {"pnpm", "yarn"}:
        yield 'RUN ["corepack", "enable"]'


def _arguments(names: Sequence[str]) -> Iterator[str]:
    yield from (f"ARG {name}" for name in dict.fromkeys(names))


def _environment(plan: Plan) -> Iterator[str]:
    env = {
        "HOME": "/home/app",
        "PATH": "/app/.venv/bin:/app/node_modules/.bin:$PATH",
        "VIRTUAL_ENV": "/app/.venv",
    }
    if any(step.command[0] == "uv" for step in plan.build):
        env |= {"UV_LINK_MODE": "copy", "UV_NO_CACHE": "1", "UV_PYTHON_DOWNLOADS": "never"}
    for name, value in env.items():
        yield f"ENV {name}={value}"
    for name, value in plan.env.items():
        yield f"ENV {name}={_quoted(value)}"


def _quoted(value: str) -> str:
    """Nothing in it is a variable or ends the line."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'.replace("\n", " ")


def _steps(plan: Plan) -> Iterator[str]:
    """First what only its inputs decide, so that the engine can use it again."""
    if any(step.command[0] == "uv" for step in plan.build):
        yield 'RUN ["uv", "venv", "/app/.venv"]'
    early = [step for step in plan.build if step.inputs]
    for step in early:
        files = [*step.inputs, "./"]
        yield f"COPY --chown={USER}:{USER} {json.dumps(files)}"
        yield _run(step)
    yield f'COPY --chown={USER}:{USER} [".", "./"]'
    for step in plan.build:
        if step not in early:
            yield _run(step)


def _run(step: BuildStep) -> str:
    env = [f"{name}={value}" for name, value in step.env.items()]
    command = ["env", *env, *step.command] if env else list(step.command)
    return f"RUN {json.dumps(command)}"


def _command(plan: Plan) -> Iterator[str]:
    if plan.web is not None:
        yield f"CMD {json.dumps(list(plan.web.command))}"
