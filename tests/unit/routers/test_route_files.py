"""The directory Traefik reads, when another hand was at it."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autostack.drivers.routers import documents
from autostack.drivers.routers.traefik import RouteFiles

WHOLE = documents.encode({}, generation=1)
HALF = WHOLE[: len(WHOLE) // 2]
SHOP = uuid4()


@pytest.fixture
def files(tmp_path: Path) -> RouteFiles:
    """With the file of one environment, looked at once."""
    made = RouteFiles(tmp_path)
    made.put(SHOP, WHOLE, 1)
    assert not made.changed()
    return made


def route(files: RouteFiles, environment: UUID) -> Path:
    return files.routes / f"{environment}.yml"


def test_a_half_written_file_is_put_aside_and_told_of_once(files: RouteFiles) -> None:
    route(files, SHOP).write_text(HALF)
    strange = route(files, uuid4())
    strange.write_text(HALF)

    assert files.changed()
    assert not files.changed()
    assert list(files.routes.iterdir()) == []
    assert len(list(files.foreign.iterdir())) == 2


def test_a_file_that_was_removed_or_changed_is_told_of(files: RouteFiles) -> None:
    route(files, SHOP).unlink()
    removed = files.changed()
    files.put(SHOP, WHOLE, 1)
    route(files, SHOP).write_text(documents.encode({}, generation=2))

    assert removed
    assert files.changed()


def test_what_we_write_after_another_hand_hides_no_other_change(files: RouteFiles) -> None:
    strange = route(files, uuid4())
    strange.write_text(HALF)
    files.put(SHOP, documents.encode({}, generation=2), 2)

    assert files.changed()
    assert not strange.exists()
