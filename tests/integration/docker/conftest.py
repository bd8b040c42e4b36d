from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker import TestEngine
from tests.integration.docker.yards import Yard


@pytest.fixture
def yard(docker_engine: TestEngine, tmp_path: Path) -> Iterator[Yard]:
    built = Yard.on(docker_engine, tmp_path)
    yield built
    built.close()
