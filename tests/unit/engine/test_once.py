"""A command that is run once: how it ends, and what is said of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autostack.engine import once
from autostack.engine.errors import LeaseLost, StartRefused
from autostack.engine.once import Errand, Means, RunStatus, Verdict
from autostack.engine.release import Artifact, Exit, InstanceSpec, NetworkPlace
from tests.fakes import FakeLog, FakeRuntime
from tests.unit.engine.platform import until

NAME = uuid4()
SPEC = InstanceSpec(
    id=NAME,
    project_id=NAME,
    environment_id=NAME,
    release_id=NAME,
    process="run",
    artifact=Artifact(id="one", kind="directory", location="/artifacts/one"),
    command=("migrate",),
    uid=1000,
    place=NetworkPlace(address="10.9.0.10", port=8000),
    output=Path("/nowhere"),
)


class FakeRunJournal:
    """One run whose verdict is remembered."""

    def __init__(self) -> None:
        self.cancel = asyncio.Event()
        self.lost = False
        self.verdicts: list[Verdict] = []

    async def canceled(self) -> None:
        await self.cancel.wait()
        if self.lost:
            raise LeaseLost

    async def ended(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)


@dataclass
class Place:
    """Where one command is run."""

    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    log: FakeLog = field(default_factory=FakeLog)
    journal: FakeRunJournal = field(default_factory=FakeRunJournal)
    limit: timedelta = timedelta(hours=1)
    secrets: tuple[str, ...] = ()

    @property
    def means(self) -> Means:
        def open_log(_run: UUID, _secrets: Sequence[str]) -> FakeLog:
            return self.log

        return Means(runtime=self.runtime, open_log=open_log)

    async def carry_out(self) -> Verdict:
        errand = Errand(spec=SPEC, limit=self.limit, secrets=self.secrets)
        return await once.carry_out(errand, self.means, self.journal)


async def test_a_command_that_ends_well_is_done_without_words() -> None:
    place = Place()

    verdict = await place.carry_out()

    assert verdict == Verdict(status=RunStatus.DONE, code=0)
    assert place.journal.verdicts == [verdict]
    assert place.log.printed == b"running\n"
    assert place.log.said == ["(closed)"]


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Exit(code=3), "The command ended with exit code 3."),
        (Exit(code=143, signal=15), "The command was ended by signal 15."),
        (Exit(code=137, signal=9, oom=True), "The command used more memory than its 512 MB."),
    ],
)
async def test_any_other_end_is_a_failure_with_its_code_and_reason(ended: Exit, words: str) -> None:
    place = Place()
    place.runtime.exit = ended

    verdict = await place.carry_out()

    assert verdict == Verdict(status=RunStatus.FAILED, code=ended.code, message=words)
    assert place.log.said == [words, "(closed)"]


async def test_everything_is_kept_before_it_is_said_to_be_over() -> None:
    place = Place()

    class Strict(FakeRunJournal):
        async def ended(self, verdict: Verdict) -> None:
            assert place.log.said[-1] == "(closed)"
            await super().ended(verdict)

    place.journal = Strict()

    await place.carry_out()

    assert len(place.journal.verdicts) == 1


async def test_a_cancel_ends_the_command() -> None:
    place = Place()
    place.runtime.hold = asyncio.Event()
    running = asyncio.create_task(place.carry_out())
    await until(lambda: bool(place.runtime.busy))

    place.journal.cancel.set()
    verdict = await running

    assert (verdict.status, verdict.code) == (RunStatus.CANCELED, None)
    assert place.runtime.busy == {}


async def test_a_time_limit_ends_the_command_and_is_named() -> None:
    place = Place(limit=timedelta(seconds=1))
    place.runtime.hold = asyncio.Event()

    verdict = await place.carry_out()

    assert (verdict.status, verdict.code) == (RunStatus.FAILED, None)
    assert verdict.message == "The command took longer than 1 second and was ended."
    assert place.runtime.busy == {}


async def test_a_refusal_is_told_without_the_secrets_in_it() -> None:
    place = Place(secrets=("hunter2hunter2",))
    place.runtime.refusal = StartRefused("no program hunter2hunter2", "Look at its name.")

    verdict = await place.carry_out()

    assert "hunter2hunter2" not in verdict.message
    assert verdict.message.endswith("Look at its name.")


async def test_what_we_do_not_understand_is_not_blamed_on_the_app() -> None:
    place = Place()
    place.runtime.refusal = OSError("no space left")

    verdict = await place.carry_out()

    assert "The platform itself failed" in verdict.message
    assert place.runtime.ended == [SPEC.id]


async def test_who_lost_the_lease_ends_the_command_and_gives_no_verdict() -> None:
    place = Place()
    place.runtime.hold = asyncio.Event()
    place.journal.lost = True
    place.journal.cancel.set()

    with pytest.raises(LeaseLost):
        await place.carry_out()

    assert place.runtime.busy == {}
    assert place.journal.verdicts == []


async def test_a_worker_that_ends_says_in_the_log_that_it_cut_the_command_off() -> None:
    place = Place()
    place.runtime.hold = asyncio.Event()
    running = asyncio.create_task(place.carry_out())
    await until(lambda: bool(place.runtime.busy))

    running.cancel()
    await asyncio.wait({running})

    assert place.log.said == [once.CUT_OFF.message, "(closed)"]
    assert place.runtime.busy == {}
    assert place.journal.verdicts == []


async def test_a_command_of_a_dead_worker_is_ended_and_not_run_again() -> None:
    place = Place()

    await once.cut_off(SPEC.id, place.means, place.journal)

    assert place.runtime.ended == [SPEC.id]
    assert place.runtime.ran == []
    assert place.journal.verdicts == [once.CUT_OFF]
    assert place.log.said == [once.CUT_OFF.message, "(closed)"]
