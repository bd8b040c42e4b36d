"""Who is in a team, as what, and what ends with it."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from autostack.core.db import Database
from autostack.features.accounts import service as accounts
from autostack.features.membership import service as membership
from autostack.features.teams.errors import LastOwner
from autostack.models.user import User
from tests.clock import FakeClock
from tests.integration.api.conftest import PASSWORD, Account
from tests.integration.api.teams.teams import Team, good, make_team, refusal

EVE, ADA = "eve@example.com", "ada@example.com"


async def test_whoever_makes_a_team_owns_it(ada: Account, eve: Account) -> None:
    team = await make_team(ada)

    listed = {one["name"]: one for one in (await good(ada.client.get("/teams")))["items"]}

    assert listed["Shop people"]["id"] == team.id
    assert (listed["Shop people"]["role"], listed["Shop people"]["personal"]) == ("owner", False)
    assert (listed["Personal"]["role"], listed["Personal"]["personal"]) == ("owner", True)
    me = await good(ada.client.get("/auth/me"))
    assert {one["id"] for one in me["teams"]} == {one["id"] for one in listed.values()}
    assert await refusal(eve.client.get(team.path)) == (404, "team_not_found")


async def test_a_personal_team_takes_nobody_and_stays(ada: Account) -> None:
    (personal,) = (await good(ada.client.get("/teams")))["items"]
    path = f"/teams/{personal['id']}"

    refused = [
        await refusal(ada.client.post(f"{path}/invitations", json={"email": EVE})),
        await refusal(ada.client.post(f"{path}/service-accounts", json={"name": "ci"})),
        await refusal(ada.client.post(f"{path}/leave")),
        await refusal(ada.client.delete(path)),
    ]

    assert refused == [(409, "personal_team")] * 4


@pytest.mark.attack("Z14")
async def test_a_member_sees_the_teams_projects_and_does_what_the_role_allows(
    team: Team, eve: Account
) -> None:
    project = await team.project()
    await team.join(eve, EVE, "viewer")
    path = f"/projects/{project['id']}"

    assert (await good(eve.client.get(path)))["team_id"] == team.id
    refused = await eve.client.post(f"{path}/environments", json={"name": "staging"})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_low")
    assert "'developer'" in refused.json()["detail"]
    assert "'viewer'" in refused.json()["detail"]

    await good(team.owner.client.patch(f"{team.path}/members/{eve.id}", json={"role": "developer"}))
    await good(eve.client.post(f"{path}/environments", json={"name": "staging"}))


@pytest.mark.attack("Z14")
async def test_a_new_developer_does_not_touch_production_until_an_admin_says_so(
    team: Team, eve: Account
) -> None:
    project = await team.project()
    await team.join(eve, EVE)
    deploy = {"project_id": project["id"]}
    places = f"/projects/{project['id']}/environments"
    await good(eve.client.post(places, json={"name": "staging"}))

    refused = await eve.client.post("/deployments", json=deploy)
    variable = await eve.client.put(f"{places}/production/variables/A", json={"value": "1"})
    lifted = await refusal(eve.client.patch(f"{places}/production", json={"protected": False}))

    assert (refused.status_code, variable.status_code) == (403, 403)
    assert "protected" in refused.json()["detail"]
    assert "lift the protection" in refused.json()["hint"]
    assert lifted == (403, "role_too_low")
    await good(eve.client.post("/deployments", json=deploy | {"environment": "staging"}))
    opened = team.owner.client.patch(f"{places}/production", json={"protected": False})
    assert (await good(opened))["protected"] is False
    await good(eve.client.post("/deployments", json=deploy))


async def test_production_of_ones_own_is_not_protected_and_can_be(ada: Account) -> None:
    project = await ada.project()
    path = f"/projects/{project['id']}/environments"

    (before,) = (await good(ada.client.get(path)))["items"]
    after = await good(ada.client.patch(f"{path}/production", json={"protected": True}))
    kept = await good(ada.client.patch(f"{path}/production", json={"branch": "main"}))

    assert (before["protected"], after["protected"], kept["protected"]) == (False, True, True)


async def test_a_moved_project_is_the_other_teams_alone_and_protected_there(
    team: Team, eve: Account
) -> None:
    project = await team.owner.project()
    await team.join(eve, EVE)
    path = f"/projects/{project['id']}"
    assert (await eve.client.get(path)).status_code == 404

    moved = await good(team.owner.client.post(f"{path}/move", json={"team_id": team.id}))

    assert moved == project | {"team_id": team.id, "updated_at": moved["updated_at"]}
    (place,) = (await good(eve.client.get(f"{path}/environments")))["items"]
    assert place["protected"] is True


async def test_a_project_moves_only_between_teams_that_both_allow_it(
    team: Team, eve: Account
) -> None:
    project = await team.project()
    await team.join(eve, EVE)
    (mine,) = [one for one in (await good(eve.client.get("/teams")))["items"] if one["personal"]]
    theirs = await make_team(team.owner, "Others")
    move = f"/projects/{project['id']}/move"

    taken = await refusal(eve.client.post(move, json={"team_id": mine["id"]}))
    foreign = await refusal(team.owner.client.post(move, json={"team_id": mine["id"]}))
    await theirs.project()
    named = await refusal(team.owner.client.post(move, json={"team_id": theirs.id}))

    assert taken == (403, "role_too_low")
    assert foreign == (404, "team_not_found")
    assert named == (409, "project_name_taken")


async def test_an_admin_neither_makes_nor_moves_owners(team: Team, eve: Account) -> None:
    await team.join(eve, EVE, "admin")
    ada, eves = (f"{team.path}/members/{one.id}" for one in (team.owner, eve))

    refused = [
        await refusal(eve.client.patch(ada, json={"role": "viewer"})),
        await refusal(eve.client.delete(ada)),
        await refusal(eve.client.patch(eves, json={"role": "owner"})),
        await refusal(
            eve.client.post(f"{team.path}/invitations", json={"email": "x@y.io", "role": "owner"})
        ),
    ]

    assert refused == [(403, "owners_only")] * 4
    assert await team.members() == {ADA: "owner", EVE: "admin"}


async def test_the_last_owner_neither_leaves_nor_is_made_less(team: Team, eve: Account) -> None:
    await team.join(eve, EVE, "admin")
    own = f"{team.path}/members/{team.owner.id}"
    ada = team.owner.client

    refused = [
        await refusal(ada.post(f"{team.path}/leave")),
        await refusal(ada.patch(own, json={"role": "admin"})),
        await refusal(ada.delete(own)),
        await refusal(ada.post("/auth/account/remove", json={"password": PASSWORD})),
    ]

    assert refused[:3] == [(409, "last_owner")] * 3
    assert refused[3][0] == 409
    await good(ada.patch(f"{team.path}/members/{eve.id}", json={"role": "owner"}))
    await good(ada.post(f"{team.path}/leave"))
    assert (await ada.get(team.path)).status_code == 404


async def test_of_two_owners_that_leave_at_once_one_stays(
    team: Team, eve: Account, db: Database, clock: FakeClock
) -> None:
    await team.join(eve, EVE, "owner")

    async def leave(account: Account) -> bool:
        async with db.transaction() as session:
            user = await session.get_one(User, account.id)
            await membership.leave(session, team.id, by=user, now=clock())  # type: ignore[arg-type]
        return True

    ended = await asyncio.gather(leave(team.owner), leave(eve), return_exceptions=True)

    assert sorted(type(one).__name__ for one in ended) == [LastOwner.__name__, "bool"]


@pytest.mark.attack("Z07", "Z19")
async def test_who_is_removed_reaches_nothing_more_not_with_tokens_either(
    team: Team, eve: Account
) -> None:
    project = await team.project()
    await team.join(eve, EVE, "admin")
    body = {"name": "CI", "scope": "admin", "project_id": project["id"]}
    token = (await good(eve.client.post("/auth/tokens", json=body)))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    path = f"/projects/{project['id']}"
    await good(eve.client.get(path, headers=bearer))

    await good(team.owner.client.delete(f"{team.path}/members/{eve.id}"))

    for headers in ({}, bearer):
        assert await refusal(eve.client.get(path, headers=headers)) == (404, "project_not_found")
    assert (await good(eve.client.get("/projects")))["items"] == []
    assert EVE not in await team.members()


async def test_a_closed_account_leaves_its_teams(team: Team, eve: Account, db: Database) -> None:
    await team.join(eve, EVE)

    await good(eve.client.post("/auth/account/remove", json={"password": PASSWORD}))

    assert await team.members() == {ADA: "owner"}
    async with db.transaction() as session:
        assert await session.scalar(text("select count(*) from memberships")) == 2


async def test_a_team_with_projects_is_not_deleted_and_an_empty_one_is(team: Team) -> None:
    project = await team.project()
    ada = team.owner.client

    full = await refusal(ada.delete(team.path))
    await good(ada.delete(f"/projects/{project['id']}"))
    going = await refusal(ada.delete(team.path))

    assert full == going == (409, "team_not_empty")
    empty = await make_team(team.owner, "Empty")
    ci = await good(ada.post(f"{empty.path}/service-accounts", json={"name": "ci"}))
    tokens = f"{empty.path}/service-accounts/{ci['user_id']}/tokens"
    token = (await good(ada.post(tokens, json={"name": "CI", "scope": "deploy"})))["token"]
    await good(ada.delete(empty.path))
    assert (await ada.get(empty.path)).status_code == 404
    ended = await ada.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert ended.status_code == 401


@pytest.mark.attack("Z14")
async def test_only_admins_see_what_others_of_the_team_did(team: Team, eve: Account) -> None:
    await team.project()
    await team.join(eve, EVE)

    def kinds(found: Any) -> set[str]:  # noqa: ANN401 - JSON
        return {one["kind"] for one in found["items"]}

    before = kinds(await good(eve.client.get("/audit")))
    await good(team.owner.client.patch(f"{team.path}/members/{eve.id}", json={"role": "admin"}))
    after = kinds(await good(eve.client.get("/audit")))

    assert "project.created" not in before
    assert {"team.created", "team.invited", "team.member_joined", "project.created"} <= after


@pytest.mark.attack("Z11")
async def test_the_platforms_administrator_is_in_no_team_for_that(
    ada: Account, eve: Account
) -> None:
    team = await make_team(eve)
    project = await team.project()

    assert (await good(ada.client.get("/auth/me")))["is_admin"] is True
    for path in (team.path, f"{team.path}/members", f"/projects/{project['id']}"):
        assert (await ada.client.get(path)).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "developer"])
async def test_a_program_has_a_token_and_a_role_and_no_way_to_sign_in(
    team: Team, eve: Account, db: Database, role: str
) -> None:
    project = await team.project()
    accounts_path = f"{team.path}/service-accounts"
    ada = team.owner.client
    made = await good(ada.post(accounts_path, json={"name": "ci", "role": role}))
    tokens = f"{accounts_path}/{made['user_id']}/tokens"
    token = await good(ada.post(tokens, json={"name": "CI", "scope": "deploy"}))
    bearer = {"Authorization": f"Bearer {token['token']}"}
    await good(ada.post(f"/projects/{project['id']}/environments", json={"name": "staging"}))
    body = {"project_id": project["id"], "environment": "staging"}

    deployed = await eve.client.post("/deployments", json=body, headers=bearer)
    production = await eve.client.post(
        "/deployments", json={"project_id": project["id"]}, headers=bearer
    )
    signed_in = await eve.client.post(
        "/auth/login", json={"email": f"service:{made['user_id']}", "password": PASSWORD}
    )

    assert await team.members() == {ADA: "owner", "ci": role}
    assert deployed.status_code == (200 if role == "developer" else 403)
    assert (production.status_code, signed_in.status_code) == (403, 401)
    async with db.transaction() as session:
        people = await accounts.people(session, now=FakeClock()())
    assert "ci" not in {one.user.email for one in people}
    await good(ada.delete(f"{team.path}/members/{made['user_id']}"))
    assert (await eve.client.get("/auth/me", headers=bearer)).status_code == 401


async def test_a_program_is_a_developer_at_most_and_its_tokens_are_the_admins(
    team: Team, eve: Account
) -> None:
    accounts_path = f"{team.path}/service-accounts"
    ada = team.owner.client
    made = await good(ada.post(accounts_path, json={"name": "ci"}))
    tokens = f"{accounts_path}/{made['user_id']}/tokens"
    token = await good(ada.post(tokens, json={"name": "CI", "scope": "admin"}))
    bearer = {"Authorization": f"Bearer {token['token']}"}
    await team.join(eve, EVE)

    refused = [
        await refusal(ada.post(accounts_path, json={"name": "root", "role": "admin"})),
        await refusal(ada.patch(f"{team.path}/members/{made['user_id']}", json={"role": "owner"})),
        await refusal(ada.post(accounts_path, json={"name": "ci"})),
        await refusal(eve.client.get(tokens)),
        await refusal(eve.client.post("/teams", json={"name": "x"}, headers=bearer)),
        await refusal(
            ada.post(f"{accounts_path}/{team.owner.id}/tokens", json={"name": "x", "scope": "read"})
        ),
    ]

    assert refused == [
        (422, "service_role"),
        (422, "service_role"),
        (409, "service_name_taken"),
        (403, "role_too_low"),
        (403, "token_forbids"),
        (404, "member_not_found"),
    ]
    (shown,) = (await good(ada.get(tokens)))["items"]
    await good(ada.delete(f"{tokens}/{shown['id']}"))
    assert (await eve.client.get("/auth/me", headers=bearer)).status_code == 401


async def test_what_a_program_makes_belongs_to_its_team(team: Team) -> None:
    accounts_path = f"{team.path}/service-accounts"
    ada = team.owner.client
    made = await good(ada.post(accounts_path, json={"name": "ci"}))
    tokens = f"{accounts_path}/{made['user_id']}/tokens"
    token = await good(ada.post(tokens, json={"name": "CI", "scope": "admin"}))
    bearer = {"Authorization": f"Bearer {token['token']}"}

    project = await good(
        ada.post(
            "/projects",
            json={"name": "Made", "repo_url": "https://git.example.com/a/b.git"},
            headers=bearer,
        )
    )

    assert project["team_id"] == team.id
    first = (await good(ada.get("/audit", params={"kind": "project.created"})))["items"][0]
    assert (first["actor"], first["token_id"]) == ("ci", token["id"])
