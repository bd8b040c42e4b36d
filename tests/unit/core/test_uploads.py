"""Which archives of a project go when space runs out."""

import os
from pathlib import Path
from time import time

from autostack.core.uploads import thin_uploads

DAY = 86_400


def test_the_newest_upload_and_what_just_came_stay(tmp_path: Path) -> None:
    for age, name in enumerate(("newest", "older", "oldest")):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (time() - DAY - age, time() - DAY - age))
    (tmp_path / ".incoming-old").write_text("x")
    os.utime(tmp_path / ".incoming-old", (time() - DAY / 2, time() - DAY / 2))
    (tmp_path / ".incoming-now").write_text("x")

    thin_uploads(tmp_path)

    assert {file.name for file in tmp_path.iterdir()} == {"newest", ".incoming-now"}


def test_a_project_without_uploads_is_fine(tmp_path: Path) -> None:
    thin_uploads(tmp_path / "missing")

    assert not (tmp_path / "missing").exists()
