"""Every operation of the api: how it is called with a victim's real ids, and who may.

Written by hand and apart from the table that decides: what is wrong there is wrong here by nobody.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

import httpx
from pyotp.totp import TOTP

from autostack.models.team import Role
from tests.security.api.cast import PASSWORD, PING, REPO, World

Bodies = Callable[[World, str, httpx.AsyncClient], Awaitable[Any]]


class Kind(StrEnum):
    TEAM = "a role in the victim's team"
    SELF = "anybody who is signed in, about themselves"
    PRIVATE = "one person, and nobody else of the team either"
    ROOT = "the platform's administrator"
    PUBLIC = "anybody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`least` is the role of a TEAM call; a `guarded` one needs an admin where the environment is
    protected. `ids` replaces path parameters by the world's under another name, or by a text.
    `whose` may make a PRIVATE call, `others` is what all the others are answered.
    """

    kind: Kind = Kind.TEAM
    least: Role = Role.VIEWER
    guarded: bool = False
    body: Bodies | None = None
    raw: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Values may name the world's proofs, as in `{signature}`."""
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    stream: bool = False
    spends: bool = False
    """Though about oneself, it changes what others of the team may do."""
    whose: str = "owner"
    others: int = 404
    fine: frozenset[int] = frozenset({200})


def says(body: Any) -> Bodies:  # noqa: ANN401 - JSON; "{name}" becomes the world's
    async def filled(world: World, who: str, _client: httpx.AsyncClient) -> Any:  # noqa: ANN401
        known = {**world.ids, **world.proofs}
        if who in world.people:
            known |= {"refresh": world.people[who].refresh, "own": world.people[who].email}
        return {
            key: value.format_map(known) if isinstance(value, str) else value
            for key, value in body.items()
        }

    return filled


def viewer(**more: Any) -> Call:  # noqa: ANN401
    return Call(**more)


def developer(**more: Any) -> Call:  # noqa: ANN401
    return Call(least=Role.DEVELOPER, **more)


def guarded(**more: Any) -> Call:  # noqa: ANN401
    return Call(least=Role.DEVELOPER, guarded=True, **more)


def admin(**more: Any) -> Call:  # noqa: ANN401
    return Call(least=Role.ADMIN, **more)


def own(**more: Any) -> Call:  # noqa: ANN401
    return Call(kind=Kind.SELF, **more)


def public(**more: Any) -> Call:  # noqa: ANN401
    return Call(kind=Kind.PUBLIC, **more)


