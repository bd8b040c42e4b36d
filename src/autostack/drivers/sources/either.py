"""Git or upload, by the address: what the worker is given as its one Source."""

from dataclasses import dataclass

from autostack.core.uploads import SCHEME
from autostack.engine.ports import LogSink, Source
from autostack.engine.release import Checkout, Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class EitherSource:
    git: Source
    upload: Source

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        return await self._of(repository).fetch(repository, log=log)

    async def default_branch(self, repository: Repository) -> str:
        return await self._of(repository).default_branch(repository)

    def _of(self, repository: Repository) -> Source:
        return self.upload if repository.url.startswith(SCHEME) else self.git
