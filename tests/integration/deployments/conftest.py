from pathlib import Path

import pytest

from autostack.core.db import Database
from tests.integration.deployments.house import House, build


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> House:
    return await build(db, tmp_path)
