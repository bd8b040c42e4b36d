from collections.abc import Iterator

import pytest

from autostack.core.db import Database
from autostack.core.settings import Settings
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import Mail
from tests.mailbox import Mailbox, mailbox


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, box: Mailbox) -> Settings:
    return settings.model_copy(update={"smtp_url": f"smtp+plain://127.0.0.1:{box.port}"})


@pytest.fixture
def mail(box: Mailbox, db: Database, database_url: str, clock: FakeClock) -> Mail:
    return Mail(box, database_url, db, clock)
