"""What the repository says about itself: Procfile, app.json, autostack.yaml.

Each is read into the same shape; `over` lays one with a higher rank on top.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import yaml

from autostack.engine.detect import caps, checks
from autostack.engine.detect.checks import StatedCheck
from autostack.engine.detect.evidence import Said, at, line_of, whole
from autostack.engine.detect.tree import Tree
from autostack.engine.errors import PlanFileInvalid
from autostack.engine.plan import Caps, Decision, Evidence, Overrides

MAX_FILE = 64 * 1024
MAX_PROCESSES = 20
MAX_COUNT = 50
_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,31}$")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")
_PROCFILE_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(.+)$")
KEYS = frozenset(
    {"build", "start", "release", "publish", "check", "processes", "python", "node", "env"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedProcess:
    command: Said | None = None
    count: int | None = None
    single: bool = False
    overlap: bool = False
    caps: Caps = field(default_factory=Caps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    processes: Mapping[str, StatedProcess] = field(default_factory=dict[str, StatedProcess])
    build: Said | None = None
    release: Said | None = None
    publish: Said | None = None
    check: StatedCheck = field(default_factory=StatedCheck)
    python: Said | None = None
    node: Said | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    wanted: Mapping[str, Evidence] = field(default_factory=dict[str, Evidence])
    """Variables a file says must be set."""
    caps: tuple[Decision, ...] = ()
    """Where the caps of processes are stated."""

    @property
    def web(self) -> Said | None:
        process = self.processes.get("web")
        return process.command if process else None


def stated(tree: Tree, overrides: Overrides) -> Stated:
    """All of it, in rising rank."""
    result = procfile(tree)
    for higher in (app_json(tree), autostack_yaml(tree), from_overrides(overrides)):
        result = over(result, higher)
    return result


def over(low: Stated, high: Stated) -> Stated:
    settled = {one.subject for one in high.caps}
    processes = dict(low.processes)
    for name, process in high.processes.items():
        known = processes.get(name, StatedProcess())
        processes[name] = StatedProcess(
            command=process.command or known.command,
            count=process.count if process.count is not None else known.count,
            single=process.single or known.single,
            overlap=process.overlap or known.overlap,
            caps=process.caps.over(known.caps),
        )
    return Stated(
        processes=processes,
        build=high.build or low.build,
        release=high.release or low.release,
        publish=high.publish or low.publish,
        check=high.check.over(low.check),
        python=high.python or low.python,
        node=high.node or low.node,
        env={**low.env, **high.env},
        wanted={**low.wanted, **high.wanted},
        caps=(*(one for one in low.caps if one.subject not in settled), *high.caps),
    )


def from_overrides(overrides: Overrides) -> Stated:
    processes = {name: StatedProcess(caps=each) for name, each in overrides.limits.items()}
    if overrides.start_command:
        web = processes.get("web", StatedProcess())
        processes["web"] = replace(web, command=_setting(overrides.start_command))
    return Stated(
        processes=processes,
        caps=tuple(
            decision
            for name, each in overrides.limits.items()
            for decision in caps.decisions(name, each, lambda _: None)
        ),
        build=_setting(overrides.build_command),
        release=_setting(overrides.release_command),
        publish=_setting(overrides.publish),
        check=StatedCheck(path=_setting(overrides.check_path)),
    )


def _setting(value: str | None) -> Said | None:
    return Said(value=value, evidence=None) if value else None


def procfile(tree: Tree) -> Stated:
    result = Stated()
    for number, line in enumerate(tree.lines("Procfile"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _PROCFILE_LINE.match(line.strip())
        if match is None:
            raise PlanFileInvalid("Procfile", number, "write `name: command`")
        said = Said(value=match[2].strip(), evidence=at(tree, "Procfile", number))
        result = _with_line(result, match[1].lower(), said, file="Procfile", line=number)
    return result


def _with_line(result: Stated, name: str, said: Said, *, file: str, line: int) -> Stated:
    if name == "release":
        return replace(result, release=said)
    _check_name(name, file=file, line=line)
    processes = {**result.processes, name: StatedProcess(command=said)}
    if len(processes) > MAX_PROCESSES:
        raise PlanFileInvalid(file, line, f"more than {MAX_PROCESSES} process types")
    return replace(result, processes=processes)


def _check_name(name: str, *, file: str, line: int = 0) -> None:
    if not _NAME.match(name):
        raise PlanFileInvalid(file, line, f"{name[:40]!r} is no name for a process type")


def app_json(tree: Tree) -> Stated:
    document = _json(tree, "app.json")
    if not document.keys() & {"env", "formation", "healthchecks", "scripts", "buildpacks"}:
        return Stated()  # Expo and others use the same file name
    checks = _list(mapping(document.get("healthchecks")).get("web"))
    path = next((_text(mapping(check).get("path")) for check in checks), None)
    release = _text(mapping(mapping(document.get("scripts")).get("dokku")).get("predeploy"))
    return Stated(
        processes=_formation(document),
        check=StatedCheck(path=_said(tree, "app.json", path, r'"path"')),
        release=_said(tree, "app.json", release, r'"predeploy"'),
        env=_given(document),
        wanted=_wanted(tree, document),
    )


def _formation(document: Mapping[str, Any]) -> dict[str, StatedProcess]:
    found: dict[str, StatedProcess] = {}
    for name, entry in mapping(document.get("formation")).items():
        _check_name(name, file="app.json")
        found[name] = StatedProcess(count=_count(mapping(entry).get("quantity"), file="app.json"))
    return found


def _given(document: Mapping[str, Any]) -> dict[str, str]:
    """Defaults app.json gives: `"A": "x"` or `"A": {"value": "x"}`."""
    given: dict[str, str] = {}
    for name, entry in mapping(document.get("env")).items():
        value = _text(entry) if isinstance(entry, str) else _text(mapping(entry).get("value"))
        if value is not None and _VARIABLE.match(name):
            given[name] = value
    return given


def _wanted(tree: Tree, document: Mapping[str, Any]) -> dict[str, Evidence]:
    return {
        name: line_of(tree, "app.json", rf'"{re.escape(name)}"') or whole("app.json")
        for name, entry in mapping(document.get("env")).items()
        if not isinstance(entry, str | int | float | None)
        and _text(mapping(entry).get("value")) is None
        and mapping(entry).get("required", True) is not False
        and "generator" not in entry
        and _VARIABLE.match(name)
    }


def autostack_yaml(tree: Tree) -> Stated:
    file = tree.first("autostack.yaml", "autostack.yml")
    if file is None:
        return Stated()
    document = _yaml(tree, file)
    unknown = sorted(document.keys() - KEYS)
    if unknown:
        raise PlanFileInvalid(
            file, 0, f"unknown key {unknown[0][:40]!r}; known: {', '.join(sorted(KEYS))}"
        )

    def said(key: str) -> Said | None:
        value = document.get(key)
        if value is not None and not isinstance(value, str | int | float):
            raise PlanFileInvalid(file, 0, f"`{key}` must be a text")
        return _said(tree, file, None if value is None else str(value), rf"^{key}\s*:")

    processes = _yaml_processes(tree, file, document)
    start = said("start")
    if start:
        processes["web"] = replace(processes.get("web", StatedProcess()), command=start)
    return Stated(
        processes=processes,
        build=said("build"),
        release=said("release"),
        publish=said("publish"),
        check=checks.read(document.get("check"), partial(_there, tree, file, "check"), file=file),
        python=said("python"),
        node=said("node"),
        env=_yaml_env(file, document),
        caps=tuple(
            decision
            for name, process in processes.items()
            for decision in caps.decisions(name, process.caps, caps.place(tree, file, name))
        ),
    )


def _yaml_processes(tree: Tree, file: str, document: Mapping[str, Any]) -> dict[str, StatedProcess]:
    entries = mapping(document.get("processes"))
    if len(entries) > MAX_PROCESSES:
        raise PlanFileInvalid(file, 0, f"more than {MAX_PROCESSES} process types")
    found: dict[str, StatedProcess] = {}
    for name, entry in entries.items():
        _check_name(name, file=file)
        options = {"command": entry} if isinstance(entry, str) else mapping(entry)
        found[name] = StatedProcess(
            command=_said(tree, file, _text(options.get("command")), rf"^\s+{re.escape(name)}\s*:"),
            count=_count(options.get("count"), file=file),
            single=options.get("single") is True,
            overlap=options.get("overlap") is True,
            caps=caps.read(options, file=file),
        )
    return found


def _yaml_env(file: str, document: Mapping[str, Any]) -> dict[str, str]:
    env: dict[str, str] = {}
    for name, value in mapping(document.get("env")).items():
        if not _VARIABLE.match(name) or not isinstance(value, str | int | float):
            raise PlanFileInvalid(file, 0, f"`env.{name[:40]}` must be a name and a text")
        env[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return env


def _count(value: object, *, file: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_COUNT:
        raise PlanFileInvalid(file, 0, f"a process count must be 0 to {MAX_COUNT}")
    return value


def _said(tree: Tree, file: str, value: str | None, pattern: str) -> Said | None:
    if not value:
        return None
    return Said(value=value, evidence=line_of(tree, file, pattern) or whole(file))


def _there(tree: Tree, file: str, key: str, value: str) -> Said:
    return Said(value=value, evidence=line_of(tree, file, rf"^{key}\s*:") or whole(file))


class _NoAliases(yaml.SafeLoader):
    """Aliases are what makes a small file a large document."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def _yaml(tree: Tree, file: str) -> Mapping[str, Any]:
    text = tree.text(file) or ""
    if len(text) > MAX_FILE:
        raise PlanFileInvalid(file, 0, f"larger than {MAX_FILE // 1024} KB")
    try:
        document: object = yaml.load(text, _NoAliases)  # noqa: S506 - a SafeLoader, made stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise PlanFileInvalid(file, line, error.problem or "not YAML") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise PlanFileInvalid(file, 0, str(error)[:80] or "nested too deeply") from None
    if isinstance(document, str | int | float | list):
        raise PlanFileInvalid(file, 1, "write `key: value` lines")
    return mapping(document)


def _json(tree: Tree, file: str) -> Mapping[str, Any]:
    return parse_json(tree.text(file), file=file)


def parse_json(text: str | None, *, file: str) -> Mapping[str, Any]:
    if text is None:
        return {}
    try:
        return mapping(json.loads(text))
    except json.JSONDecodeError as error:
        raise PlanFileInvalid(file, error.lineno, error.msg) from None
    except (RecursionError, ValueError):
        raise PlanFileInvalid(file, 0, "nested too deeply") from None


def mapping(value: object) -> Mapping[str, Any]:
    """A JSON or YAML object with its text keys; anything else is empty."""
    if not isinstance(value, dict):
        return {}
    pairs = cast("Mapping[object, Any]", value)
    return {key: item for key, item in pairs.items() if isinstance(key, str)}


def _list(value: object) -> Sequence[object]:
    return cast("Sequence[object]", value) if isinstance(value, list) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
