"""Trees are copied and sealed without ever leaving them."""

import os
import stat
from pathlib import Path
from threading import Event

import pytest

from autostack.drivers.builders import trees
from autostack.drivers.builders.threads import Stopped
from autostack.engine.errors import TreeRefused

NOBODY = trees.Owner()


def test_a_copy_keeps_links_as_links_and_programs_as_programs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    (source / "a" / "run").write_text("x")
    (source / "a" / "run").chmod(0o4777)
    (source / "away").symlink_to("/etc")
    os.mkfifo(source / "pipe")

    trees.copy(source, tmp_path / "to", owner=NOBODY, skip=trees.nothing, stop=Event())

    assert (tmp_path / "to" / "away").is_symlink()
    assert stat.S_IMODE((tmp_path / "to" / "a" / "run").stat().st_mode) == 0o755
    assert sorted(os.listdir(tmp_path / "to")) == ["a", "away"]  # noqa: PTH208


def test_a_copy_ends_when_nobody_wants_it_any_more(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "file").touch()
    stop = Event()
    stop.set()

    with pytest.raises(Stopped):
        trees.copy(
            tmp_path / "source", tmp_path / "to", owner=NOBODY, skip=trees.nothing, stop=stop
        )


@pytest.mark.attack("G26")
def test_a_seal_takes_modes_back_and_drops_what_is_no_file(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "shut").mkdir(parents=True)
    (top / "shut" / "file").write_text("x" * 5000)
    (top / "shut" / "file").chmod(0o6777)
    (top / "shut").chmod(0)
    os.mkfifo(top / "pipe")

    size = trees.seal(top, owner=NOBODY, writable=trees.nothing, stop=Event())

    assert size >= 5000
    assert stat.S_IMODE((top / "shut" / "file").stat().st_mode) == 0o755
    assert not (top / "pipe").exists()


def test_a_seal_leaves_only_what_it_may_writable(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "own" / "deep").mkdir(parents=True)
    (top / "shared").mkdir()
    for name in ("own/deep/f", "shared/f"):
        (top / name).touch()

    trees.seal(
        top, owner=NOBODY, writable=lambda name, depth: depth > 0 or name != "shared", stop=Event()
    )

    modes = {name: stat.S_IMODE((top / name).stat().st_mode) for name in ("own/deep/f", "shared/f")}
    assert modes == {"own/deep/f": 0o666, "shared/f": 0o644}
    assert stat.S_IMODE((top / "shared").stat().st_mode) == 0o755


def test_directories_without_end_are_refused_and_can_be_removed(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    fd = os.open(top, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)

    with pytest.raises(TreeRefused, match="deep"):
        trees.seal(top, owner=NOBODY, writable=trees.nothing, stop=Event())
    trees.remove(top)

    assert not top.exists()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../outside", "../.."])
def test_a_site_whose_links_lead_out_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").touch()
    site = tmp_path / "a" / "site"
    (site / "b").mkdir(parents=True)
    (site / "b" / "link").symlink_to(target)

    with pytest.raises(TreeRefused):
        trees.refuse_links_out(site)


def test_links_inside_a_site_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a.html").touch()
    (tmp_path / "b.html").symlink_to("a.html")

    trees.refuse_links_out(tmp_path)
