"""Writing small trees and asking for their plan."""

from collections.abc import Collection, Mapping
from pathlib import Path

from autostack.engine.detect import Tree, detect
from autostack.engine.plan import Overrides, Plan


def write(top: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return top


def plan_of(
    top: Path,
    files: Mapping[str, str] | None = None,
    *,
    overrides: Overrides | None = None,
    variables: Collection[str] = (),
) -> Plan:
    with Tree(write(top, files or {})) as tree:
        return detect(tree, overrides=overrides or Overrides(), variables=variables)
