"""How quickly the api answers fifty clients."""

from benchmarks.clients import Answers, Target, ask
from benchmarks.series import Series
from tests.platform import User

CLIENTS = 50
SECONDS = 15.0


def latency(user: User) -> tuple[Series, ...]:
    """Fifty people with a page open (a request a second each), then fifty loops without a pause."""
    project = user.call("GET", "/projects?limit=1")["items"][0]["id"]
    paths = ("/projects", f"/projects/{project}", "/auth/me")
    found = [f"{user.platform.api}{path}" for path in paths if _answers(user, path)]
    targets = [Target(url=url, token=user.token) for url in found]
    single = ask(targets, clients=1, seconds=5, pause=0.05)
    people = ask(targets, clients=CLIENTS, seconds=SECONDS, pause=1)
    loops = ask(targets, clients=CLIENTS, seconds=SECONDS)
    return (
        *_rows("one client", single, goal=50),
        *_rows("50 clients, 1 request/s each", people, goal=200),
        *_rows("50 clients, closed loop", loops, goal=200),
        Series(name="50 clients, closed loop: answered", unit="req/s", values=(loops.rate,)),
    )


def _answers(user: User, path: str) -> bool:
    return (
        ask(
            [Target(url=f"{user.platform.api}{path}", token=user.token)], clients=1, seconds=0.01
        ).failed
        == 0
    )


def _rows(name: str, answers: Answers, *, goal: float) -> tuple[Series, ...]:
    milliseconds = [answers.quantile(part) * 1000 for part in (0.5, 0.95)]
    return (
        Series(name=f"{name}: p50", unit="ms", values=(milliseconds[0],)),
        Series(name=f"{name}: p95", unit="ms", values=(milliseconds[1],), goal=goal),
        Series(name=f"{name}: failed", unit="requests", values=(float(answers.failed),), goal=0),
    )
