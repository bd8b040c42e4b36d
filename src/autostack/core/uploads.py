"""Archives that users send, kept under the name of their content."""

import asyncio
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import AsyncIterable
from pathlib import Path
from time import time
from typing import IO
from uuid import UUID

from autostack.core.errors import Invalid, TooLarge, Unavailable
from autostack.core.home import Home

SCHEME = "upload:"
DIGEST = r"[0-9a-f]{64}"
_DIGEST = re.compile(DIGEST, re.ASCII)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_KEPT = 10
"""Archives of one project: those that wait to be deployed, and some to look at."""
_FRESH = 3600.0
"""Seconds in which whoever sent one still deploys it."""
_INCOMING = ".incoming-"


class UploadTooLarge(TooLarge):
    hint = "Leave build results and dependencies out of what you send."

    def __init__(self, limit: int) -> None:
        super().__init__(f"The upload is larger than {limit // (1024 * 1024)} MB.")


class UploadEmpty(Invalid):
    def __init__(self) -> None:
        super().__init__("The upload is empty.")


class UploadSpaceMissing(Unavailable):
    hint = "Free disk space on the server."

    def __init__(self) -> None:
        super().__init__("There is not enough disk space for the upload.")


def upload_folder(home: Home, project_id: UUID) -> Path:
    """Archives of one project: nobody names another's."""
    return home.uploads / str(project_id)


async def keep_upload(folder: Path, pieces: AsyncIterable[bytes], *, limit: int) -> str:
    """Store a stream whole or not at all; returns its SHA-256, the name of the file in `folder`.
    The same content twice is one file. What is inside is looked at when it is deployed.
    """
    descriptor, incoming = await asyncio.to_thread(_incoming, folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            digest = await _copy(pieces, file, limit=limit)
    except BaseException as error:
        _discard(incoming)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise UploadSpaceMissing from None
        raise
    _settle(incoming, folder / digest)
    await asyncio.to_thread(_prune, folder)
    return digest


def upload_url(digest: str) -> str:
    """How a repository names an upload: `upload:<sha256>`."""
    return f"{SCHEME}{digest}"


def upload_digest(url: str) -> str | None:
    """The digest an upload's url holds; None when it is another kind of address."""
    digest = url.removeprefix(SCHEME)
    return digest if url.startswith(SCHEME) and _DIGEST.fullmatch(digest) else None


async def _copy(pieces: AsyncIterable[bytes], file: IO[bytes], *, limit: int) -> str:
    digest = hashlib.sha256()
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > limit:
            raise UploadTooLarge(limit)
        digest.update(piece)
        await asyncio.to_thread(file.write, piece)
    if not size:
        raise UploadEmpty
    return digest.hexdigest()


def _incoming(folder: Path) -> tuple[int, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=_INCOMING, dir=folder)
    return descriptor, Path(name)


def _settle(incoming: Path, final: Path) -> None:
    incoming.rename(final)


def _prune(folder: Path) -> None:
    """What came long ago, and what a server that was killed left half received."""
    found = sorted(folder.iterdir(), key=_age, reverse=True)
    for old in found[_KEPT:]:
        _discard(old)


def thin_uploads(folder: Path, *, fresh: float = _FRESH) -> None:
    """Free all but the newest of a project that nothing is at work on, and what just came."""
    found = sorted(folder.iterdir(), key=_age, reverse=True) if folder.is_dir() else []
    whole = [file for file in found if not file.name.startswith(_INCOMING)]
    for old in found:
        if old not in whole[:1] and _age(old) < time() - fresh:
            _discard(old)


def _age(file: Path) -> float:
    """When it was written; another request may have removed it meanwhile."""
    try:
        return file.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _discard(incoming: Path) -> None:
    incoming.unlink(missing_ok=True)
