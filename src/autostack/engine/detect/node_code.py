"""What JavaScript and TypeScript sources say, read line by line without running them."""

import re
from collections.abc import Iterator

from autostack.engine.detect.evidence import at, where
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Evidence, MissingVariable

_ENDINGS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx")
_ASIDE = re.compile(
    r"(^|/)(tests?|__tests__|docs|examples|scripts|dist|build|public|static|coverage|e2e|cypress)/|\.(test|spec|config|min)\."
)
MAX_FILES = 400
MAX_LINE = 2000
_READ = re.compile(r"""process\.env(?:\.([A-Za-z_]\w*)|\[\s*['"]([A-Za-z_]\w*)['"]\s*\])""")
_META = re.compile(r"import\.meta\.env\.(VITE_\w+|PUBLIC_\w+)")
_TAKEN = re.compile(r"(?:const|let|var)\s*\{([^}]*)\}\s*=\s*process\.env\b")
_SCHEMA_READER = re.compile(r"""['"](?:@fastify/env|fastify-env|env-schema)['"]""")
_REQUIRED = re.compile(r"\brequired\s*:\s*\[([^\]]*)\]")
_NAME = re.compile(r"""['"]([A-Z][A-Z0-9_]*)['"]""")
MAX_SCHEMA = 100_000
_FALLBACK = re.compile(r"^\s*(\|\||\?\?|&&|\?[^.]|[!=]==?|\)\s*(\{|return|\|\||&&|\?\?)|=[^=])")
_GUARD = re.compile(r"(!\s*|if\s*\(\s*|typeof\s+|delete\s+|=\s*!!)$")
LISTENS = r"\.listen\s*\(|\bserve\s*\(|createServer\s*\("
_PORT = re.compile(r"\.listen\s*\(\s*(\d{2,5})\s*[,)]")
_LOOPBACK = re.compile(r"""\.listen\s*\([^)]*['"](127\.0\.0\.1|localhost)['"]""")
_HEALTH = re.compile(r"""\b(?:app|server|fastify)\.(?:get|all|use)\s*\(\s*['"](/healthz?)/?['"]""")


def _sources(tree: Tree) -> list[str]:
    return [file for file in tree.ending(*_ENDINGS) if not _ASIDE.search(file)][:MAX_FILES]


def _lines(tree: Tree) -> Iterator[tuple[str, int, str]]:
    for file in _sources(tree):
        for number, line in enumerate(tree.lines(file), start=1):
            if len(line) <= MAX_LINE and not line.lstrip().startswith(("//", "*", "/*")):
                yield file, number, line


def listens(tree: Tree, file: str) -> bool:
    return bool(re.search(LISTENS, tree.text(file) or ""))


def health(tree: Tree) -> tuple[str, Evidence] | None:
    for file, number, line in _lines(tree):
        match = _HEALTH.search(line)
        if match:
            return match[1], at(tree, file, number)
    return None


def reads(tree: Tree) -> tuple[MissingVariable, ...]:
    """Once a name; required if any line reads it without a fallback."""
    found = {variable.name: variable for variable in _schemas(tree)}
    for file, number, line in _lines(tree):
        for name, required in _read(line):
            known = found.get(name)
            if known is None or (required and not known.required):
                found[name] = MissingVariable(
                    name=name, required=required, evidence=at(tree, file, number)
                )
    return tuple(found.values())


def _schemas(tree: Tree) -> Iterator[MissingVariable]:
    """What a JSON schema for the environment requires; `@fastify/env` ends the app without it."""
    for file in _sources(tree):
        text = (tree.text(file) or "")[:MAX_SCHEMA]
        listed = _REQUIRED.search(text) if _SCHEMA_READER.search(text) else None
        for match in _NAME.finditer(listed[1]) if listed else ():
            given = rf"""\b{match[1]}['"]?\s*:\s*\{{[^{{}}]*\bdefault\s*:"""
            start = text.count("\n", 0, (listed.start(1) if listed else 0) + match.start())
            yield MissingVariable(
                name=match[1],
                required=re.search(given, text) is None,
                evidence=at(tree, file, start + 1),
            )


def _read(line: str) -> Iterator[tuple[str, bool]]:
    for match in _READ.finditer(line):
        optional = _FALLBACK.match(line[match.end() :]) or _GUARD.search(line[: match.start()])
        yield match[1] or match[2], not optional
    for match in _META.finditer(line):
        yield match[1], False
    taken = _TAKEN.search(line)
    for part in taken[1].split(",") if taken else ():
        name = re.match(r"\s*([A-Za-z_]\w*)", part)
        if name:
            yield name[1], "=" not in part


def hazards(tree: Tree) -> Iterator[str]:
    for file, number, line in _lines(tree):
        spot = where(at(tree, file, number))
        port, loopback = _PORT.search(line), _LOOPBACK.search(line)
        if port:
            yield f"{spot}: the port {port[1]} is fixed in the code; read it from process.env.PORT."
        if loopback:
            yield f"{spot}: it listens on {loopback[1]} only; listen on 0.0.0.0."
