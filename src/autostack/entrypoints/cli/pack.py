"""A directory as the archive that is sent: what is committed there, or what lies there."""

import gzip
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from autostack.entrypoints.cli import link
from autostack.entrypoints.cli.errors import CliError, Usage

LIMIT = 300.0
_PIECE = 1 << 20


@contextmanager
def committed(folder: Path) -> Generator[IO[bytes]]:
    """What `git archive HEAD` gives in that directory, gzipped. The same commit, the same bytes."""
    if not _git(folder, "rev-parse", "--verify", "--quiet", "HEAD"):
        inside = _git(folder, "rev-parse", "--git-dir")
        reason = "has no commit yet" if inside else "is in no Git repository"
        raise Usage(
            f"{folder} {reason}.", "Commit what you want to deploy, or send it as it is: --dirty."
        )
    with tempfile.TemporaryFile() as out:
        with _gzipped(out) as packed:
            _archive(folder, packed)
        out.seek(0)
        yield out


@contextmanager
def as_it_is(folder: Path) -> Generator[IO[bytes]]:
    """Tracked and new files as they lie there, without what .gitignore names."""
    names = _files(folder)
    with tempfile.TemporaryFile() as out:
        with _gzipped(out) as packed, tarfile.open(fileobj=packed, mode="w") as tar:
            for name in names:
                _add(tar, folder, name)
        out.seek(0)
        yield out


def not_committed(folder: Path) -> int:
    """How many files there are changed or new; the link that `init` writes is nobody's work."""
    mine = (".", f":(exclude){link.NAME}")
    told = _git(folder, "status", "--porcelain", "-z", "--no-renames", "--", *mine)
    return told.count(b"\0")


@contextmanager
def _gzipped(out: IO[bytes]) -> Generator[gzip.GzipFile]:
    # Without name and time inside, the same content has the same digest.
    with gzip.GzipFile(filename="", fileobj=out, mode="wb", mtime=0, compresslevel=6) as packed:
        yield packed


def _archive(folder: Path, out: gzip.GzipFile) -> None:
    argv = ("git", "archive", "--format=tar", "HEAD")
    with subprocess.Popen(argv, cwd=folder, stdout=subprocess.PIPE) as git:
        assert git.stdout is not None
        while piece := git.stdout.read(_PIECE):
            out.write(piece)
    if git.returncode:
        raise CliError("Git could not pack the commit.", "`git archive HEAD` shows why.")


def _files(folder: Path) -> Sequence[str]:
    """Sorted, relative to the directory."""
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    if _git(folder, "rev-parse", "--git-dir"):
        found = _git(folder, *listing)
    else:
        found = _listed_without_repository(folder, listing)
    names = [os.fsdecode(name) for name in found.split(b"\0") if name]
    if not names:
        raise Usage(f"There is nothing to send in {folder}.", "Name the directory of your app.")
    return sorted(names)


def _listed_without_repository(folder: Path, listing: Sequence[str]) -> bytes:
    """Git knows best what .gitignore means, so it looks at the directory from an empty one."""
    with tempfile.TemporaryDirectory() as empty:
        _git(folder, "init", "--quiet", "--bare", empty)
        return _git(folder, f"--git-dir={empty}", f"--work-tree={folder}", *listing)


def _add(tar: tarfile.TarFile, folder: Path, name: str) -> None:
    path = folder / name
    if path.is_symlink():
        tar.addfile(_link(path, name))
    elif path.is_file():
        with _readable(path) as file:
            tar.addfile(_header(name, os.fstat(file.fileno())), file)
    # A directory here is a repository of its own, and a missing file was deleted.


def _header(name: str, seen: os.stat_result) -> tarfile.TarInfo:
    """Only what the server keeps: not who owns it here, nor when it was touched."""
    header = tarfile.TarInfo(name)
    header.size = seen.st_size
    header.mode = 0o755 if seen.st_mode & 0o100 else 0o644
    return header


def _link(path: Path, name: str) -> tarfile.TarInfo:
    target = os.readlink(path)  # noqa: PTH115 - as it is written
    leads_to = Path(os.path.normpath(Path(name).parent / target))
    if leads_to.is_absolute() or leads_to.parts[:1] == (os.pardir,):
        raise CliError(
            f"{name} links to {target}, outside of what is sent.",
            "Remove the link, or put a copy in its place.",
        )
    header = tarfile.TarInfo(name)
    header.type, header.linkname = tarfile.SYMTYPE, target
    return header


@contextmanager
def _readable(path: Path) -> Generator[IO[bytes]]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise CliError(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}."
        ) from None


def _git(folder: Path, *args: str) -> bytes:
    """What git says of that directory; nothing when it fails."""
    try:
        done = subprocess.run(
            ("git", *args),  # noqa: S607 - the user's own git
            cwd=folder,
            capture_output=True,
            timeout=LIMIT,
            check=False,
        )
    except FileNotFoundError:
        raise CliError("Git is needed to pack a directory.", "Install it first.") from None
    except subprocess.TimeoutExpired:
        raise CliError("Git did not answer in time.") from None
    return done.stdout if done.returncode == 0 else b""
