"""Revisions are found by reading files, without Alembic."""

from pathlib import Path

import pytest

from autostack.migrations.runner import head, revisions


def write(folder: Path, number: str, before: str | None) -> None:
    down = f'"{before}"' if before else "None"
    text = f'revision = "{number}"\ndown_revision: str | None = {down}\n'
    (folder / f"{number}_x.py").write_text(text)


def test_the_head_is_the_one_nothing_follows(tmp_path: Path) -> None:
    write(tmp_path, "0002", "0001")
    write(tmp_path, "0001", None)

    assert head(revisions(tmp_path)) == "0002"


def test_two_heads_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, "0001", None)
    write(tmp_path, "0002", "0001")
    write(tmp_path, "0003", "0001")

    with pytest.raises(ValueError, match="too many"):
        head(revisions(tmp_path))


def test_our_own_revisions_form_one_line() -> None:
    known = revisions()

    assert known["0001"] is None
    assert head(known)
