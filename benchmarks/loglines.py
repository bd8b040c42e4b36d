"""The way of a line: printed by an app, seen by a client of its log stream."""

import time
import urllib.request
from pathlib import Path

from benchmarks.deploys import version
from benchmarks.series import Section, Series, alone
from tests.gitserver import GitServer
from tests.platform import User, request

LINES = 50_000
SINGLE = 15
APP = """

@app.get("/print")
def printed():
    mark, count = request.args["mark"], int(request.args["count"])
    print("\\n".join(f"{mark} {number} {'x' * 80}" for number in range(count)), flush=True)
    return "done\\n"
"""


def section(user: User, git: GitServer, example: Path) -> Section:
    found = version(example, 1)
    git.create("printer", {**found, "app.py": found["app.py"] + APP})
    project = user.create_project("printer", git.url("printer"))["id"]
    url = f"http://{user.deploy(project)['url']}/print"
    environment = user.call("GET", f"/projects/{project}/environments")["items"][0]["id"]
    stream = f"{user.platform.api}/environments/{environment}/logs"
    single = tuple(_seen(user, stream, f"{url}?mark=one{run}", 1) * 1000 for run in range(SINGLE))
    many = tuple(LINES / _seen(user, stream, f"{url}?mark=many{run}", LINES) for run in range(3))
    return Section(
        title="From an app's print to a client of its log stream",
        rows=alone(
            Series(name="one line", unit="ms", values=single),
            Series(name=f"{LINES} lines at once", unit="lines/s", values=many),
        ),
    )


def _seen(user: User, stream: str, url: str, count: int) -> float:
    """Seconds from the request that prints until the last line has arrived."""
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {user.token}"}
    asked = urllib.request.Request(stream, headers=headers)  # noqa: S310 - our own api
    last = f"{url.partition('mark=')[2]} {count - 1} ".encode()
    with urllib.request.urlopen(asked, timeout=60) as events:  # noqa: S310
        # The stream begins with what is there; the next line it brings is a new one.
        time.sleep(0.3)
        began = time.monotonic()
        assert request("GET", f"{url}&count={count}", timeout=60).status == 200
        for line in events:
            if last in line:
                return time.monotonic() - began
    message = "the stream ended before the last line"
    raise EOFError(message)
