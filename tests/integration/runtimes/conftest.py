from collections.abc import Iterator

import pytest

from tests.integration.runtimes import machines
from tests.integration.runtimes.machines import House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with machines.house(tmp_path_factory.mktemp("machine")) as built:
        yield built
