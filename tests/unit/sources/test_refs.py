"""What a remote offers, and what a commit says."""

from autostack.drivers.sources.notes import lfs, submodules
from autostack.drivers.sources.refs import parse_commit, parse_refs, printable

OFFER = b"""ref: refs/heads/trunk\tHEAD
1111111111111111111111111111111111111111\tHEAD
1111111111111111111111111111111111111111\trefs/heads/trunk
2222222222222222222222222222222222222222\trefs/heads/a
3333333333333333333333333333333333333333\trefs/tags/v1
1111111111111111111111111111111111111111\trefs/tags/v1^{}
4444444444444444444444444444444444444444\trefs/pull/1/head
"""


def test_the_default_branch_is_what_head_stands_on() -> None:
    refs = parse_refs(OFFER)

    assert refs.default == "trunk"
    assert refs.known == ("trunk", "a")
    assert refs.named("v1") == "refs/tags/v1"
    assert refs.named("a") == "refs/heads/a"
    assert refs.named("b") is None


def test_a_server_that_does_not_say_leaves_the_usual_names() -> None:
    refs = parse_refs(b"11\tHEAD\n11\trefs/heads/a\n11\trefs/heads/master\n")

    assert refs.default == "master"


def test_nothing_offered_is_an_empty_repository() -> None:
    assert parse_refs(b"").empty


def test_a_commit_with_odd_bytes_is_still_read() -> None:
    commit = parse_commit(
        b"aa\0Ad\xffa\0" + b"2026-01-01T00:00:00+02:00\0Say \x1b[31mhello\n\nmore\n"
    )

    assert commit.message.startswith("Say")
    assert commit.committed_at.isoformat() == "2026-01-01T00:00:00+02:00"
    assert printable(commit.message) == "Say [31mhello"


def test_submodules_and_lfs_are_named() -> None:
    assert "'lib/x'" in submodules('[submodule "x"]\n\tpath = lib/x\n\turl = ../x\n')[0]
    assert lfs("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    assert not submodules("")
    assert not lfs("*.txt text\n")
