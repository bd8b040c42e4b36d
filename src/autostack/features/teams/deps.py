"""The door of every call: none is answered that the table of roles does not know."""

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute

from autostack.features.teams import roles
from autostack.features.teams.errors import OperationUndeclared, RoleTooLow
from autostack.features.teams.roles import Rule
from autostack.web.openapi import operation_id
from autostack.web.problems import problems


def rule_of(request: Request) -> Rule:
    """What the table says of the call. Raises OperationUndeclared where it says nothing."""
    route: APIRoute = request.scope["route"]
    rule = roles.RULES.get(route.name)
    if rule is None:
        raise OperationUndeclared(route.name)
    return rule


async def declared(request: Request) -> None:
    """Also where nobody needs to sign in."""
    rule_of(request)


def router(tag: str, *, prefix: str = "", in_team: bool = True) -> APIRouter:
    """For the calls of one feature; `in_team` where the caller's role counts.

    All that is common stands here, so that the api takes each route as it is: included routers
    keep every route twice and build the second one while the first request waits.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=[Depends(declared)],
        responses=problems(RoleTooLow) if in_team else {},
        generate_unique_id_function=operation_id,
    )
