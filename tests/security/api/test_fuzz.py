"""Every operation, called by everybody with what no client would send, and with what is allowed.

Schemathesis makes the calls from the api's own document; half of them break it. Three of four times
the path holds a victim's real ids, so that the calls get behind the first look-up.
`FUZZ_CASES` is how many each role makes of each operation.
"""

# Its types are incomplete.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from itertools import chain, cycle, islice, zip_longest
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import case as generated
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from autostack.core.db import Database
from tests.oidc import Provider
from tests.security.api.calls import CALLS
from tests.security.api.cast import World, make_world
from tests.security.api.test_walk import EVERYBODY, Walk, operations, walking

Operation = APIOperation[Any, Any, Any, Any]
Case = generated.Case[Operation]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
SLOW = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
PER_ROLE = int(os.environ.get("FUZZ_CASES", "1"))
ROLES = (*EVERYBODY, "root")
MAY_BE_DOWN = ("ready",)
"""Answers 503 where a part of the platform does not run, as here."""

schemathesis.serializer.alias(["application/gzip"], "application/octet-stream")


@pytest.mark.timeout(1500)
async def test_no_call_breaks_the_api_and_each_answer_is_as_documented(
    tmp_path: Path, database_url: str, db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    known = len(operations(tmp_path))
    with Provider().running() as provider:
        async with walking(tmp_path, database_url, db, provider) as walk:
            fuzz = Fuzz(walk, await make_world(walk.house))
            for found in walk.document.get_all_operations():
                assert isinstance(found, Ok), found
                await fuzz.operation(found.ok())

    with capsys.disabled():
        print(f"\nfuzz: {fuzz.answers.total()} calls, {dict(fuzz.answers)}")  # noqa: T201
    assert fuzz.wrong == []
    assert fuzz.seen == known
    assert fuzz.answers.total() > known * PER_ROLE * len(ROLES) / 2


class Fuzz:
    """What was asked so far, and what was wrong with the answers."""

    def __init__(self, walk: Walk, shared: World) -> None:
        self._walk = walk
        self._shared = shared
        self.seen = 0
        self.wrong: list[str] = []
        self.answers: Counter[int] = Counter()

    async def operation(self, operation: Operation) -> None:
        """What changes nothing happens in the shared world; the rest in one of its own, where who
        may do most comes last.
        """
        self.seen += 1
        safe = operation.method == "get"
        world = self._shared if safe else await make_world(self._walk.house)
        cases = await asyncio.to_thread(_cases, operation, broken_first=self.seen % 2 == 0)
        for at, case in enumerate(cases):
            who = ROLES[at // PER_ROLE]
            if at % 4:
                _aim(case, world)
            await self._ask(case, who, world)

    async def _ask(self, case: Case, who: str, world: World) -> None:
        request = self._request(case, world.bearer(who))
        answer = await self._walk.client.send(request, stream=True)
        try:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                self.answers[answer.status_code] += 1
                return
            await answer.aread()
        finally:
            await answer.aclose()
            self._walk.client.cookies.clear()
        self.answers[answer.status_code] += 1
        self._judge(case, who, answer)

    def _judge(self, case: Case, who: str, answer: httpx.Response) -> None:
        name = _name(case.operation)
        checks = [one for one in CHECKS if one is not not_a_server_error or name not in MAY_BE_DOWN]
        try:
            case.validate_response(answer, checks=checks)
        except FailureGroup as group:
            sent = answer.request
            said = "; ".join(str(one) for one in group.exceptions)
            self.wrong.append(
                f"{name} as {who}: {sent.method} {sent.url} {sent.content[:300]!r}: "
                f"{answer.status_code} {answer.text[:300]}: {said}"
            )

    def _request(self, case: Case, bearer: dict[str, str]) -> httpx.Request:
        made = case.as_transport_kwargs(base_url=str(self._walk.client.base_url))
        return self._walk.client.build_request(
            made["method"],
            made["url"],
            params=made.get("params"),
            headers={**made["headers"], **bearer},
            json=made.get("json"),
            content=made.get("data"),
        )


def _name(operation: Operation) -> str:
    return str(operation.definition.raw["operationId"])


def _aim(case: Case, world: World) -> None:
    ids = CALLS[_name(case.operation)].ids
    for name in case.path_parameters:
        wanted = ids.get(name, name)
        case.path_parameters[name] = world.ids.get(wanted, wanted)


def _cases(operation: Operation, *, broken_first: bool) -> Sequence[Case]:
    """As many as all roles make, in turn such as the document allows and such as it does not.
    Where there are fewer, as for a call without parameters, they are made again.
    """
    count = PER_ROLE * len(ROLES)
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    ordered = reversed(modes) if broken_first else modes
    turns = chain.from_iterable(zip_longest(*(_made(operation, one, count) for one in ordered)))
    return list(islice(cycle([one for one in turns if one is not None]), count))


def _made(operation: Operation, mode: GenerationMode, count: int) -> Sequence[Case]:
    found: list[Case] = []

    # By no seed: what is found can be found again.
    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=SLOW,
    )
    @given(operation.as_strategy(mode))
    def keep(case: Case) -> None:
        found.append(case)

    try:
        keep()
    except Unsatisfiable:  # nothing about the call can be wrong
        return []
    return found
