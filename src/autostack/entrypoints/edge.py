"""The edge's two processes, started by the supervisor as one group on one listening socket.

Process 0 becomes Traefik. Process 1 serves the platform's own pages and, by being there, keeps
the listening socket open while Traefik restarts: connections wait in its queue, none is refused.
"""

import argparse
import errno
import fcntl
import os
import pwd
import socket
import sys
import sysconfig
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import autostack
from autostack.core.home import Home
from autostack.drivers.machine import privileges, users
from autostack.drivers.routers import certificates, documents, holder
from autostack.drivers.routers.traefik import RouteFiles

INHERITED = 0
FIRST_PASSED = 3
# Without `site` the process starts quicker and stays smaller; the path is all it lacks.
HOLDER = """
import sys
sys.path.append(sys.argv[1])
from autostack.drivers.routers.holder import main
main(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What the edge is told. `user` is who it runs as when started by root."""

    home: Home
    port: int
    user: str | None = None
    trusted_proxies: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    edge = Edge(
        home=Home(asked.home),
        port=asked.port,
        user=asked.user,
        trusted_proxies=tuple(asked.trusted_proxy),
    )
    files = RouteFiles(edge.home.edge)
    _make_directories(files, edge)
    if asked.number == 0:
        become_traefik(edge, files)
    else:
        become_pages(edge, files)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="autostack-edge")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--number", type=int, choices=(0, 1), required=True)
    parser.add_argument("--user")
    parser.add_argument("--trusted-proxy", action="append", default=[])
    return parser


def become_traefik(edge: Edge, files: RouteFiles) -> None:
    """Hand over the sockets as systemd would, by entry point name, and become Traefik."""
    files.sweep()
    _make_pages_known(files)
    config = edge.home.edge / "static.yml"
    trusted = edge.trusted_proxies
    files.write(
        config, documents.static(port=edge.port, directory=files.routes, trusted_proxies=trusted)
    )
    metrics = _listen(_remembered_port(edge.home.edge / "metrics"))
    _remember(files, edge.home.edge / "metrics", metrics)
    _, gid = _who(edge)
    os.chown(config, -1, gid)
    # Opened before the privileges go: the way to it may lead through root's own directories.
    binary = _out_of_the_way(os.open(Path(sysconfig.get_path("scripts"), "traefik"), os.O_RDONLY))
    _pass_on(INHERITED, metrics.detach())
    holder.bar(socket.socket(fileno=os.dup(INHERITED)))
    files.write(edge.home.edge / "pid", f"{os.getpid()}\n")
    if os.geteuid() == 0 and edge.user is not None:
        privileges.become(users.ensure_user(edge.user))
    passed = {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": "2",
        "LISTEN_FDNAMES": "web:metrics",
        # Collects garbage half as often: a fifth less CPU a request, for about 12 MB.
        "GOGC": "200",
    }
    # No other environment: a route file could read it.
    os.execve(binary, ["traefik", f"--configFile={config}"], passed)  # noqa: S606


def become_pages(edge: Edge, files: RouteFiles) -> None:
    """Listen, tell Traefik where, and become a small program that stays."""
    known = edge.home.edge / "pages"
    listener = _listen(_remembered_port(known))
    port = _remember(files, known, listener)
    files.write(_pages_file(files), _pages_text(port))
    uid, gid = _who(edge)
    _pass_on(listener.detach())
    privileges.forbid_new_privileges()
    source = str(Path(autostack.__file__).parents[1])
    start = [sys.executable, "-I", "-S", "-c", HOLDER, source, str(uid), str(gid)]
    os.execve(sys.executable, [*start, str(edge.home.edge)], {})  # noqa: S606


def _make_pages_known(files: RouteFiles) -> None:
    """Routers that name a missing service are dropped, so it exists from the first moment."""
    path = _pages_file(files)
    if not path.exists():
        # Port 9 answers nobody; the other process is about to write its own.
        first = files.staging / "first"
        files.write(first, _pages_text(9))
        with suppress(FileExistsError):
            os.link(first, path)
        first.unlink()


def _pages_file(files: RouteFiles) -> Path:
    return files.routes / f"{documents.PAGES}.yml"


def _pages_text(port: int) -> str:
    made = documents.pages(f"127.0.0.1:{port}", certificate=certificates.self_signed())
    return documents.encode(made, generation=0)


def _listen(port: int) -> socket.socket:
    """A loopback socket, on the same port as last time if nobody took it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        listener.bind(("127.0.0.1", 0))
    listener.listen(holder.BACKLOG)
    return listener


def _remembered_port(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _remember(files: RouteFiles, path: Path, listener: socket.socket) -> int:
    port = int(listener.getsockname()[1])
    files.write(path, f"{port}\n")
    return port


def _pass_on(*descriptors: int) -> None:
    """Put sockets at descriptors 3, 4, … for the next program."""
    aside = [_out_of_the_way(each) for each in descriptors]
    for place, descriptor in enumerate(aside, start=FIRST_PASSED):
        os.dup2(descriptor, place)


def _out_of_the_way(descriptor: int) -> int:
    """A copy with a high number, closed when the next program starts."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 64)


def _who(edge: Edge) -> tuple[int, int]:
    if os.geteuid() != 0 or edge.user is None:
        return os.getuid(), os.getgid()
    found = pwd.getpwnam(edge.user)
    return found.pw_uid, found.pw_gid


def _make_directories(files: RouteFiles, edge: Edge) -> None:
    """The edge's user may read routes and nothing else; files take the directory's group."""
    files.prepare()
    _, gid = _who(edge)
    for directory in (files.routes.parent, files.routes, files.staging):
        os.chown(directory, -1, gid)
        directory.chmod(0o2750)


if __name__ == "__main__":
    main()
