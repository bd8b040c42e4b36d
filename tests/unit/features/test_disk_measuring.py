"""What is on disk, and whose it is."""

from pathlib import Path
from uuid import UUID

from autostack.core.home import Home
from autostack.drivers.machine import usage
from autostack.features.disk.measuring import look, total

PROJECT, DEPLOYMENT, INSTANCE = (UUID(int=number) for number in (1, 2, 3))


def put(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_everything_of_a_project_is_found_and_told_apart(tmp_path: Path) -> None:
    home = Home(tmp_path)
    put(home.artifacts / str(DEPLOYMENT) / "app/x")
    put(home.artifacts / f".{DEPLOYMENT}" / "half-made")
    put(home.deployment_output(DEPLOYMENT))
    put(home.logs / f"segments/instances/{INSTANCE}/1.seg.gz")
    put(home.instance_output(INSTANCE))
    for folder in (home.caches, home.mirrors, home.trees, home.uploads):
        put(folder / str(PROJECT) / "x")
    found = look(home)
    sizes = {one.path: 10 for one in found.all}

    usage = total(found.all, sizes, {DEPLOYMENT: PROJECT, INSTANCE: PROJECT})

    assert usage == {
        PROJECT: {"releases": 10, "logs": 30, "caches": 10, "mirrors": 20, "uploads": 10}
    }


def test_an_empty_home_holds_nothing(tmp_path: Path) -> None:
    assert look(Home(tmp_path)).all == ()


def test_what_du_says_is_read_whatever_the_names_are() -> None:
    said = b"4096\t/a/b\n c\0" + b"0\t/d\0" + b"nonsense\0"

    assert usage.parse(said) == {Path("/a/b\n c"): 4096, Path("/d"): 0}
