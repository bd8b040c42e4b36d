"""From a source tree to a Plan. Pure: it reads the tree and nothing else."""

from collections.abc import Collection

from autostack.engine.detect import dockerfile, node, python, static
from autostack.engine.detect.compose import compose
from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.languages import foreign
from autostack.engine.detect.nested import nested
from autostack.engine.detect.stated import stated
from autostack.engine.detect.tree import Tree
from autostack.engine.errors import (
    FamilyUnavailable,
    NothingDetected,
    RootNotFound,
    RootUnclear,
)
from autostack.engine.plan import Family, Overrides, Plan

__all__ = ["Tree", "detect"]

DETECTORS = (
    (python.LOOKED_FOR, python.detect),
    (node.LOOKED_FOR, node.detect),
    (static.LOOKED_FOR, static.detect),
)
"""In order; the first that knows how to serve wins."""


def detect(
    tree: Tree, *, overrides: Overrides, variables: Collection[str], images: bool = False
) -> Plan:
    """Decide how to build and run `tree`; `variables` are the names already set. With `images`
    a Dockerfile ranks above everything we could find out ourselves.

    Raises a PlanError of whatever kind. `tree` shows only the root directory afterwards. Takes
    tens of milliseconds, at worst seconds: use a thread.
    """
    root = _narrow(tree, overrides.root)
    said = stated(tree, overrides)
    sight = Sight(tree, said)
    draft = (dockerfile.detect(sight) if images else None) or _draft(sight)
    return compose(tree, draft, said, root=root, variables=variables)


def _narrow(tree: Tree, root: str | None) -> str:
    wanted = (root or "").strip().strip("/")
    if wanted in ("", "."):
        return ""
    try:
        tree.narrow(wanted)
    except (OSError, ValueError):
        raise RootNotFound(wanted) from None
    return wanted


def _draft(sight: Sight) -> Draft:
    drafts = [draft for _, look in DETECTORS if (draft := look(sight))]
    chosen = _chosen(sight, drafts)
    other = foreign(sight, chosen)
    if other:
        raise _unavailable(sight.tree, *other)
    if chosen is None:
        raise _nothing(sight, drafts)
    if chosen.obstacle and not (sight.stated.web or sight.stated.publish):
        raise FamilyUnavailable(*chosen.obstacle)
    return chosen


def _chosen(sight: Sight, drafts: list[Draft]) -> Draft | None:
    """The first that serves; where the start is stated, the first that knows how to install."""
    said = sight.stated
    if said.web or said.publish:
        installs = (draft for draft in drafts if draft.family is not Family.STATIC)
        return next(installs, None) or (drafts[0] if drafts else _bare(sight))
    serving = next((draft for draft in drafts if draft.serves or draft.obstacle), None)
    if serving or not said.processes:
        return serving
    return drafts[0] if drafts else _bare(sight)


def _bare(sight: Sight) -> Draft:
    """Only its commands are known."""
    return Draft(family=Family.PROCFILE if sight.stated.processes else Family.STATIC)


def _unavailable(tree: Tree, what: str, manifest: str) -> FamilyUnavailable:
    file = tree.first(*dockerfile.FILES)
    todo = (
        f"It has a {file}: start Docker on the server, and that is used."
        if file
        else "Python, Node and static sites are built without settings. Add a Dockerfile and "
        "use the Docker runtime."
    )
    return FamilyUnavailable(f"{what} ({manifest})", todo)


def _nothing(
    sight: Sight, drafts: list[Draft]
) -> FamilyUnavailable | RootUnclear | NothingDetected:
    """Why we cannot tell how to run it."""
    below = nested(sight.tree)
    if below and not node.starts(sight.tree):
        return RootUnclear(below)
    file = sight.tree.first(*dockerfile.FILES)
    if file and not drafts:
        return FamilyUnavailable(
            f"A project with only a {file}",
            "Start Docker on the server, or add a Procfile with a `web:` line and a manifest "
            "(requirements.txt, package.json) to run it as a process.",
        )
    looked_for = "; ".join(["a Procfile", *(words for words, _ in DETECTORS)])
    return NothingDetected(f"{looked_for}{node.why_not(sight.tree)}")
