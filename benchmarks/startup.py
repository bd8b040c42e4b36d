"""How long `up` takes, and how soon each part serves again after `kill -9`."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from benchmarks.idle import apps
from benchmarks.series import Section, Series, alone
from tests.platform import Platform, User, request

LIMIT = 60.0
PAUSE = 0.01


def section(first: float, user: User, url: str) -> Section:
    """`first` is how long the first `up` in a new home took; `url` is an app that runs."""
    platform = user.platform
    again = _timed(platform.up)
    platform.run("down")
    after = _timed(platform.up)
    page, api = _answers(url), _answers(f"{platform.api}/health/ready")
    return Section(
        title="Starting, and coming back",
        rows=alone(
            _seconds("`up` in a new home", first),
            _seconds("`up` while it runs", again),
            _seconds("`up` after `down`, apps running", after),
            *(
                _seconds(f"kill -9 {part} → ready", _killed(platform, part, api))
                for part in ("api", "worker", "postgres", "control")
            ),
            _seconds("kill -9 edge → page", _killed(platform, "edge", page)),
            _seconds("kill -9 app → page", _until_back(apps(platform), page)),
        ),
    )


def _seconds(name: str, value: float) -> Series:
    return Series(name=name, unit="s", values=(value,))


def _timed(act: Callable[[], None]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _killed(platform: Platform, part: str, serves: Callable[[], bool]) -> float:
    """From the kill until the part has another process and the platform answers."""
    victim = _pid(platform, part)

    def back() -> bool:
        return _pid(platform, part) not in {0, victim} and serves()

    return _until_back([victim], back)


def _pid(platform: Platform, part: str) -> int:
    if part == "edge":
        return int((platform.home.edge / "pid").read_text())
    if part in {"api", "worker"}:
        return int((platform.home.run / f"{part}.pid").read_text().split()[0])
    status = json.loads(platform.run("status", "--json").stdout)
    return int(next(one["pid"] or 0 for one in status["parts"] if one["name"] == part))


def _until_back(victims: list[int], back: Callable[[], bool]) -> float:
    began = time.monotonic()
    for pid in victims:
        # An app's processes end with its first one.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    # What was on its way when it was killed may still be answered.
    time.sleep(PAUSE)
    while not back():
        assert time.monotonic() - began < LIMIT, f"not back within {LIMIT:g} seconds"
        time.sleep(PAUSE)
    return time.monotonic() - began


def _answers(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        try:
            return request("GET", url, timeout=5).status == 200
        except OSError:
            return False

    return answers
