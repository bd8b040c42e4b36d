"""A victim: a team with everything in it, people of every role, and strangers. Made by the
services themselves in one transaction, so that many can be made.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import utc_now
from autostack.core.crypto import Sealer, Vault
from autostack.core.db import Database
from autostack.core.home import Home
from autostack.core.uploads import upload_folder
from autostack.engine import facts
from autostack.engine.plan import Family, Plan, Process
from autostack.engine.release import Artifact, Status
from autostack.features.accounts import repository as rows
from autostack.features.accounts import service as accounts
from autostack.features.accounts import tokens
from autostack.features.accounts.service import sessions, signing_in
from autostack.features.accounts.service.values import Origin
from autostack.features.accounts.tokens import Signer
from autostack.features.deployments import service as deployments
from autostack.features.environments import service as environments
from autostack.features.membership import service as membership
from autostack.features.projects import service as projects
from autostack.features.runs import service as runs
from autostack.features.variables import service as variables
from autostack.features.webhooks import service as webhooks
from autostack.models.api_token import Scope
from autostack.models.environment import Environment
from autostack.models.hook import Provider as Forge
from autostack.models.identity import Identity
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.route import Route
from autostack.models.team import Membership, Role
from autostack.models.user import User
from tests.oidc import Provider

PING = b'{"zen": "Walk before you run."}'
PASSWORD = "three blue bicycles"
REPO = "https://git.example.com/ada/shop.git"
ROLES = {
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "developer": Role.DEVELOPER,
    "viewer": Role.VIEWER,
}
STRANGERS = ("other", "guest", "root")
"""Of another team, invited into this one, and the platform's administrator."""
PLAN = Plan(family=Family.PYTHON, processes=(Process(name="web", command=("serve",)),))
_HERE = Origin(address="127.0.0.1", user_agent="walk")


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a world is made in."""

    db: Database
    signer: Signer
    sealer: Sealer
    vault: Vault
    home: Home
    provider: Provider
    hashed: str = field(repr=False)
    """Of PASSWORD, made once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    user_id: UUID
    email: str
    session_id: UUID
    refresh: str = field(repr=False)
    bearer: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`ids` are what the paths of the api are filled with; `proofs` what is told to somebody."""

    people: Mapping[str, Actor]
    ids: Mapping[str, str]
    proofs: Mapping[str, str] = field(repr=False)
    provider: Provider = field(repr=False)

    def bearer(self, who: str) -> dict[str, str]:
        """Nobody's is empty; `read token` and `token for another` are tokens of the owner."""
        if who == "anonymous":
            return {}
        found = self.people[who].bearer if who in self.people else self.proofs[who]
        return {"Authorization": f"Bearer {found}"}

    @property
    def secret_ids(self) -> frozenset[str]:
        """What no stranger may be answered with."""
        return frozenset(self.ids.values()) - {"production"}


async def make_world(house: House, *, protected: bool = False) -> World:
    async with house.db.transaction() as session:
        return await _Making(house, session).world(protected=protected)


