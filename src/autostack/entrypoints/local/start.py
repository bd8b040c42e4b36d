"""`autostack up`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from autostack.core.errors import AutostackError
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine.identity import Identity, identify, noted
from autostack.entrypoints.local import (
    environ,
    handover,
    heal,
    house,
    leftovers,
    lock,
    ready,
    sockets,
    stop,
    supervisor,
    words,
)
from autostack.entrypoints.local.errors import (
    NotReady,
    RunsOtherwise,
    StartedByHand,
    SupervisorSilent,
)
from autostack.entrypoints.local.heal import SERVICE
from autostack.entrypoints.local.leftovers import Leftover
from autostack.entrypoints.local.programs import processes, supervisor_config, wanted
from autostack.entrypoints.local.supervisor import Supervisor
from autostack.entrypoints.supervise import failed

Say = Callable[[str], None]


def up(settings: Settings, *, detach: bool, say: Say) -> None:
    """Bring the platform up, or what is missing of it. In the foreground this becomes the
    supervisor and does not return.
    """
    home = settings.layout
    house.claim(home)
    with lock.held(home):
        heal.call_off(home)
        running = supervisor.reach(home)
        if running and not detach and os.environ.get(SERVICE):
            # "It runs already" would be the service's end, and its end that of every app.
            raise StartedByHand
        if running:
            _complete(settings, running, say)
        elif detach:
            _begin(settings, say)
        else:
            _become(settings, say)


def _complete(settings: Settings, running: Supervisor, say: Say) -> None:
    """Start what an earlier `down` stopped."""
    _check_addresses(settings)
    missing = _stopped(settings, running)
    told = environ.clean(os.environ, home=settings.home)
    if missing:
        handover.give(settings.layout, told)
    elif changed := handover.differ(settings.layout, told):
        say(f"It runs with other settings ({', '.join(changed)}). To change them: autostack down,")
        say("then autostack up.")
    running.start(*missing)
    try:
        ready.wait(settings, alive=lambda: True)
    except AutostackError:
        running.stop(*missing, seconds=stop.SHUTDOWN_LIMIT)
        raise
    say("AutoStack is up again." if missing else "AutoStack runs already.")
    say(words.welcome(settings))


def _addresses(settings: Settings) -> dict[str, str]:
    names = ("AUTOSTACK_BIND", "AUTOSTACK_PORT", "AUTOSTACK_EDGE_PORT")
    told = environ.as_environ(settings)
    return {name: told[name] for name in names}


def _addresses_file(settings: Settings) -> Path:
    return settings.layout.run / "addresses.json"


def _check_addresses(settings: Settings) -> None:
    """A running supervisor hands on the settings of its own start."""
    now: dict[str, str] = json.loads(_addresses_file(settings).read_text())
    asked = _addresses(settings)
    changed = {name: (now[name], asked[name]) for name in asked if now[name] != asked[name]}
    if changed:
        raise RunsOtherwise(changed)


def _stopped(settings: Settings, running: Supervisor) -> list[str]:
    """The groups that are down, in the order of starting."""
    states = {process.name: process.state for process in running.processes()}
    up_states = {supervisor.RUNNING, supervisor.STARTING, "BACKOFF"}
    return [
        program.name
        for program in wanted(settings)
        if any(states.get(name) not in up_states for name in processes(program))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """All that is needed to start the supervisor."""

    argv: list[str]
    environ: dict[str, str]
    edge: socket
    adopted: Sequence[Leftover]
    """What answers visitors already and goes on doing so."""


def _begin(settings: Settings, say: Say) -> None:
    prepared = _prepare(settings, say)
    home = settings.layout
    with home.platform_log("startup").open("wb") as log, prepared.edge as edge:
        process = subprocess.Popen(
            prepared.argv,
            env=prepared.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[edge.fileno()],
            start_new_session=True,
            cwd="/",
        )
    try:
        ready.wait(settings, alive=lambda: process.poll() is None)
    except BaseException:
        stop.take_back(home, keep=prepared.adopted)
        raise
    say(words.welcome(settings))


def _become(settings: Settings, say: Say) -> None:
    """One process for whoever watches us: this one is the supervisor, a child says how it went."""
    prepared = _prepare(settings, say)
    failed(settings.layout).unlink(missing_ok=True)
    me = identify(os.getpid())
    assert me is not None
    if os.fork() == 0:
        os._exit(_report(settings, me, prepared.adopted, say))
    prepared.edge.set_inheritable(True)
    os.execve(prepared.argv[0], prepared.argv, prepared.environ)  # noqa: S606 - no shell wanted


def _report(
    settings: Settings, supervising: Identity, adopted: Sequence[Leftover], say: Say
) -> int:
    service = bool(os.environ.get(SERVICE))
    try:
        ready.wait(settings, alive=lambda: supervising.alive)
        say(words.welcome(settings))
        if not service:
            say("Ctrl-C ends everything, apps included.")
    except KeyboardInterrupt:
        return 0
    except AutostackError as error:
        say(f"{error}\n{error.hint}")
        if service and isinstance(error, NotReady):
            # At a boot all starts at once. Ended now it would only begin anew, for ever.
            say("It goes on starting.")
            return 0
        failed(settings.layout).touch()
        stop.take_back(settings.layout, keep=adopted)
        return 1
    return 0


def _prepare(settings: Settings, say: Say) -> _Prepared:
    """Everything that can go wrong goes wrong here, before anything runs."""
    home = settings.layout
    if found := noted(home.run / "supervisor.pid"):
        raise SupervisorSilent(found.pid)
    told = environ.clean(os.environ, home=home.root)
    edge, adopted = _clear(settings, told, say)
    house.furnish(settings)
    for refusal in home.run.glob("*.refusal"):
        refusal.unlink()
    _addresses_file(settings).write_text(json.dumps(_addresses(settings)))
    handover.give(home, told)
    config = home.run / "supervisord.conf"
    config.write_text(supervisor_config(settings), encoding="utf-8")
    return _Prepared(argv=_argv(home, edge), environ=told, edge=edge, adopted=adopted)


def _argv(home: Home, edge: socket) -> list[str]:
    module = "autostack.entrypoints.supervise"
    return [sys.executable, "-m", module, str(home.root), str(edge.fileno())]


def _clear(
    settings: Settings, told: Mapping[str, str], say: Say
) -> tuple[socket, Sequence[Leftover]]:
    """The edge's listening socket, the certainty that the API will get its own, and what serves
    visitors already and may go on. With other settings it may not.
    """
    home = settings.layout
    found = leftovers.find(home)
    serving = leftovers.serving(found)
    ending = [each for each in found if each not in serving]
    if ending:
        names = ", ".join(each.name for each in ending)
        say(f"Ending what an earlier supervisor left behind: {names}. Apps go on serving.")
    leftovers.end(ending)
    edge = leftovers.take_edge_socket(serving, settings.edge_port)
    if edge is None or handover.differ(home, told):
        # Whoever comes in between waits in the queue of the socket, if we have it.
        leftovers.end(serving)
        serving = []
    edge = edge or sockets.listen_edge(settings)
    try:
        sockets.listen_api(settings).close()
    except AutostackError:
        edge.close()
        raise
    return edge, serving


_TRIES, _PAUSE = 20, 15.0


def main() -> None:
    """What control calls when its supervisor was killed: nobody else would try again."""
    heal.begin(Settings().layout)
    for left in reversed(range(_TRIES)):
        try:
            up(Settings(), detach=True, say=lambda line: print(line, flush=True))  # noqa: T201
        except AutostackError as error:
            sys.stderr.write(f"{error} {error.hint}\n")
            if not left:
                raise
            time.sleep(_PAUSE)
        else:
            return


if __name__ == "__main__":
    main()
