"""Keys that are changed while the platform runs, and values that are revoked."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from autostack.core import crypto
from autostack.core.clock import utc_now
from autostack.core.crypto import Opener, Sealer, SealKeyMissing
from autostack.core.keyring import SETTLED, Followed, Keyring, RotationUnderWay
from autostack.engine.release import Status
from autostack.features.accounts import service as accounts
from autostack.features.accounts.passwords import Passwords
from autostack.features.deployments import service, tasks
from autostack.features.deployments.resealing import Resealing, left
from autostack.features.deployments.tasks import Works
from autostack.features.projects import service as projects
from autostack.features.variables import service as variables
from autostack.features.variables.errors import ValueRevoked, VariableNotFound
from autostack.models.deployment import Kind
from autostack.models.release import Release
from autostack.models.user import User
from autostack.models.variable import Variable
from tests.integration.deployments.house import House


@dataclass
class Vault:
    """A house whose keys lie in files, and who works there."""

    house: House
    works: Works
    ring: Keyring
    sealer: Sealer
    by: User

    @property
    def resealing(self) -> Resealing:
        return Resealing(
            self.house.db, self.ring, opener=self.works.opener, sealer=self.works.sealer
        )

    async def set(self, **values: str) -> None:
        async with self.house.db.transaction() as session:
            await variables.put(
                session,
                self.house.project,
                self.house.environment,
                values,
                sealer=self.sealer,
                by=self.by,
                now=utc_now(),
            )

    async def remove(self, name: str, *, revoke: bool = False) -> None:
        async with self.house.db.transaction() as session:
            await variables.remove(
                session,
                self.house.project,
                self.house.environment,
                name,
                by=self.by,
                now=utc_now(),
                revoke=revoke,
            )

    async def deploy(self) -> Release:
        deployment = await self.house.request()
        await tasks.run(self.works, deployment)
        await tasks.settle(self.works, deployment)
        async with self.house.db.transaction() as session:
            row = await self.house.row(deployment)
            assert row.status is Status.SUCCESS, row.error_message
            return await session.get_one(Release, row.release_id)

    async def roll_back(self, release: Release) -> None:
        async with self.house.db.transaction() as session:
            await service.roll_back(
                session,
                self.house.project,
                self.house.environment,
                release_id=release.id,
                by=None,
                now=utc_now(),
            )

    async def opened(self) -> Mapping[str, str]:
        async with self.house.db.transaction() as session:
            environment = self.house.environment.id
            return (await variables.opened(session, environment, self.works.opener)).values

    async def left(self) -> int:
        async with self.house.db.transaction() as session:
            return await left(session, self.works.sealer)

    def keys(self) -> int:
        return len(self.ring.private)

    def age(self) -> None:
        """Long ago is when the newest key was put into force."""
        file = self.ring.folder / "seal.pub"
        then = file.stat().st_mtime - SETTLED - 1
        os.utime(file, (then, then))


@pytest.fixture
async def vault(house: House, works: Works, tmp_path: Path) -> Vault:
    private, public = crypto.generate()
    (tmp_path / "seal.key").write_text(private)
    (tmp_path / "seal.pub").write_text(public)
    ring = Keyring(tmp_path)
    opener = Opener(ring.private, again=lambda: ring.private)
    sealer = Sealer(public, now=Followed(tmp_path / "seal.pub"))
    by = await accounts.create_user(
        house.db,
        Passwords(),
        email="ada@example.com",
        password="three blue bicycles",
        is_admin=True,
        now=utc_now(),
    )
    mine = replace(works, opener=opener, sealer=sealer)
    return Vault(house=house, works=mine, ring=ring, sealer=sealer, by=by)


async def test_a_new_key_seals_what_is_stored_anew_and_the_old_one_goes(vault: Vault) -> None:
    await vault.set(A="one", B="two")
    release = await vault.deploy()
    async with vault.house.db.transaction() as session:
        project = await session.get_one(type(vault.house.project), vault.house.project.id)
        await projects.set_token(
            session, project, username="", token="t0ken", sealer=vault.sealer, by=vault.by,
            now=utc_now(),
        )  # fmt: skip
    [old] = vault.ring.private
    assert await vault.left() == 0

    vault.ring.begin()
    assert await vault.left() == 4
    await vault.resealing.once()

    assert await vault.left() == 0
    assert vault.keys() == 2, "somebody may still seal with the old one"
    vault.age()
    await vault.resealing.once()
    assert old not in vault.ring.private
    assert vault.keys() == 1
    fresh = Opener(vault.ring.private)
    async with vault.house.db.transaction() as session:
        found = await variables.opened(session, vault.house.environment.id, fresh)
        project = await session.get_one(type(vault.house.project), vault.house.project.id)
        again = await session.get_one(Release, release.id)
    assert found.values == {"A": "one", "B": "two"}
    kept = projects.credential(project, fresh)
    assert kept is not None
    assert kept.token == "t0ken"
    with pytest.raises(SealKeyMissing):
        Opener([old]).open(again.configuration, context=f"configuration:{again.environment_id}")


async def test_what_is_set_during_a_rotation_is_readable_without_a_restart(vault: Vault) -> None:
    await vault.set(A="before")

    vault.ring.begin()
    await vault.set(B="after")

    assert await vault.opened() == {"A": "before", "B": "after"}
    assert await vault.left() == 1


async def test_a_rotation_that_was_cut_off_is_completed(vault: Vault) -> None:
    await vault.set(A="one")
    vault.ring.begin()
    (vault.ring.folder / "seal.pub").write_text(crypto.public_of(vault.ring.private[1]))

    await vault.resealing.once()

    assert vault.ring.public == crypto.public_of(vault.ring.private[0])
    assert await vault.opened() == {"A": "one"}
    assert await vault.left() == 0
    with pytest.raises(RotationUnderWay):
        vault.ring.begin()


@pytest.mark.attack("S02")
async def test_a_value_that_does_not_open_keeps_the_old_key(vault: Vault) -> None:
    await vault.set(A="one", B="two")
    async with vault.house.db.transaction() as session:
        row = (await session.scalars(select(Variable).where(Variable.name == "A"))).one()
        row.sealed = row.sealed[:-1] + bytes([row.sealed[-1] ^ 1])
    vault.ring.begin()

    await vault.resealing.once()
    vault.age()
    await vault.resealing.once()

    assert await vault.left() == 1
    assert vault.keys() == 2


@pytest.mark.attack("S02")
async def test_a_changed_value_fails_the_deployment_and_never_empties_it(vault: Vault) -> None:
    await vault.set(A="one", B="two")
    first = await vault.deploy()
    async with vault.house.db.transaction() as session:
        await session.execute(
            update(Variable).where(Variable.name == "A").values(sealed=first.configuration)
        )

    deployment = await vault.house.request()
    await tasks.run(vault.works, deployment)

    row = await vault.house.row(deployment)
    assert row.status is Status.FAILED
    assert row.error_message is not None
    assert "cannot be opened" in row.error_message


async def test_a_release_with_a_revoked_value_is_not_brought_back(vault: Vault) -> None:
    await vault.set(API_KEY="leaked", OTHER="x")
    leaked = await vault.deploy()
    await vault.remove("API_KEY", revoke=True)
    without = await vault.deploy()
    await vault.set(API_KEY="fresh")
    fresh = await vault.deploy()

    with pytest.raises(ValueRevoked, match=f"Release {leaked.number} carries a value of API_KEY"):
        await vault.roll_back(leaked)

    await vault.roll_back(without)
    assert fresh.variables == {"API_KEY": 2, "OTHER": 1}
    assert (await vault.house.latest()).kind is Kind.ROLLBACK


async def test_a_rollback_that_was_asked_for_before_is_refused_too(vault: Vault) -> None:
    await vault.set(API_KEY="leaked")
    leaked = await vault.deploy()
    await vault.set(API_KEY="fresh")
    await vault.deploy()
    await vault.roll_back(leaked)
    await vault.remove("API_KEY", revoke=True)

    waiting = await vault.house.latest()
    await tasks.run(vault.works, waiting.id)

    row = await vault.house.row(waiting.id)
    assert row.status is Status.FAILED
    assert row.error_message is not None
    assert "revoked" in row.error_message


async def test_what_was_only_removed_comes_back_with_its_release(vault: Vault) -> None:
    await vault.set(A="1")
    first = await vault.deploy()
    await vault.remove("A")
    await vault.deploy()

    await vault.roll_back(first)

    with pytest.raises(VariableNotFound):
        await vault.remove("NEVER", revoke=True)


async def test_what_was_removed_can_be_revoked_afterwards(vault: Vault) -> None:
    await vault.set(A="1")
    first = await vault.deploy()
    await vault.remove("A")
    await vault.remove("A", revoke=True)

    with pytest.raises(ValueRevoked):
        await vault.roll_back(first)


async def test_a_release_of_before_versions_were_kept_counts_as_carrying_it(vault: Vault) -> None:
    await vault.set(A="1")
    first = await vault.deploy()
    async with vault.house.db.transaction() as session:
        await session.execute(
            update(Release).values(variables=None, created_at=utc_now() - timedelta(days=1))
        )
    await vault.remove("A", revoke=True)

    with pytest.raises(ValueRevoked):
        await vault.roll_back(first)