class _Making:
    """Steps of one world, in one transaction."""

    def __init__(self, house: House, session: AsyncSession) -> None:
        self._house = house
        self._session = session
        self._now = utc_now()
        self._mark = uuid4().hex[:12]
        self._users: dict[str, User] = {}
        self._ids: dict[str, str] = {}
        self._proofs: dict[str, str] = {}

    async def world(self, *, protected: bool) -> World:
        people = {who: await self._person(who) for who in (*ROLES, *STRANGERS)}
        self._users["root"].is_admin = True
        project, place = await self._team(protected=protected)
        await self._deployed(project, place)
        await self._keys(project)
        await self._letters()
        await self._doors(project, place)
        self._ids["session_id"] = str(people["owner"].session_id)
        self._ids["member_id"] = str(people["viewer"].user_id)
        return World(
            people=people, ids=self._ids, proofs=self._proofs, provider=self._house.provider
        )

    async def _person(self, who: str) -> Actor:
        session, now = self._session, self._now
        email = f"{who}-{self._mark}@example.com"
        user = await signing_in.found(
            session, email=email, hashed=self._house.hashed, is_admin=False, now=now
        )
        self._users[who] = user
        begun = await sessions.begin(session, user, _HERE, device="", now=now)
        bearer = self._house.signer.sign(begun.claim, "access", now=now, life=timedelta(minutes=30))
        return Actor(
            user_id=user.id,
            email=email,
            session_id=begun.session.id,
            refresh=begun.refresh,
            bearer=bearer,
        )

    async def _team(self, *, protected: bool) -> tuple[Project, Environment]:
        session, now, owner = self._session, self._now, self._users["owner"]
        team = await membership.found(session, name=f"Shop {self._mark}", by=owner, now=now)
        for who, role in ROLES.items():
            if who != "owner":
                session.add(Membership(team_id=team.id, user_id=self._users[who].id, role=role))
        name = f"shop-{self._mark}"
        project = await projects.create(
            session, name=name, repo_url=REPO, by=owner, now=now, team_id=team.id
        )
        staging = await environments.create(
            session, project, name="staging", branch=None, by=owner, now=now
        )
        place = await environments.get(session, project, "production")
        place.protected = staging.protected = protected
        values = {"KEPT": "secret"}
        for one in (place, staging):
            await variables.put(
                session, project, one, values, sealer=self._house.sealer, by=owner, now=now
            )
        self._ids |= {
            "team_id": str(team.id),
            "project_id": str(project.id),
            "environment_id": str(place.id),
            "staging_id": str(staging.id),
        }
        return project, place

    async def _deployed(self, project: Project, place: Environment) -> None:
        """Two releases, the second live; a finished deployment, a waiting one, and a run."""
        session, now, owner = self._session, self._now, self._users["owner"]
        done = await deployments.request(session, project, place, now=now, by=owner.id)
        old, new = (self._release(place, number) for number in (1, 2))
        session.add_all([old, new])
        await session.flush()
        done.status, done.release_id = Status.SUCCESS, old.id
        done.finished_at = done.settled_at = now
        session.add(
            Route(
                environment_id=place.id,
                generation=1,
                release_id=new.id,
                deployment_id=done.id,
                targets=[],
                changed_at=now,
            )
        )
        await session.flush()
        run = await runs.request(session, place, command=["true"], seconds=60, by=owner.id, now=now)
        waiting = await deployments.request(session, project, place, now=now, by=owner.id)
        self._ids |= {
            "deployment_id": str(waiting.id),
            "done_id": str(done.id),
            "run_id": str(run.id),
        }

    def _release(self, place: Environment, number: int) -> Release:
        artifact = Artifact(id=f"one-{number}", kind="directory", location="/artifacts/one")
        return Release(
            id=uuid4(),
            environment_id=place.id,
            number=number,
            commit_sha="a" * 40,
            plan=facts.dump(PLAN),
            artifact=facts.dump(artifact),
            configuration=b"",
            created_at=self._now,
        )

    async def _keys(self, project: Project) -> None:
        """Tokens of the owner and of a service account, and an upload."""
        owner, team_id = self._users["owner"], project.team_id
        another = await projects.create(
            self._session, name="another", repo_url=REPO, by=owner, now=self._now
        )
        service = await membership.make_service_account(
            self._session, team_id, name="ci", role=Role.DEVELOPER, by=owner, now=self._now
        )
        own, self._ids["token_id"] = await self._token(owner, Scope.READ, None)
        other, _ = await self._token(owner, Scope.ADMIN, another.id)
        ci, self._ids["service_token_id"] = await self._token(service, Scope.DEPLOY, None)
        self._ids["service_id"] = str(service.id)
        self._proofs |= {"read token": own, "token for another": other, "service": ci}
        folder = upload_folder(self._house.home, project.id)
        folder.mkdir(parents=True, exist_ok=True)

    async def _token(self, user: User, scope: Scope, project_id: UUID | None) -> tuple[str, str]:
        made = await accounts.make_token(
            self._session,
            user,
            name="walk",
            scope=scope,
            project_id=project_id,
            life=timedelta(days=1),
            now=self._now,
        )
        return made.token, str(made.row.id)

    async def _letters(self) -> None:
        """What invitations and mail links carry."""
        session, now, owner = self._session, self._now, self._users["owner"]
        made = await membership.invite(
            session,
            UUID(self._ids["team_id"]),
            email=self._users["guest"].email,
            role=Role.VIEWER,
            by=owner,
            as_=Role.OWNER,
            by_mail=False,
            now=now,
        )
        begun = await accounts.begin_reset(session, owner.email, now=now)
        assert begun is not None
        end = now + timedelta(hours=1)
        wish = f"new-{self._mark}@example.com"
        await rows.set_email_change(session, owner.id, wish, now=now, expires_at=end)
        change = await accounts.begin_email_change(session, owner.id, now=now)
        assert change is not None
        assert change.token is not None
        self._ids["invitation_id"] = str(made.row.id)
        self._proofs |= {"invitation": made.token, "reset": begun[1], "email": change.token}
        self._proofs["a stranger's address"] = f"somebody-{self._mark}@example.com"

    async def _doors(self, project: Project, place: Environment) -> None:
        """A push hook, and an account elsewhere that signs the owner in."""
        made = await webhooks.create(
            self._session,
            project,
            place,
            provider=Forge.GITHUB,
            vault=self._house.vault,
            by=self._users["owner"],
            now=self._now,
        )
        identity = Identity(
            id=uuid4(),
            user_id=self._users["owner"].id,
            provider="oidc",
            issuer=self._house.provider.issuer,
            subject=f"owner-{self._mark}",
            token=b"",
            created_at=self._now,
            used_at=self._now,
        )
        self._session.add(identity)
        signature = hmac.new(made.secret.encode(), PING, "sha256").hexdigest()
        self._ids |= {
            "hook_id": str(made.hook.id),
            "hook_token": made.token,
            "identity_id": str(identity.id),
        }
        self._proofs["signature"] = f"sha256={signature}"


def hashed_once() -> str:
    """argon2 as the platform hashes, which is slow on purpose."""
    from pwdlib import PasswordHash  # noqa: PLC0415 - once

    return PasswordHash.recommended().hash(PASSWORD)


__all__ = ["Actor", "House", "World", "hashed_once", "make_world", "tokens"]
