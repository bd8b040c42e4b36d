import pytest

from tests.integration.api.conftest import Account
from tests.integration.api.teams.teams import Team, make_team


@pytest.fixture
async def team(ada: Account) -> Team:
    return await make_team(ada)
