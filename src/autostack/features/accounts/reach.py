"""What an API token may ask for: one place decides for every call, and refuses what it does not
know. Pure.
"""

from collections.abc import Mapping
from typing import cast

from autostack.models.api_token import Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
DEPLOY = frozenset(
    {
        "create_deployment",
        "cancel_deployment",
        "roll_back",
        "roll_back_to_deployment",
        "restart",
        "stop",
        "start",
        "make_plan",
        "upload_source",
    }
)
"""Operations beyond reading that a token for deployments may ask for."""
ANY_PROJECT = frozenset({"me", "list_projects"})
"""Operations that answer a token for one project with that one alone."""
NAMES = ("project_id", "environment_id", "deployment_id", "run_id")
"""Parameters that lead to a project."""
BY_QUERY = frozenset({"list_deployments"})
BY_BODY = frozenset({"create_deployment"})
"""Operations that are told of their project there instead of in the path."""
_ACCOUNT = "/auth/"
_ADMINISTRATION = "/admin/"
_PEOPLE = ("/teams", "/invitations")
_OPEN = frozenset({"me"})
_SIGNED_IN = frozenset({"move_project"})


def allows(scope: Scope, *, operation: str, method: str, path: str) -> bool:
    """The account itself, who is in a team, and what administrators do to accounts belong to
    whoever signs in, never to a token. What they see of everybody is for a token of the widest
    scope only.
    """
    if path.startswith(_ACCOUNT) and operation not in _OPEN:
        return False
    for_people = path.startswith((*_PEOPLE, _ADMINISTRATION)) or operation in _SIGNED_IN
    if method not in SAFE and for_people:
        return False
    if scope is Scope.ADMIN:
        return True
    if path.startswith(_ADMINISTRATION):
        return False
    if method in SAFE:
        return True
    return scope is Scope.DEPLOY and operation in DEPLOY


def named(
    operation: str, *, path: Mapping[str, object], query: Mapping[str, str], body: object
) -> list[tuple[str, str]]:
    """What a request says about projects, where its operation looks for it and nowhere else:
    a parameter nobody reads proves nothing.
    """
    places: list[Mapping[str, object]] = [path]
    if operation in BY_QUERY:
        places.append(query)
    if operation in BY_BODY and isinstance(body, dict):
        places.append(cast("dict[str, object]", body))
    return [(name, str(place[name])) for place in places for name in NAMES if place.get(name)]