async def _posted(world: World, who: str, client: httpx.AsyncClient, path: str, body: Any) -> Any:  # noqa: ANN401
    answer = await client.post(path, json=body, headers=world.bearer(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _begun_totp(world: World, who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    made = await _posted(world, who, client, "/auth/totp", {"password": PASSWORD})
    return {"code": TOTP(made["secret"]).now()}


async def _with_totp(world: World, who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    code = await _begun_totp(world, who, client)
    made = await _posted(world, who, client, "/auth/totp/confirm", code)
    return {"password": PASSWORD, "code": made["recovery_codes"][0]}


async def _free_to_go(world: World, who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    """A last owner cannot: first there is another."""
    if who == "owner":
        path = f"/teams/{world.ids['team_id']}/members/{world.people['admin'].user_id}"
        headers = world.bearer(who)
        made = await client.patch(path, json={"role": "owner"}, headers=headers)
        assert made.status_code == 200, made.text
    return {"password": PASSWORD}


async def _emptied(world: World, _who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    """A team with projects stays: the owner moves them away. Nobody else gets that far."""
    mine = (await client.get("/teams", headers=world.bearer("owner"))).json()["items"]
    (personal,) = [one["id"] for one in mine if one["personal"]]
    path = f"/projects/{world.ids['project_id']}/move"
    await _posted(world, "owner", client, path, {"team_id": personal})


async def _one_more_owner(world: World, who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    await _free_to_go(world, who, client)


def _back(world: World, url: str) -> Any:  # noqa: ANN401
    """What a browser brings after somebody new signed in elsewhere."""
    name = uuid4().hex
    code, state = world.provider.allow(url, subject=name, email=f"{name}@example.com")
    return {"code": code, "state": state}


async def _signed_in_elsewhere(world: World, _who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    begun = await client.get("/auth/oauth/oidc")
    assert begun.status_code == 200, begun.text
    return _back(world, begun.json()["url"])


async def _linking(world: World, who: str, client: httpx.AsyncClient) -> Any:  # noqa: ANN401
    begun = await _posted(world, who, client, "/auth/identities/oidc", PROOF)
    return _back(world, begun["url"])


CREDENTIALS = {"email": "{own}", "password": PASSWORD}
PROOF = {"password": PASSWORD}
OIDC = {"provider": "oidc"}
HOOK = {"provider": "github", "token": "hook_token"}
SERVICE = {"user_id": "service_id"}
PERSON = {"user_id": "member_id"}

CALLS: Mapping[str, Call] = {
    "register": public(body=says({"email": "{a stranger's address}", "password": PASSWORD})),
    "login": public(body=says(CREDENTIALS)),
    "open_session": public(body=says(CREDENTIALS)),
    "refresh": public(body=says({"refresh_token": "{refresh}"})),
    "logout": public(body=says({"refresh_token": "{refresh}"})),
    "request_password_reset": public(body=says({"email": "{own}"})),
    "confirm_password_reset": public(
        body=says({"token": "{reset}", "new_password": "four green bicycles"})
    ),
    "confirm_email": public(body=says({"token": "{email}"})),
    "list_providers": public(),
    "begin_oauth": public(ids=OIDC),
    "finish_oauth": public(ids=OIDC, body=_signed_in_elsewhere),
    "open_oauth_session": public(
        ids=OIDC, body=_signed_in_elsewhere, headers={"Sec-Fetch-Site": "same-origin"}
    ),
    "receive_webhook": public(
        ids=HOOK,
        raw=PING,
        headers={"X-GitHub-Event": "ping", "X-Hub-Signature-256": "{signature}"},
        fine=frozenset({202}),
    ),
    "health": public(),
    "ready": public(fine=frozenset({200, 503})),
    "metrics": public(),
    "close_session": own(),
    "me": own(),
    "list_sessions": own(),
    "end_other_sessions": own(),
    "end_session": Call(kind=Kind.PRIVATE),
    "change_password": own(
        body=says({"current_password": PASSWORD, "new_password": "four green bicycles"})
    ),
    "request_email_change": own(body=says({"email": "x-{own}", "password": PASSWORD})),
    "begin_totp": own(body=says(PROOF)),
    "confirm_totp": own(body=_begun_totp),
    "remove_totp": own(body=_with_totp),
    "new_recovery_codes": own(body=_with_totp),
    "list_tokens": own(),
    "create_token": own(body=says({"name": "mine", "scope": "read"})),
    "revoke_token": Call(kind=Kind.PRIVATE),
    "remove_account": own(body=_free_to_go, spends=True),
    "list_identities": own(),
    "begin_link": own(ids=OIDC, body=says(PROOF)),
    "finish_link": own(ids=OIDC, body=_linking),
    "unlink_identity": Call(kind=Kind.PRIVATE),
    "make_plan": own(body=says({"repo_url": REPO})),
    "list_projects": own(),
    "list_deployments": own(query={"project_id": "project_id"}),
    "list_overview": own(),
    "stream_overview": own(stream=True),
    "stream_events": own(stream=True),
    "list_audit": own(query={"project_id": "project_id"}),
    "list_audit_choices": own(),
    "export_audit": own(query={"project_id": "project_id"}),
    "get_disk": Call(kind=Kind.ROOT),
    "list_users": Call(kind=Kind.ROOT),
    "unlock_user": Call(kind=Kind.ROOT, ids=PERSON),
    "reset_totp": Call(kind=Kind.ROOT, ids=PERSON),
    "list_limits": Call(kind=Kind.ROOT),
    "list_teams": own(),
    "create_team": own(body=says({"name": "Mine"})),
    "accept_invitation": Call(
        kind=Kind.PRIVATE, whose="guest", others=403, body=says({"token": "{invitation}"})
    ),
    "get_team": viewer(),
    "list_members": viewer(),
    "leave_team": viewer(body=_one_more_owner),
    "update_team": admin(body=says({"name": "Renamed"})),
    "remove_team": Call(least=Role.OWNER, body=_emptied),
    "change_member": admin(ids={"user_id": "member_id"}, body=says({"role": "developer"})),
    "remove_member": admin(ids={"user_id": "member_id"}),
    "list_invitations": admin(),
    "invite": admin(body=says({"email": "new@example.com"})),
    "revoke_invitation": admin(),
    "create_service_account": admin(body=says({"name": "bot"})),
    "list_service_tokens": admin(ids=SERVICE),
    "create_service_token": admin(ids=SERVICE, body=says({"name": "CI", "scope": "deploy"})),
    "revoke_service_token": admin(ids=SERVICE | {"token_id": "service_token_id"}),
    "create_project": developer(
        body=says({"name": "New", "repo_url": REPO, "team_id": "{team_id}"})
    ),
    "get_project": viewer(),
    "update_project": admin(body=says({"description": "mine"})),
    "remove_project": admin(),
    "move_project": admin(body=says({"team_id": "{team_id}"})),
    "set_credential": admin(body=says({"token": "x"})),
    "forget_credential": admin(),
    "make_deploy_key": admin(),
    "create_hook": admin(body=says({"provider": "gitlab"})),
    "list_hooks": viewer(),
    "list_deliveries": viewer(),
    "rotate_hook": admin(),
    "delete_hook": admin(),
    "list_environments": viewer(),
    "create_environment": developer(body=says({"name": "preview"})),
    "change_environment": admin(ids={"name": "production"}, body=says({"branch": "main"})),
    "remove_environment": guarded(ids={"name": "staging"}),
    "list_variables": viewer(ids={"environment": "production"}),
    "set_variables": guarded(ids={"environment": "production"}, body=says({"dotenv": "A=1"})),
    "set_variable": guarded(
        ids={"environment": "production", "name": "A"}, body=says({"value": "1"})
    ),
    "remove_variable": guarded(ids={"environment": "production", "name": "KEPT"}),
    "upload_source": developer(raw=b"an archive"),
    "create_deployment": guarded(body=says({"project_id": "{project_id}"})),
    "get_deployment": viewer(),
    "follow_deployment": viewer(stream=True),
    "read_deployment_log": viewer(stream=True),
    "cancel_deployment": guarded(),
    "roll_back_to_deployment": guarded(ids={"deployment_id": "done_id"}),
    "roll_back": guarded(body=says({})),
    "restart": guarded(),
    "start": guarded(),
    "stop": guarded(),
    "limit": guarded(body=says({"processes": {"web": {"memory_mb": 128}}})),
    "scale": guarded(body=says({"processes": {"web": 2}})),
    "list_instances": viewer(),
    "list_releases": viewer(),
    "read_traffic": viewer(ids={"name": "production"}),
    "create_run": guarded(body=says({"command": ["true"]})),
    "list_runs": viewer(),
    "get_run": viewer(),
    "cancel_run": guarded(),
    "read_run_log": viewer(stream=True),
    "read_environment_log": viewer(stream=True),
    "get_project_disk": viewer(),
    "get_overview": viewer(),
}
