"""What a role may do: one table with every operation of the api, and one decision. Pure.

What is not in the table is refused, and tests/unit/features/test_roles.py fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from autostack.features.teams.errors import IdInvalid, RoleTooLow
from autostack.models.team import Role

RISING = (Role.VIEWER, Role.DEVELOPER, Role.ADMIN, Role.OWNER)


class About(StrEnum):
    """What an operation is about, and the parameter that names it."""

    NOBODY = "nobody"
    """Who asks need not be known."""
    SELF = "self"
    """The reader's own account, or lists that show what their teams have."""
    TEAM = "team_id"
    PROJECT = "project_id"
    ENVIRONMENT = "environment_id"
    DEPLOYMENT = "deployment_id"
    RUN = "run_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`guarded`: it acts on an environment, which may be protected. `place` is the parameter with
    that environment's name where a project is named. `into` is the role needed in the team that
    the body names as `team_id`, or in the reader's own.
    """

    about: About
    least: Role = Role.VIEWER
    guarded: bool = False
    place: str | None = None
    by_body: bool = False
    into: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One thing a request names. `place` is the name of an environment in a project."""

    about: About
    id: UUID
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A role that is needed in the team of what is named; None is the reader's own team."""

    named: Named | None
    least: Role
    guarded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a reader is in the team of something, and whether that is protected."""

    team_id: UUID
    team: str
    role: Role
    protected: bool = False


def _each(*operations: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(operations, rule)


_VIEWER, _DEVELOPER, _ADMIN = Role.VIEWER, Role.DEVELOPER, Role.ADMIN

RULES: Mapping[str, Rule] = {
    **_each(
        "register",
        "login",
        "refresh",
        "logout",
        "open_session",
        "request_password_reset",
        "confirm_password_reset",
        "confirm_email",
        "list_providers",
        "begin_oauth",
        "finish_oauth",
        "open_oauth_session",
        "receive_webhook",
        "health",
        "ready",
        "metrics",
        rule=Rule(about=About.NOBODY),
    ),
    **_each(
        "close_session",
        "me",
        "list_sessions",
        "end_other_sessions",
        "end_session",
        "change_password",
        "request_email_change",
        "begin_totp",
        "confirm_totp",
        "remove_totp",
        "new_recovery_codes",
        "list_tokens",
        "create_token",
        "revoke_token",
        "remove_account",
        "list_identities",
        "begin_link",
        "finish_link",
        "unlink_identity",
        "make_plan",
        "list_projects",
        "list_deployments",
        "list_overview",
        "stream_overview",
        "stream_events",
        "list_audit",
        "list_audit_choices",
        "export_audit",
        "get_disk",
        "list_users",
        "unlock_user",
        "reset_totp",
        "list_limits",
        "list_teams",
        "create_team",
        "accept_invitation",
        rule=Rule(about=About.SELF),
    ),
    "create_project": Rule(about=About.SELF, into=_DEVELOPER),
    **_each("get_team", "list_members", "leave_team", rule=Rule(about=About.TEAM)),
    **_each(
        "update_team",
        "change_member",
        "remove_member",
        "list_invitations",
        "invite",
        "revoke_invitation",
        "create_service_account",
        "list_service_tokens",
        "create_service_token",
        "revoke_service_token",
        rule=Rule(about=About.TEAM, least=_ADMIN),
    ),
    "remove_team": Rule(about=About.TEAM, least=Role.OWNER),
    "move_project": Rule(about=About.PROJECT, least=_ADMIN, into=_DEVELOPER),
    **_each(
        "get_project",
        "list_environments",
        "get_overview",
        "get_project_disk",
        "read_traffic",
        "list_variables",
        "list_hooks",
        "list_deliveries",
        rule=Rule(about=About.PROJECT),
    ),
    **_each(
        "create_environment", "upload_source", rule=Rule(about=About.PROJECT, least=_DEVELOPER)
    ),
    **_each(
        "update_project",
        "remove_project",
        "set_credential",
        "forget_credential",
        "make_deploy_key",
        "create_hook",
        "rotate_hook",
        "delete_hook",
        "change_environment",
        rule=Rule(about=About.PROJECT, least=_ADMIN),
    ),
    "remove_environment": Rule(about=About.PROJECT, least=_DEVELOPER, guarded=True, place="name"),
    **_each(
        "set_variables",
        "set_variable",
        "remove_variable",
        rule=Rule(about=About.PROJECT, least=_DEVELOPER, guarded=True, place="environment"),
    ),
    "create_deployment": Rule(
        about=About.PROJECT, least=_DEVELOPER, guarded=True, place="environment", by_body=True
    ),
    **_each(
        "list_instances",
        "list_releases",
        "list_runs",
        "read_environment_log",
        rule=Rule(about=About.ENVIRONMENT),
    ),
    **_each(
        "roll_back",
        "restart",
        "start",
        "stop",
        "limit",
        "scale",
        "create_run",
        rule=Rule(about=About.ENVIRONMENT, least=_DEVELOPER, guarded=True),
    ),
    **_each(
        "get_deployment",
        "follow_deployment",
        "read_deployment_log",
        rule=Rule(about=About.DEPLOYMENT),
    ),
    **_each(
        "cancel_deployment",
        "roll_back_to_deployment",
        rule=Rule(about=About.DEPLOYMENT, least=_DEVELOPER, guarded=True),
    ),
    **_each("get_run", "read_run_log", rule=Rule(about=About.RUN)),
    "cancel_run": Rule(about=About.RUN, least=_DEVELOPER, guarded=True),
}

_ID = TypeAdapter(UUID)
_PRODUCTION = "production"


def at_least(role: Role, least: Role) -> bool:
    return RISING.index(role) >= RISING.index(least)


def from_on(least: Role) -> tuple[Role, ...]:
    """This role and all above it."""
    return RISING[RISING.index(least) :]


def reads_body(operation: str) -> bool:
    """Only of operations that name something there: others may be large."""
    rule = RULES.get(operation)
    return rule is not None and (rule.by_body or rule.into is not None)


def demands(rule: Rule, *, path: Mapping[str, object], body: object) -> tuple[Demand, ...]:
    """Every role a request needs, and where."""
    fields: Mapping[str, object] = {}
    if isinstance(body, dict):
        fields = cast("dict[str, object]", body)
    found: list[Demand] = []
    if rule.about not in {About.NOBODY, About.SELF}:
        named = _named(rule, fields if rule.by_body else path)
        found.append(Demand(named=named, least=rule.least, guarded=rule.guarded))
    if rule.into is not None:
        team = fields.get("team_id")
        where = None if team is None else Named(about=About.TEAM, id=_id("team_id", team))
        found.append(Demand(named=where, least=rule.into))
    return tuple(found)


def _named(rule: Rule, fields: Mapping[str, object]) -> Named:
    place = str(fields.get(rule.place, _PRODUCTION)) if rule.place else None
    return Named(
        about=rule.about, id=_id(rule.about.value, fields.get(rule.about.value)), place=place
    )


def _id(name: str, value: object) -> UUID:
    """By the same parser as the operation's own: no other reading of a text leads elsewhere."""
    try:
        return _ID.validate_python(value)
    except ValidationError:
        raise IdInvalid(name) from None


def check(demand: Demand, standing: Standing) -> None:
    """`RoleTooLow` says which role is needed, and why."""
    least = demand.least
    protected = demand.guarded and standing.protected
    if protected and not at_least(least, Role.ADMIN):
        least = Role.ADMIN
    if not at_least(standing.role, least):
        raise RoleTooLow(
            needed=least.value, has=standing.role.value, team=standing.team, protected=protected
        )
