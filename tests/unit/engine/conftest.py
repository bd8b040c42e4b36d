from pathlib import Path

import pytest

from tests.unit.engine.platform import Platform


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(home=tmp_path)
