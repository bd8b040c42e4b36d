"""The supervisor: PyPI supervisord with a listening socket that is older than itself.

Run by `autostack up` as `python -m autostack.entrypoints.supervise HOME EDGE_FD`. It imports
little: it lives as long as the platform. supervisord has no types; this file is the edge to it.
"""

# pyright: basic

import os
import signal
import socket
import sys
from pathlib import Path

from supervisor import supervisord
from supervisor.options import FastCGIGroupConfig, ServerOptions

from autostack.core.home import Home
from autostack.drivers.builders import pythons
from autostack.drivers.machine import identity, view


def main() -> int:
    home, edge_fd = Home(Path(sys.argv[1])), int(sys.argv[2])
    os.set_inheritable(edge_fd, False)  # noqa: FBT003 - the standard library's
    if os.geteuid() == 0:
        # Programs without root must reach the interpreter, the code and the home.
        view.enter(needed_by_all(home))
    os.chdir(home.root)
    me = identity.identify(os.getpid())
    if me is not None:
        identity.note(home.run / "supervisor.pid", me)
    _serve(home, edge_fd)
    return 1 if failed(home).exists() else 0


def failed(home: Home) -> Path:
    """Left by an `up` in the foreground whose platform did not come up."""
    return home.run / "failed"


def needed_by_all(home: Home) -> list[Path]:
    """What programs of other users read: the home, the interpreters, our packages."""
    return [
        home.root,
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(os.path.realpath(sys.executable)).parent.parent,
        # The directories packages are looked up in: without their listing Python finds nothing.
        *(Path(entry) for entry in sys.path if entry),
        # Others beside ours, for apps that ask for them.
        *(program.parent.parent for _, program in pythons.found(home.toolchains)),
    ]


class _Options(ServerOptions):  # type: ignore[misc]
    first = True
    test = False

    def setsignals(self) -> None:
        super().setsignals()
        # A terminal that closes must not restart every app.
        signal.signal(signal.SIGHUP, lambda *_: None)


def _serve(home: Home, edge_fd: int) -> None:
    options = _Options()
    options.realize(["-c", str(home.run / "supervisord.conf")])

    _hold(options, edge_fd)
    supervisord.go(options)


def _hold(options: ServerOptions, fd: int) -> None:
    """The edge's socket stays open here, whatever becomes of the edge."""
    for group in options.process_group_configs:
        if isinstance(group, FastCGIGroupConfig):
            group.socket_config.create_and_bind = lambda: socket.socket(fileno=os.dup(fd))


if __name__ == "__main__":
    sys.exit(main())
