"""Uploaded directories as a Source: `upload:<sha256>` names an archive of the project."""

import asyncio
from uuid import UUID

from autostack.core.home import Home
from autostack.core.uploads import upload_digest, upload_folder
from autostack.drivers.sources import notes
from autostack.drivers.sources.archive import unpack
from autostack.drivers.sources.mirror import Mirror, locked, used
from autostack.drivers.sources.running import TookTooLong, in_thread
from autostack.drivers.sources.tree import TREE_LIMITS, TreeLimits
from autostack.drivers.sources.writing import remove
from autostack.engine.errors import BranchNotFound, RepositoryRefused, RepositoryUnreachable
from autostack.engine.ports import LogSink
from autostack.engine.release import Checkout, Repository, Step

_DIGITS = 12


class UploadSource:
    """A `Source` whose commits are archives; there are no branches."""

    def __init__(self, home: Home, *, limits: TreeLimits = TREE_LIMITS, wait: float = 600) -> None:
        self._home = home
        self._limits = limits
        self._wait = wait

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        digest = upload_digest(repository.url)
        if digest is None:
            raise RepositoryRefused("it does not name an upload")
        archive = upload_folder(self._home, repository.key) / digest
        sha = f"upload-{digest[:_DIGITS]}"
        mirror = Mirror(self._home, repository.key)
        tree = mirror.tree(sha)
        try:
            async with locked(mirror, seconds=self._wait):
                await asyncio.to_thread(mirror.prune)
                if not used(tree):
                    if not archive.is_file():
                        raise BranchNotFound(sha)
                    await in_thread(
                        lambda stopped: unpack(archive, tree, self._limits, stopped=stopped)
                    )
        except TookTooLong:
            raise RepositoryUnreachable("the upload", "another deployment holds it") from None
        log.say(f"Unpacked {sha}", step=Step.FETCH)
        for warning in await asyncio.to_thread(notes.warnings, tree):
            log.say(warning, step=Step.FETCH, level="warning")
        return Checkout(tree=tree, sha=sha, message="Uploaded directory")

    async def default_branch(self, repository: Repository) -> str:  # noqa: ARG002 - the port
        return ""

    async def forget(self, key: UUID) -> None:
        """Free the disk of a project that is gone."""
        await asyncio.to_thread(remove, upload_folder(self._home, key))
