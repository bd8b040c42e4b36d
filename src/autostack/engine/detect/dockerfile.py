"""Projects that say themselves how their image is made."""

from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import line_of, whole
from autostack.engine.plan import Decision, Family, Process

FILES = ("Dockerfile", "Containerfile")


def detect(sight: Sight) -> Draft | None:
    """None without such a file, or where a directory to publish is stated: then nothing runs."""
    file = sight.tree.first(*FILES)
    if file is None or sight.stated.publish:
        return None
    base = line_of(sight.tree, file, r"(?i)^\s*FROM\s") or whole(file)
    start = line_of(sight.tree, file, r"(?i)^\s*(CMD|ENTRYPOINT)\s")
    return Draft(
        family=Family.DOCKERFILE,
        web=Process(name="web", command=(), evidence=start),
        decisions=(Decision(subject="build", value=file, evidence=base),),
    )
