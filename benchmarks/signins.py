"""What somebody who is signed in feels while strangers guess passwords."""

import asyncio
import json
from collections import Counter
from urllib.parse import urlsplit

from benchmarks.clients import Answers, Target, ask_while
from benchmarks.series import Section, Series, alone
from tests.platform import User, platform

GUESSES = 200
UNLIMITED = "100000/minute"
"""So that each guess costs a hash: the default limit refuses nearly all before."""


def section() -> Section:
    with platform(AUTOSTACK_LOGIN_RATE=UNLIMITED) as up:
        user = User.register(up)
        target = Target(url=f"{up.api}/auth/me", token=user.token)
        quiet, _ = asyncio.run(ask_while(target, asyncio.sleep(5)))
        busy, statuses = asyncio.run(ask_while(target, _guess(up.api)))
    assert statuses == {401: GUESSES}, statuses
    rows = [*_rows("alone", quiet), *_rows(f"beside {GUESSES} wrong sign-ins", busy, goal=200)]
    last = Series(name="until the last of them was answered", unit="s", values=(busy.lasted,))
    return Section(title="One who is signed in, while strangers guess", rows=alone(*rows, last))


def _rows(name: str, answers: Answers, goal: float | None = None) -> tuple[Series, ...]:
    return (
        Series(name=f"{name}: p50", unit="ms", values=(answers.quantile(0.5) * 1000,)),
        Series(name=f"{name}: p95", unit="ms", values=(answers.quantile(0.95) * 1000,), goal=goal),
        Series(name=f"{name}: failed", unit="requests", values=(float(answers.failed),), goal=0),
    )


async def _guess(api: str) -> Counter[int]:
    """All at once, each at another account."""
    return Counter(await asyncio.gather(*(_wrong(api, number) for number in range(GUESSES))))


async def _wrong(api: str, number: int) -> int:
    parts = urlsplit(api)
    guess = {"email": f"guess-{number}@example.com", "password": "three blue bicycles"}
    body = json.dumps(guess).encode()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(
        f"POST /auth/login HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    )
    writer.write(body)
    answer = await reader.read()
    writer.close()
    return int(answer.split(maxsplit=2)[1])
