"""Follow a deployment's log as any program can: server-sent events over plain HTTP."""

import json
import urllib.request
from collections.abc import Callable

from tests.platform import User


def follow(user: User, deployment: str, say: Callable[[str], None]) -> None:
    """Print each line as it comes, until the stream says `end`."""
    asked = urllib.request.Request(  # noqa: S310 - our own http address
        f"{user.platform.api}/deployments/{deployment}/logs",
        headers={"Authorization": f"Bearer {user.token}", "Accept": "text/event-stream"},
    )
    kind = ""
    with urllib.request.urlopen(asked, timeout=120) as stream:  # noqa: S310
        for raw in stream:
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                if kind == "end":
                    return
                told = json.loads(value)
                say(f"  {told['step']:>8} │ {told['text']}")
            elif not line:
                kind = ""
