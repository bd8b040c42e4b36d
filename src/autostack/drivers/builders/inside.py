"""What a build finds in its sandbox: variables, PATH and limits."""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autostack.drivers.builders import registries
from autostack.drivers.builders.toolchains import Tool
from autostack.engine.ports import BuildSpec
from autostack.engine.release import Limits

TOOLS = "/opt/tools"
"""Where our own programs appear inside a build."""
OURS_ALONE = frozenset({"PATH", "HOME", "VIRTUAL_ENV", "TMPDIR"})
_TOOLS = {
    "python": {
        "UV_CACHE_DIR": "/cache/uv",
        # A hard link would let a build change what an earlier one installed.
        "UV_LINK_MODE": "copy",
        "UV_COMPILE_BYTECODE": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PROJECT_ENVIRONMENT": "/app/.venv",
        "UV_PYTHON": "/app/.venv/bin/python",
        "UV_PYTHON_DOWNLOADS": "never",
        "VIRTUAL_ENV": "/app/.venv",
    },
    "node": {"npm_config_cache": "/cache/npm", "npm_config_update_notifier": "false"},
    "pnpm": {
        "npm_config_store_dir": "/cache/pnpm",
        # Without a terminal pnpm refuses to replace what is there.
        "npm_config_confirm_modules_purge": "false",
        "npm_config_manage_package_manager_versions": "false",
    },
    "yarn": {"YARN_CACHE_FOLDER": "/cache/yarn", "YARN_ENABLE_GLOBAL_CACHE": "false"},
}


def environment(spec: BuildSpec, tools: Sequence[Tool]) -> Mapping[str, str]:
    """Registries, the plan's variables, the user's, then what is ours to decide."""
    given = {name: text for name, text in spec.env.items() if name not in OURS_ALONE}
    ours = {"HOME": "/cache/home", "NEXT_TELEMETRY_DISABLED": "1"}
    for tool in tools:
        ours |= _TOOLS.get(tool.name, {})
    reach = {**registries.SYSTEM_TRUST, **registries.environment()}
    return {**reach, **spec.plan.env, **given, **ours}


def path(tools: Sequence[Tool]) -> tuple[str, ...]:
    own = {"python": "/app/.venv/bin", "node": "/app/node_modules/.bin"}
    inside = [own[tool.name] for tool in tools if tool.name in own]
    return (*inside, *(part for tool in tools for part in tool.path))


def within_ours(limits: Limits) -> Limits:
    """Not even root can give more open files than this process was given, in a container."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = limits.files if most == resource.RLIM_INFINITY else min(limits.files, most)
    return replace(limits, files=files, seconds=None)
