"""What git says, under LC_ALL=C, in our words."""

import pytest

from autostack.core.addresses import PrivateHosts
from autostack.drivers.sources.messages import explain, is_absent, is_unadvertised, last_line
from autostack.engine.address import parse_address

ADDRESS = parse_address("https://git.example.com/o/r", PrivateHosts())


@pytest.mark.parametrize(
    "said",
    [
        "fatal: could not read Username for 'https://x': terminal prompts disabled",
        "fatal: Authentication failed for 'https://x/'",
        "remote: Repository not found.\nfatal: repository 'https://x/' not found",
        "fatal: unable to access 'https://x/': The requested URL returned error: 403",
        "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
        "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
        "fatal: '/srv/x' does not appear to be a git repository",
        "fatal: https://x/info/refs not valid: is this a git repository?",
    ],
)
def test_a_closed_door_is_one_kind_of_failure(said: str) -> None:
    assert type(explain(said, ADDRESS)).__name__ == "RepositoryDenied"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "no address"),
        (
            "fatal: Failed to connect to x port 443 after 3 ms: Couldn't connect to server",
            "answers",
        ),
        ("ssh: connect to host x port 22: Connection refused", "answers"),
        ("ssh: connect to host x port 22: Connection timed out", "in time"),
        ("error: Operation too slow. Less than 1000 bytes/sec", "in time"),
        ("fatal: SSL certificate problem: self-signed certificate", "certificate"),
        ("Host key verification failed.", "host key"),
        ("error: The requested URL returned error: 503", "error of its own"),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", "broke off"),
        ("fatal: the remote end hung up unexpectedly", "broke off"),
    ],
)
def test_an_unreachable_host_says_why(said: str, reason: str) -> None:
    error = explain(said, ADDRESS)

    assert type(error).__name__ == "RepositoryUnreachable"
    assert reason in str(error)


def test_a_full_disk_and_a_redirect_are_told_apart() -> None:
    full = explain("fatal: write error: No space left on device", ADDRESS)
    moved = explain("fatal: unable to access 'x': The requested URL returned error: 302", ADDRESS)

    assert type(full).__name__ == "OutOfDisk"
    assert type(moved).__name__ == "RepositoryRefused"


def test_a_missing_ref_is_absent_and_not_a_failure_of_the_host() -> None:
    assert is_absent("fatal: couldn't find remote ref refs/heads/x")
    assert is_absent("fatal: remote error: upload-pack: not our ref abc")
    assert is_unadvertised("error: Server does not allow request for unadvertised object abc")
    assert explain("fatal: couldn't find remote ref refs/heads/x", ADDRESS) is None


def test_a_server_cannot_put_words_into_gits_mouth() -> None:
    said = "remote: couldn't find remote ref x\nremote: Could not resolve host\nfatal: odd"

    assert not is_absent(said)
    assert explain(said, ADDRESS) is None


def test_g37_what_is_shown_of_a_strangers_words_is_one_printable_line() -> None:
    shown = last_line("first\nfatal: \x1b]0;x\x07" + "y" * 1000 + "\n")

    assert shown.isprintable()
    assert len(shown) <= 200
