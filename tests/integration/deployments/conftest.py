from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from autostack.core.crypto import Opener, Sealer, generate
from autostack.core.db import Database
from autostack.features.deployments import orders
from autostack.features.deployments.tasks import Works
from tests.integration.deployments.house import House, build


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> House:
    return await build(db, tmp_path)


@pytest.fixture
def works(house: House) -> Works:
    private, public = generate()
    opener = Opener([private])

    def unseal(environment_id: UUID, sealed: bytes) -> dict[str, str]:
        return orders.unpack(opener.open(sealed, context=orders.context(environment_id)))

    return Works(
        db=house.db,
        site=replace(house.site, open=unseal),
        tools=house.tools,
        opener=opener,
        sealer=Sealer(public),
        worker="one",
        forget=forget,
    )


async def forget(key: UUID) -> None:
    """The fake source keeps nothing."""
