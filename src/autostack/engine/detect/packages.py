"""What a Python project requires, and how it is installed."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from autostack.engine.detect import pipfile, poetry
from autostack.engine.detect.evidence import line_of, whole
from autostack.engine.detect.legacy import companions
from autostack.engine.detect.stated import mapping
from autostack.engine.detect.tree import Tree
from autostack.engine.errors import PlanFileInvalid
from autostack.engine.plan import BuildStep, Evidence

MAX_INCLUDES = 20
_PACKAGE = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?")
_INCLUDE = re.compile(r"^\s*(?:-r|--requirement|-c|--constraint)[\s=]*(\S+)")
_LOCAL = re.compile(r"^\s*(?:-e\b|--editable\b|\.{0,2}/|\.\s*(?:$|\[)|file:)|@\s*file:")
_MAIN_FILES = (
    "requirements.txt",
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/main.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/requirements.txt",
    "requirements-prod.txt",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """`required` are normalised names; `steps` install them into the virtual environment.

    `locked` is false where the same commit can get other packages tomorrow.
    """

    manager: str
    evidence: Evidence
    required: frozenset[str]
    steps: tuple[BuildStep, ...]
    locked: bool


def packages(tree: Tree) -> Packages | None:
    """The first of these that the tree has: uv, Poetry, Pipenv, requirements, pyproject, setup."""
    return next(_described(tree), None)


def beside(tree: Tree, file: str) -> Packages | None:
    """The requirements nearest to a file of the app, where the root has nothing."""
    directories = file.split("/")[:-1]
    for depth in range(len(directories), 0, -1):
        requirements = "/".join((*directories[:depth], "requirements.txt"))
        if tree.has(requirements):
            return _requirements(tree, requirements)
    return None


def _described(tree: Tree) -> Iterator[Packages]:
    project = pyproject(tree)
    yield from _locked(tree, project)
    requirements = tree.first(*_MAIN_FILES)
    if requirements:
        yield _requirements(tree, requirements)
    if "project" in project:
        yield _pyproject(tree, project)
    if "poetry" in _table(project, "tool"):
        yield _unlocked_poetry(tree, project)
    if tree.has("Pipfile"):
        yield _pipfile(tree)
    if tree.has("setup.py"):
        yield _setup(tree)


def _locked(tree: Tree, project: Mapping[str, Any]) -> Iterator[Packages]:
    if tree.has("uv.lock") and project:
        yield _uv(project)
    if tree.has("poetry.lock") and project:
        yield _poetry(tree, project)
    if tree.has("Pipfile.lock"):
        yield _pipenv(tree)


def pyproject(tree: Tree) -> Mapping[str, Any]:
    text = tree.text("pyproject.toml")
    if text is None:
        return {}
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise PlanFileInvalid(
            "pyproject.toml", 0, str(error)[:120] or "nested too deeply"
        ) from None


def _uv(project: Mapping[str, Any]) -> Packages:
    command = ("uv", "sync", "--frozen", "--no-dev")
    members = "workspace" in _table(_table(project, "tool"), "uv")
    inputs = () if members or _local_sources(project) else ("pyproject.toml", "uv.lock")
    steps = [
        BuildStep(
            title="Install packages", command=(*command, "--no-install-project"), inputs=inputs
        )
    ]
    if not inputs:
        everything = ("--all-packages",) if members else ()
        steps = [BuildStep(title="Install packages", command=(*command, *everything))]
    elif _is_package(project):
        steps.append(BuildStep(title="Install the project", command=command))
    return Packages(
        manager="uv",
        evidence=whole("uv.lock"),
        required=_declared(project),
        steps=tuple(steps),
        locked=True,
    )


def _is_package(project: Mapping[str, Any]) -> bool:
    choice = _table(_table(project, "tool"), "uv").get("package")
    return choice if isinstance(choice, bool) else "build-system" in project


def _local_sources(project: Mapping[str, Any]) -> bool:
    sources = _table(_table(_table(project, "tool"), "uv"), "sources")
    return any(
        "path" in mapping(source) or "workspace" in mapping(source) for source in sources.values()
    )


def _poetry(tree: Tree, project: Mapping[str, Any]) -> Packages:
    pinned = poetry.locked(tree.text("poetry.lock") or "", project)
    command = (
        *("uv", "pip", "install", "--no-deps", *pinned.requirements),
        *companions(pinned.requirements),
    )
    inputs = () if pinned.local else ("pyproject.toml", "poetry.lock")
    steps = [BuildStep(title="Install packages", command=command, inputs=inputs)]
    if not pinned.requirements:
        steps = []
    if "packages" in _table(_table(project, "tool"), "poetry") or tree.has(
        f"src/{_module_name(project)}/__init__.py"
    ):
        editable = ("uv", "pip", "install", "--no-deps", "--editable", ".")
        steps.append(BuildStep(title="Install the project", command=editable))
    return Packages(
        manager="Poetry",
        evidence=whole("poetry.lock"),
        required=_declared(project),
        steps=tuple(steps),
        locked=True,
    )


def _unlocked_poetry(tree: Tree, project: Mapping[str, Any]) -> Packages:
    """Only Poetry can resolve its own ranges."""
    quiet = ("--no-root", "--no-interaction")
    command = ("uv", "tool", "run", "poetry", "install", "--only", "main", *quiet)
    step = BuildStep(title="Install packages", command=command, inputs=("pyproject.toml",))
    return Packages(
        manager="Poetry",
        evidence=line_of(tree, "pyproject.toml", r"^\[tool\.poetry") or whole("pyproject.toml"),
        required=_declared(project),
        steps=(step,),
        locked=False,
    )


def _module_name(project: Mapping[str, Any]) -> str:
    settings = _table(_table(project, "tool"), "poetry")
    name = settings.get("name") or _table(project, "project").get("name") or "-"
    return str(name).replace("-", "_").lower()


def _pipenv(tree: Tree) -> Packages:
    lines = pipfile.locked(tree.text("Pipfile.lock") or "")
    return _piped(tree, lines, "Pipfile.lock", "--no-deps")


def _pipfile(tree: Tree) -> Packages:
    return _piped(tree, pipfile.asked(tree.text("Pipfile") or ""), "Pipfile")


def _piped(tree: Tree, lines: tuple[str, ...], file: str, *options: str) -> Packages:
    command = ("uv", "pip", "install", *options, *lines, *companions(lines))
    local = any(" @ " in line and "git+" not in line for line in lines)
    inputs = () if local else (file,)
    return Packages(
        manager="Pipenv",
        evidence=line_of(tree, file, r"^\[packages\]") or whole(file),
        required=frozenset(name for line in lines for name in requirement_names(line)),
        steps=(BuildStep(title="Install packages", command=command, inputs=inputs),)
        if lines
        else (),
        locked=bool(options),
    )


def _setup(tree: Tree) -> Packages:
    """What setup.py requires is known to whoever runs it; the names we look for stand in it."""
    text = tree.text("setup.py") or ""
    return Packages(
        manager="setup.py",
        evidence=line_of(tree, "setup.py", r"install_requires") or whole("setup.py"),
        required=frozenset(
            name
            for line in re.findall(r"""['"]([A-Za-z][\w.-]*(?:\[[^\]]{0,80}\])?)""", text)[:500]
            for name in requirement_names(line)
        ),
        steps=(BuildStep(title="Install packages", command=("uv", "pip", "install", ".")),),
        locked=False,
    )


