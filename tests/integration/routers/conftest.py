from collections.abc import Generator

import pytest

from tests.integration.routers import edges
from tests.integration.routers.edges import RealEdge


@pytest.fixture(scope="session")
def edge() -> Generator[RealEdge]:
    with edges.edge() as running:
        yield running
