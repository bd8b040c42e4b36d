"""The scan for secrets finds those that are some, and cries at nothing else."""

from pathlib import Path

import pytest

from autostack.features.accounts.service.api_tokens import checksum
from tools import scans

RANDOM = "4fH2kPz9QmW7xYb1NcVd8LsRtGa5JeUo3iXq"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("AWS key", "key = AKIA" + "IOSFODNN7EXAMPLE"),
        ("GitHub token", "ghp_" + RANDOM),
        ("Stripe key", "sk_live_" + RANDOM),
        ("npm token", "npm_" + RANDOM),
        ("private key", "-----BEGIN PRIVATE" + f" KEY-----\n{RANDOM}{RANDOM}\n"),
        ("AutoStack token", f"as_{RANDOM}{checksum(RANDOM)}"),
    ],
)
def test_a_secret_is_found_by_its_line(tmp_path: Path, kind: str, text: str) -> None:
    file = tmp_path / "x"
    file.write_text(f"first\n{text}\n")

    assert list(scans.of(file)) == [(kind, 2)]


def test_what_only_looks_like_one_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text(f"as_{RANDOM}000000\nghp_short\n-----BEGIN PRIVATE" + " KEY-----\n…\n")

    assert list(scans.of(file)) == []


def test_this_repository_holds_none() -> None:
    found = scans.secrets()

    assert not found.bad, found.said
