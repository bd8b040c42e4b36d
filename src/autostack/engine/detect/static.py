"""Sites without a build: an index.html, and nothing to run."""

from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import whole
from autostack.engine.plan import Decision, Family

LOOKED_FOR = "index.html at the root or in public/"
_DIRECTORIES = ("", "public", "www", "site", "dist", "build", "_site", "docs")


def detect(sight: Sight) -> Draft | None:
    for directory in _DIRECTORIES:
        file = f"{directory}/index.html" if directory else "index.html"
        if sight.tree.has(file):
            decision = Decision(
                subject="publish",
                value=directory or ".",
                evidence=whole(file),
                why="files are served as they are; nothing runs",
            )
            return Draft(family=Family.STATIC, publish=directory or ".", decisions=(decision,))
    return None
