"""What a delivery leads to, and why, in one sentence. Pure."""

import re
from dataclasses import dataclass

from autostack.features.webhooks.payloads import Other, Ping, Push, Told, Unreadable, address, shown
from autostack.models.hook import Outcome

_SKIP = re.compile(r"\[(skip (deploy|ci)|(deploy|ci) skip|no ci)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a hook is for. `paused` says why pushes deploy nothing there."""

    repo_url: str
    environment: str
    branch: str | None
    paused: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`words` of one that deploys still lack the deployment's number."""

    outcome: Outcome
    words: str
    branch: str | None = None


def decide(told: Told, target: Target) -> Decision:
    match told:
        case Ping():
            branch = target.branch or "the default branch"
            return _ignored(f"Connected: a push to {branch} deploys {target.environment}.")
        case Other(event=""):
            return _ignored("The delivery does not say which event it is; only pushes deploy.")
        case Other(event=event):
            return _ignored(f"Only pushes deploy; this is {event!r}.")
        case Unreadable(why=why):
            return _ignored(f"This push cannot be read: {why}.")
        case Push():
            return _of_push(told, target)


def _of_push(push: Push, target: Target) -> Decision:
    if why := _no_concern(push, target):
        return _ignored(why, push.branch)
    if target.paused:
        words = f"Automatic deployments of {target.environment} are paused {target.paused}."
        return Decision(outcome=Outcome.PAUSED, words=words, branch=push.branch)
    if found := _SKIP.search(push.message):
        return _ignored(f"The commit's message says {found[0]}.", push.branch)
    words = f"{shown(push.branch or '')} is deployed to {target.environment}"
    return Decision(outcome=Outcome.DEPLOYED, words=words, branch=push.branch)


def _no_concern(push: Push, target: Target) -> str | None:
    """Why a push is none of this environment's."""
    if address(target.repo_url) not in push.addresses:
        return f"This push is for {push.repository}; the project is {target.repo_url}."
    if push.tag is not None:
        return f"The tag {shown(push.tag)} deploys nothing; only branches do."
    if push.branch is None:
        return "This push is for no branch that could be deployed."
    if push.deleted:
        return f"The branch {shown(push.branch)} was deleted; what runs goes on."
    return _other_branch(push, target)


def _other_branch(push: Push, target: Target) -> str | None:
    wanted = target.branch or push.default_branch
    if wanted is None:
        return (
            f"{target.environment} follows the default branch, and the delivery does not name it."
        )
    if push.branch == wanted:
        return None
    pushed = shown(push.branch or "")
    return f"{target.environment} follows {shown(wanted)}; this push is for {pushed}."


def _ignored(words: str, branch: str | None = None) -> Decision:
    return Decision(outcome=Outcome.IGNORED, words=words, branch=branch)
