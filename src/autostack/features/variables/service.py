"""Configuration of an environment: written by the api, readable by the worker only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.crypto import Opener, Sealer
from autostack.features.events import service as events
from autostack.features.variables import dotenv, repository
from autostack.features.variables.errors import (
    ValueRevoked,
    VariableNameInvalid,
    VariableNotFound,
    VariableReserved,
    VariablesTooLarge,
)
from autostack.features.variables.schemas import LARGEST
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.user import User
from autostack.models.variable import Variable, VariablePast

MOST = 500
# The kernel gives a new program's environment a quarter of its 8 MB stack at most; most need less.
LARGEST_TOGETHER = 512 * 1024

CHANGED = "variables.changed"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_RESERVED = frozenset({"PORT"})
_OURS = "AUTOSTACK_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is set, and of which version each is."""

    values: Mapping[str, str] = field(repr=False)
    versions: Mapping[str, int]


def check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise VariableNameInvalid(name)
    if name in _RESERVED or name.startswith(_OURS):
        raise VariableReserved(name)
    return name


async def of_environment(session: AsyncSession, environment: Environment) -> Sequence[Variable]:
    return await repository.of_environment(session, environment.id)


async def put(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    values: Mapping[str, str],
    *,
    sealer: Sealer,
    by: User,
    now: datetime,
    replace: bool = False,
) -> None:
    """Seal and keep; `replace` also removes the names that are not given."""
    for name, value in values.items():
        check_name(name)
        if len(value.encode()) > LARGEST:
            raise VariablesTooLarge(f"{LARGEST} bytes in one variable")
    if replace:
        await repository.keep_only(session, environment.id, values)
    if values:
        sealed = [
            (name, sealer.seal(value.encode(), context=place(environment.id, name)))
            for name, value in sorted(values.items())
        ]
        await repository.put(session, environment.id, sealed, by=by.id, now=now)
    await _check_size(session, environment)
    await _tell(session, project, environment, sorted(values), by=by, now=now)


async def put_dotenv(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    text: str,
    *,
    sealer: Sealer,
    by: User,
    now: datetime,
    replace: bool,
) -> None:
    values = dotenv.parse(text)
    await put(session, project, environment, values, sealer=sealer, by=by, now=now, replace=replace)


async def remove(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    name: str,
    *,
    by: User,
    now: datetime,
    revoke: bool = False,
) -> None:
    """`revoke` also keeps releases that carry it from being brought back; it may be asked for
    after it was removed.
    """
    gone = await repository.remove(session, environment.id, name)
    known = revoke and await repository.revoke(session, environment.id, name, now=now)
    if not gone and not known:
        raise VariableNotFound(name)
    kind = "variables.revoked" if revoke else CHANGED
    await _tell(session, project, environment, [name], by=by, now=now, kind=kind)


async def opened(session: AsyncSession, environment_id: UUID, opener: Opener) -> Opened:
    """For the worker: names and values. One that does not open fails all of it."""
    rows = await repository.of_environment(session, environment_id)
    return Opened(
        values={
            row.name: opener.open(row.sealed, context=place(environment_id, row.name)).decode()
            for row in rows
        },
        versions={row.name: row.version for row in rows},
    )


async def check_not_revoked(session: AsyncSession, release: Release) -> None:
    """`ValueRevoked` when the release carries what was revoked meanwhile."""
    for past in await repository.revoked(session, release.environment_id):
        if _carries(release, past):
            raise ValueRevoked(past.name, release.number)


def _carries(release: Release, past: VariablePast) -> bool:
    if release.variables is None:
        # Nobody wrote down what it carries, so it counts as carrying what there was at its time.
        return past.revoked_at is not None and release.created_at < past.revoked_at
    return 0 < int(release.variables.get(past.name, 0)) <= past.revoked


def place(environment_id: UUID, name: str) -> str:
    return f"variable:{environment_id}:{name}"


async def _check_size(session: AsyncSession, environment: Environment) -> None:
    count, size = await repository.size(session, environment.id)
    if count > MOST:
        raise VariablesTooLarge(f"{MOST} variables")
    if size > LARGEST_TOGETHER:
        raise VariablesTooLarge(f"{LARGEST_TOGETHER} bytes of variables")


async def _tell(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    names: Sequence[str],
    *,
    by: User,
    now: datetime,
    kind: str = CHANGED,
) -> None:
    await events.emit(
        session,
        kind,
        team_id=project.team_id,
        project_id=project.id,
        actor_id=by.id,
        data={"environment": environment.name, "names": list(names)},
        now=now,
    )
