"""What a role may do: decided by one table, which knows every operation."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from autostack.core import crypto
from autostack.core.settings import Settings
from autostack.entrypoints.http import ROUTERS, Keys, assemble
from autostack.features.accounts import deps
from autostack.features.teams import roles
from autostack.features.teams.errors import IdInvalid, RoleTooLow
from autostack.features.teams.roles import About, Demand, Named, Rule, Standing
from autostack.models.team import Role

SHOP = UUID(int=7)


def standing(role: Role, *, protected: bool = False) -> Standing:
    return Standing(team_id=SHOP, team="Shop", role=role, protected=protected)


def routes(routers: Iterable[Any] = ROUTERS) -> Iterator[APIRoute]:
    """Also of routers within routers."""
    for route in (one for router in routers for one in router.routes):
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes([route.original_router])


READERS = {get_args(one)[1].dependency for one in (deps.CurrentReader, deps.WaitingReader)}


def asks_who(dependant: Dependant) -> bool:
    return dependant.call in READERS or any(asks_who(one) for one in dependant.dependencies)


def test_every_operation_is_in_the_table_and_nothing_else(tmp_path: Path) -> None:
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    app = assemble(Settings(home=tmp_path), keys, url="postgresql:///none")
    known = {
        operation["operationId"]
        for methods in app.openapi()["paths"].values()
        for operation in methods.values()
    }

    assert known == set(roles.RULES) == {one.name for one in routes()}
    assert len(known) > 70


def test_an_operation_asks_who_you_are_unless_it_is_for_everybody() -> None:
    open_to_all = {one.name for one in routes() if not asks_who(one.dependant)}

    assert open_to_all == {name for name, rule in roles.RULES.items() if rule.about is About.NOBODY}


def test_an_operation_that_names_something_is_decided_by_what_it_names() -> None:
    """Whatever leads to a team is a parameter of its path, or listed here as read elsewhere."""
    for route in routes():
        rule, path = roles.RULES[route.name], {one.name for one in route.dependant.path_params}
        leading = {one.value for one in About} & path
        named: set[str] = (
            set() if rule.by_body or rule.about in {About.NOBODY, About.SELF} else {rule.about}
        )
        assert leading == named, route.name
        assert rule.place is None or rule.by_body or rule.place in path, route.name


@pytest.mark.parametrize(
    ("role", "least", "may"),
    [
        (Role.VIEWER, Role.VIEWER, True),
        (Role.VIEWER, Role.DEVELOPER, False),
        (Role.DEVELOPER, Role.ADMIN, False),
        (Role.ADMIN, Role.DEVELOPER, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.OWNER, Role.OWNER, True),
    ],
)
def test_a_role_may_what_the_roles_below_it_may(role: Role, least: Role, may: bool) -> None:  # noqa: FBT001
    demand = Demand(named=None, least=least)
    if may:
        roles.check(demand, standing(role))
        return

    with pytest.raises(RoleTooLow) as refused:
        roles.check(demand, standing(role))

    assert f"{least.value!r}" in str(refused.value)
    assert f"{role.value!r}" in str(refused.value)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
def test_a_protected_environment_is_for_admins(role: Role) -> None:
    demand = Demand(named=None, least=Role.DEVELOPER, guarded=True)

    with pytest.raises(RoleTooLow, match="protected: that needs the role 'admin'") as refused:
        roles.check(demand, standing(role, protected=True))

    assert "lift the protection" in refused.value.hint
    roles.check(demand, standing(Role.ADMIN, protected=True))


def test_looking_at_a_protected_environment_needs_no_more() -> None:
    roles.check(Demand(named=None, least=Role.VIEWER), standing(Role.VIEWER, protected=True))


def test_what_a_rule_reads_is_read_there_and_nowhere_else() -> None:
    body = {"project_id": str(SHOP), "environment": "staging", "team_id": str(uuid4())}
    deploy = roles.demands(roles.RULES["create_deployment"], path={"project_id": "x"}, body=body)
    unnamed = roles.demands(
        roles.RULES["create_deployment"], path={}, body={"project_id": str(SHOP)}
    )
    by_path = roles.demands(roles.RULES["get_project"], path={"project_id": str(SHOP)}, body=body)

    found = Named(about=About.PROJECT, id=SHOP, place="staging")
    assert deploy == (Demand(named=found, least=Role.DEVELOPER, guarded=True),)
    assert unnamed[0].named == Named(about=About.PROJECT, id=SHOP, place="production")
    assert by_path == (Demand(named=Named(about=About.PROJECT, id=SHOP), least=Role.VIEWER),)


@pytest.mark.parametrize("value", [None, "", "x", 5, [], {}, "\ud800", f"{SHOP}\0", [str(SHOP)]])
def test_what_is_no_id_is_refused_and_not_let_through(value: object) -> None:
    rule = Rule(about=About.PROJECT)

    with pytest.raises(IdInvalid):
        roles.demands(rule, path={"project_id": value}, body=None)


def test_a_project_is_made_in_the_team_that_is_named_or_in_ones_own() -> None:
    rule, team = roles.RULES["create_project"], uuid4()

    own = roles.demands(rule, path={}, body={"name": "Shop"})
    named = roles.demands(rule, path={}, body={"team_id": str(team)})

    assert own == (Demand(named=None, least=Role.DEVELOPER),)
    assert named == (Demand(named=Named(about=About.TEAM, id=team), least=Role.DEVELOPER),)
    assert isinstance(team, UUID)
