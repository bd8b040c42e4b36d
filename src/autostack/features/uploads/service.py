"""Source that users send instead of a repository. What is inside is looked at by a worker."""

import asyncio
from collections.abc import AsyncIterable
from uuid import UUID

from autostack.core.home import Home
from autostack.core.uploads import UploadTooLarge, keep_upload, upload_folder
from autostack.features.uploads.errors import UploadNotFound


async def keep(
    home: Home, project_id: UUID, pieces: AsyncIterable[bytes], *, announced: int, limit: int
) -> str:
    """Whole or not at all; returns the digest that names it in this project. `announced` is what
    its sender says its size is: too much is refused before it comes.
    """
    if announced > limit:
        raise UploadTooLarge(limit)
    return await keep_upload(upload_folder(home, project_id), pieces, limit=limit)


async def expect(home: Home, project_id: UUID, digest: str | None) -> None:
    """Raise unless it is there; None is no upload, and fine."""
    if digest is None:
        return
    archive = upload_folder(home, project_id) / digest
    if not await asyncio.to_thread(archive.is_file):
        raise UploadNotFound
