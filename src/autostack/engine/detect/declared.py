"""Variables a project lists in an example file."""

import re
from collections.abc import Iterator

from autostack.engine.detect.evidence import at
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import MissingVariable

_FILES = (".env.example", ".env.sample", ".env.template", "env.example", ".env.dist")
_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]{0,127})\s*=")


def declared(tree: Tree) -> Iterator[MissingVariable]:
    """Never required: the code may do without. The value stays out of the evidence, as people
    put real secrets there.
    """
    file = tree.first(*_FILES)
    for number, line in enumerate(tree.lines(file)[:500] if file else [], start=1):
        match = _LINE.match(line)
        if match and file:
            evidence = at(tree, file, number)
            name = match[1]
            yield MissingVariable(
                name=name,
                required=False,
                evidence=type(evidence)(file=file, line=number, text=f"{name}="),
            )
