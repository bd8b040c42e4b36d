"""The two listening sockets of the platform: taken, checked, or taken over."""

import ctypes
import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from autostack.core.settings import Settings
from autostack.drivers.machine.identity import Identity
from autostack.entrypoints.local.errors import AddressUnknown, PortForbidden, PortInUse

API_BACKLOG = 1024
EDGE_BACKLOG = 4096
_PIDFD_GETFD = 438  # pidfd_getfd(2), the same number on every architecture
# Each environment has a loopback address of its own, so the edge listens on all of them.
_EVERYWHERE = "0.0.0.0"  # noqa: S104


def listen_api(settings: Settings) -> socket.socket:
    return _listen(
        settings.bind,
        settings.port,
        backlog=API_BACKLOG,
        purpose="the API and dashboard",
        setting="AUTOSTACK_PORT",
    )


def listen_edge(settings: Settings) -> socket.socket:
    return _listen(
        _EVERYWHERE,
        settings.edge_port,
        backlog=EDGE_BACKLOG,
        purpose="the deployed apps",
        setting="AUTOSTACK_EDGE_PORT",
        interface=None if settings.base_domain else "lo",
    )


def take_over(process: Identity, port: int) -> socket.socket | None:
    """The socket another process listens with: nobody is refused while it changes hands.

    None where the kernel does not give it away; then there is a moment without a listener.
    """
    try:
        pidfd = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return None
    try:
        return next(_listeners(process.pid, pidfd, port), None)
    finally:
        os.close(pidfd)


def holder(port: int) -> str | None:
    """Who listens there, as far as we may know: `nginx (pid 812)`."""
    try:
        found = psutil.net_connections(kind="tcp")
    except psutil.Error:
        return None
    for each in found:
        listens = each.status == psutil.CONN_LISTEN
        if listens and each.pid and each.laddr and each.laddr.port == port:
            return _described(each.pid)
    return None


def _listen(
    host: str,
    port: int,
    *,
    backlog: int,
    purpose: str,
    setting: str,
    interface: str | None = None,
) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if interface:
        _keep_to(made, interface)
    try:
        made.bind((host, port))
        made.listen(backlog)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                port=port, purpose=purpose, setting=setting, holder=holder(port)
            ) from None
        if error.errno == errno.EACCES:
            raise PortForbidden(port=port, purpose=purpose, setting=setting) from None
        raise AddressUnknown(host) from error
    return made


def _keep_to(made: socket.socket, interface: str) -> None:
    """Without a domain apps are for this machine only, and the kernel can see to that as well."""
    if sys.platform != "linux":
        return
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    except OSError:
        # Not every kernel lets a normal user; the edge asks for the client's address anyway.
        return


def _listeners(pid: int, pidfd: int, port: int) -> Iterator[socket.socket]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            is_socket = str(entry.readlink()).startswith("socket:")
        except OSError:
            continue
        if is_socket and (found := _copy(pidfd, int(entry.name))):
            if _listens(found, port):
                yield found
            else:
                found.close()


def _copy(pidfd: int, number: int) -> socket.socket | None:
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(_PIDFD_GETFD, pidfd, number, 0)
    return socket.socket(fileno=fd) if fd >= 0 else None


def _listens(found: socket.socket, port: int) -> bool:
    if found.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    accepting = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(accepting) and found.getsockname()[1] == port


def _described(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"
