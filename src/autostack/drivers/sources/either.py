"""Git or upload, by the address: what the worker is given as its one Source."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from autostack.core.uploads import SCHEME
from autostack.engine.ports import LogSink, Source
from autostack.engine.release import Checkout, Repository


class Keeping(Source, Protocol):
    """A source that keeps something on disk for each repository."""

    async def forget(self, key: UUID) -> None:
        """Free it. Forgetting what was never fetched is not an error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EitherSource:
    git: Keeping
    upload: Keeping

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        return await self._of(repository).fetch(repository, log=log)

    async def default_branch(self, repository: Repository) -> str:
        return await self._of(repository).default_branch(repository)

    async def forget(self, key: UUID) -> None:
        await self.git.forget(key)
        await self.upload.forget(key)

    def _of(self, repository: Repository) -> Source:
        return self.upload if repository.url.startswith(SCHEME) else self.git
