"""One command in a release, to its end, for somebody who waits for it: `autostack run`.

A deployment that was cut off is resumed. A command may have done half of its work, and nobody
can say which half: it is never run a second time.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from autostack.core.errors import AutostackError
from autostack.core.logs.redaction import Redaction
from autostack.engine.errors import Canceled, JournalAway, LeaseLost
from autostack.engine.ports import LogSink, Runtime
from autostack.engine.release import MIB, Exit, InstanceSpec, Step
from autostack.engine.run import guarded

logger = logging.getLogger(__name__)

STEP = "run"
"""What its lines are of, where those of a deployment name a step."""
SLACK = timedelta(minutes=1)
"""The limit is ours; the runtime's own is only for the case that we fail to end it."""
AT_ONCE = timedelta(0)


class RunStatus(StrEnum):
    """Public statuses of a run. `done` says exit code 0, `failed` any other end."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How it ended. `code` is None where it was not the command that said so."""

    status: RunStatus
    code: int | None = None
    message: str = ""


CUT_OFF = Verdict(
    status=RunStatus.FAILED,
    message="The platform's worker ended while this command ran, so the command was ended too. "
    "It is not run again by itself: it may have done half of its work.",
)


class RunLog(Protocol):
    """The log of one run: a LogSink whose lines need not be of a deployment's step."""

    def say(self, text: str, *, step: str, level: str = "info") -> None: ...

    def output(self, data: bytes, *, step: str) -> None: ...

    def close(self) -> None: ...


class RunJournal(Protocol):
    """The durable memory of one run under one lease; see Journal for what all calls promise."""

    async def canceled(self) -> None:
        """Return when the user has asked to cancel (waits for ever otherwise)."""
        ...

    async def ended(self, verdict: Verdict) -> None:
        """The verdict; what the run was given is free for others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What one run is told. `spec.id` is the run's own."""

    spec: InstanceSpec
    limit: timedelta
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What runs are carried out with. `open_log` gives the log of a run by its id; the values in
    its second argument are redacted.
    """

    runtime: Runtime
    open_log: Callable[[UUID, Sequence[str]], RunLog]


async def carry_out(errand: Errand, means: Means, journal: RunJournal) -> Verdict:
    """Run it, and say how it ended once everything it printed is kept.

    When this task is cancelled every process is gone, and the verdict is the caller's to give.
    """
    log = means.open_log(errand.spec.id, errand.secrets)
    try:
        verdict = await _verdict(errand, means, journal, log)
        if verdict.message:
            log.say(verdict.message, step=STEP, level="error")
    except asyncio.CancelledError:
        log.say(CUT_OFF.message, step=STEP, level="error")
        raise
    finally:
        log.close()
    await journal.ended(verdict)
    return verdict


async def cut_off(run_id: UUID, means: Means, journal: RunJournal) -> None:
    """Its worker died: whatever outlived it is ended."""
    await means.runtime.stop(run_id, grace=AT_ONCE)
    await give_up(run_id, CUT_OFF.message, means, journal)


async def give_up(run_id: UUID, message: str, means: Means, journal: RunJournal) -> None:
    """It is not begun, or not gone on with."""
    log = means.open_log(run_id, ())
    log.say(message, step=STEP, level="error")
    log.close()
    await journal.ended(_failed(message))


async def _verdict(errand: Errand, means: Means, journal: RunJournal, log: RunLog) -> Verdict:
    deadline = asyncio.timeout(errand.limit.total_seconds())
    try:
        async with deadline:
            return _of(await guarded(_run(errand, means, log), _canceled(journal)), errand)
    except (LeaseLost, JournalAway):
        raise
    except Canceled:
        return Verdict(status=RunStatus.CANCELED, message="The command was canceled.")
    except Exception as error:  # noqa: BLE001 - whatever it is, the run gets a verdict
        if deadline.expired():
            return _failed(f"The command took longer than {_long(errand.limit)} and was ended.")
        await _tidy(errand, means)
        return _failed(_words(errand, error))


async def _run(errand: Errand, means: Means, log: RunLog) -> Exit:
    limit = errand.limit + SLACK
    return await means.runtime.run_once(errand.spec, limit=limit, log=_Printed(log))


async def _canceled(journal: RunJournal) -> None:
    await journal.canceled()
    raise Canceled


async def _tidy(errand: Errand, means: Means) -> None:
    with suppress(Exception):
        await means.runtime.stop(errand.spec.id, grace=AT_ONCE)


def _of(ended: Exit, errand: Errand) -> Verdict:
    if ended.code == 0:
        return Verdict(status=RunStatus.DONE, code=0)
    if ended.oom:
        allowed = errand.spec.limits.memory // MIB
        return _failed(f"The command used more memory than its {allowed} MB.", code=ended.code)
    if ended.signal:
        return _failed(f"The command was ended by signal {ended.signal}.", code=ended.code)
    return _failed(f"The command ended with exit code {ended.code}.", code=ended.code)


def _failed(message: str, *, code: int | None = None) -> Verdict:
    return Verdict(status=RunStatus.FAILED, code=code, message=message)


def _words(errand: Errand, error: Exception) -> str:
    if isinstance(error, AutostackError):
        hidden = Redaction(errand.secrets).hide(str(error).encode(errors="replace"))
        return f"{hidden.decode(errors='replace')} {error.hint}".strip()
    logger.error("run %s failed", errand.spec.id, exc_info=error)
    return "The platform itself failed to run the command. This is not your app's fault."


def _long(limit: timedelta) -> str:
    seconds = int(limit.total_seconds())
    units = ((3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next(one for one in units if seconds % one[0] == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


class _Printed(LogSink):
    """A runtime knows release commands only; what it prints here is of the run."""

    def __init__(self, log: RunLog) -> None:
        self._log = log

    def say(self, text: str, *, step: Step, level: str = "info") -> None:  # noqa: ARG002
        self._log.say(text, step=STEP, level=level)

    def output(self, data: bytes, *, step: Step) -> None:  # noqa: ARG002
        self._log.output(data, step=STEP)
