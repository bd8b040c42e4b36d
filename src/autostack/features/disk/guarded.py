"""The source and the builder of deployments, which take nothing new in when the disk is full."""

import errno
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from autostack.engine.errors import OutOfDisk
from autostack.engine.ports import Builder, BuildSpec, LogSink, Source
from autostack.engine.release import Artifact, Checkout, Repository, Step
from autostack.features.disk.guardian import Guardian

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedSource:
    """A `Source`."""

    source: Source
    guardian: Guardian

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        await self.guardian.admit(partial(log.say, step=Step.FETCH))
        async with _in_words("the source"):
            return await self.source.fetch(repository, log=log)

    async def default_branch(self, repository: Repository) -> str:
        return await self.source.default_branch(repository)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedBuilder:
    """A `Builder`."""

    builder: Builder
    guardian: Guardian

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact:
        await self.guardian.admit(partial(log.say, step=Step.BUILD))
        async with _in_words("the build"):
            return await self.builder.build(spec, log=log)

    async def remove(self, artifact: Artifact) -> None:
        await self.builder.remove(artifact)


@asynccontextmanager
async def _in_words(what: str) -> AsyncGenerator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise OutOfDisk(what) from error
