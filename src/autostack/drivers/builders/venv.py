"""A virtual environment, made without starting Python."""

from pathlib import Path
from threading import Event

from autostack.drivers.builders import trees
from autostack.drivers.builders.toolchains import Tool


def make(path: Path, python: Tool, owner: trees.Owner) -> None:
    """What `python -m venv --without-pip` leaves, without starting Python."""
    version = ".".join(python.version.split(".")[:2])
    (path / "lib" / f"python{version}" / "site-packages").mkdir(parents=True)
    (path / "bin").mkdir()
    for name in ("python", "python3", f"python{version}"):
        (path / "bin" / name).symlink_to(python.program)
    (path / "pyvenv.cfg").write_text(
        f"home = {python.program.parent}\nimplementation = CPython\n"
        f"version_info = {python.version}\ninclude-system-site-packages = false\n"
    )
    if owner.uid is not None:
        trees.give(path, owner.uid, stop=Event())