def _requirements(tree: Tree, file: str) -> Packages:
    read = dict(_included(tree, file))
    lines = [line for text in read.values() for line in text]
    local = any(_LOCAL.match(line) for line in lines) or any(not tree.has(name) for name in read)
    step = BuildStep(
        title="Install packages",
        command=("uv", "pip", "install", "--requirement", file, *companions(lines)),
        inputs=() if local else tuple(read),
    )
    return Packages(
        manager="requirements",
        evidence=whole(file),
        required=frozenset(name for line in lines for name in requirement_names(line)),
        steps=(step,),
        locked=all(_pinned(line) for line in lines),
    )


def _included(tree: Tree, file: str) -> Iterator[tuple[str, list[str]]]:
    """A requirements file and those it names, each once."""
    waiting, seen = [file], {file}
    while waiting and len(seen) <= MAX_INCLUDES:
        name = waiting.pop(0)
        lines = [_without_comment(line) for line in tree.lines(name)]
        yield name, lines
        for line in lines:
            match = _INCLUDE.match(line)
            if match:
                path = _join(name.rpartition("/")[0], match[1])
                waiting += [path] if path not in seen else []
                seen.add(path)


def _join(directory: str, name: str) -> str:
    parts: list[str] = []
    for part in f"{directory}/{name}".split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s)#.*$", "", line[:2000]).strip()


def _pinned(line: str) -> bool:
    return (
        not line or line.startswith(("-", "\\")) or "==" in line or "@" in line or "--hash" in line
    )


def _pyproject(tree: Tree, project: Mapping[str, Any]) -> Packages:
    package = _is_installable(tree, project)
    command = (
        ("uv", "pip", "install", ".")
        if package
        else ("uv", "pip", "install", "--requirement", "pyproject.toml")
    )
    step = BuildStep(
        title="Install packages", command=command, inputs=() if package else ("pyproject.toml",)
    )
    return Packages(
        manager="pyproject",
        evidence=line_of(tree, "pyproject.toml", r"^\s*dependencies\s*=")
        or whole("pyproject.toml"),
        required=_declared(project),
        steps=(step,),
        locked=False,
    )


def _is_installable(tree: Tree, project: Mapping[str, Any]) -> bool:
    """Whether its own code is a package too. Many state a build system and are none: then a build
    finds nothing to put into it and fails, while the app runs from the tree.
    """
    if tree.has("setup.py") or "dependencies" in _dynamic(project):
        return True
    name = _module_name(project)
    told = re.search(
        r"^[ \t]*(packages|py-modules|include|module-name)\s*=|\.packages\.find\]",
        tree.text("pyproject.toml") or "",
        re.MULTILINE,
    )
    return "build-system" in project and bool(
        told or tree.first(f"{name}/__init__.py", f"src/{name}/__init__.py", f"{name}.py")
    )


def _dynamic(project: Mapping[str, Any]) -> Sequence[object]:
    listed = _table(project, "project").get("dynamic")
    return cast("Sequence[object]", listed) if isinstance(listed, list) else ()


def _declared(project: Mapping[str, Any]) -> frozenset[str]:
    listed = _table(project, "project").get("dependencies")
    lines = (
        [item for item in cast("list[object]", listed) if isinstance(item, str)]
        if isinstance(listed, list)
        else []
    )
    loose = _table(_table(_table(project, "tool"), "poetry"), "dependencies")
    return frozenset(name for line in lines for name in requirement_names(line)) | {
        poetry.normal(name) for name in loose
    }


def requirement_names(line: str) -> Iterator[str]:
    """The package a line requires; `fastapi[standard]` brings uvicorn along."""
    match = _PACKAGE.match(line)
    if match is None or line.startswith("-"):
        return
    yield poetry.normal(match[1])
    if poetry.normal(match[1]) == "fastapi" and {"standard", "all"} & set(
        (match[2] or "").split(",")
    ):
        yield "uvicorn"


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return mapping(table.get(key))
