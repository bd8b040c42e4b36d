"""From a source tree to a Plan. Pure: it reads the tree and nothing else."""

from collections.abc import Collection

from autostack.engine.detect import dockerfile, node, python, static
from autostack.engine.detect.compose import compose
from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.stated import Stated, stated
from autostack.engine.detect.tree import Tree
from autostack.engine.errors import FamilyUnavailable, NothingDetected, RootNotFound
from autostack.engine.plan import Decision, Family, Overrides, Plan

__all__ = ["Tree", "detect"]

DETECTORS = (
    (python.LOOKED_FOR, python.detect),
    (node.LOOKED_FOR, node.detect),
    (static.LOOKED_FOR, static.detect),
)
"""In order; the first that knows how to serve wins."""

LANGUAGES = {
    "Go": ("go.mod",),
    "Ruby": ("Gemfile",),
    "PHP": ("composer.json", "index.php"),
    "Java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "Rust": ("Cargo.toml",),
    "Elixir": ("mix.exs",),
    "Deno": ("deno.json", "deno.jsonc"),
}


def detect(
    tree: Tree, *, overrides: Overrides, variables: Collection[str], images: bool = False
) -> Plan:
    """Decide how to build and run `tree`; `variables` are the names already set. With `images`
    a Dockerfile ranks above everything we could find out ourselves.

    Raises NothingDetected, FamilyUnavailable, PlanFileInvalid or RootNotFound. `tree` shows only
    the root directory afterwards. Takes tens of milliseconds, at worst seconds: use a thread.
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
    serving = next((draft for draft in drafts if draft.serves), None)
    if sight.stated.web or sight.stated.publish:
        # The start is stated, so the first family only has to know how to install.
        return next((draft for draft in drafts if draft.family is not Family.STATIC), None) or (
            drafts[0] if drafts else _bare(sight.stated)
        )
    if serving:
        return serving
    return _nothing(sight, drafts)


def _bare(said: Stated) -> Draft:
    web = said.web
    if web is None:
        return Draft(family=Family.STATIC)
    decision = Decision(
        subject="family",
        value="procfile",
        evidence=web.evidence,
        why="only its start command is known",
    )
    return Draft(family=Family.PROCFILE, decisions=(decision,))


def _nothing(sight: Sight, drafts: list[Draft]) -> Draft:
    """What is stated has to do; where nothing is, why we cannot tell how to run it."""
    file = sight.tree.first(*dockerfile.FILES)
    if file and not drafts:
        raise FamilyUnavailable(
            f"A project with only a {file}",
            "Start Docker on the server, or add a Procfile with a `web:` line and a manifest "
            "(requirements.txt, package.json) to run it as a process.",
        )
    if sight.stated.processes and drafts:
        return drafts[0]
    if sight.stated.processes:
        return _bare(sight.stated)
    _refuse_other_languages(sight.tree)
    looked_for = "; ".join(["a Procfile", *(words for words, _ in DETECTORS)])
    raise NothingDetected(f"{looked_for}{node.why_not(sight.tree)}")


def _refuse_other_languages(tree: Tree) -> None:
    for language, files in LANGUAGES.items():
        manifest = tree.first(*files)
        if manifest:
            raise FamilyUnavailable(
                f"A {language} project ({manifest})",
                "Python, Node and static sites are built without settings. Add a Dockerfile and "
                "use the Docker runtime.",
            )
