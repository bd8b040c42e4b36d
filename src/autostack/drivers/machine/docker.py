"""The Docker engine of this platform, asked through its SDK.

The SDK costs 10 MB and 0.3 s, so only a call that needs it imports it. It blocks: every call
goes to a thread. Nothing of its types or errors leaves the Docker drivers.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Protocol, TypeVar, cast

from autostack.engine.errors import EngineUnavailable

T = TypeVar("T")

DEFAULT = "unix:///var/run/docker.sock"
LABEL = "autostack.home"
"""On everything we make: the home of the platform it belongs to."""
PING_SECONDS = 2.0
SECONDS = 60.0
"""For one ordinary call."""
MOST_CALLS = 256
"""At once; a thread begins only when it is needed."""


Document = dict[str, Any]


class Client(Protocol):
    """What we use of docker.APIClient, with the types it has in truth."""

    @property
    def base_url(self) -> str: ...
    @property
    def api_version(self) -> str: ...
    def close(self) -> None: ...
    def get(self, url: str) -> Any: ...  # noqa: ANN401 - a requests.Response
    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str],
        data: IO[bytes],
        headers: Mapping[str, str],
        stream: bool,
        timeout: float | None,
    ) -> Any: ...  # noqa: ANN401 - a requests.Response
    def info(self) -> Document: ...
    def df(self) -> Document: ...
    def inspect_container(self, container: str) -> Document: ...
    def containers(
        self,
        *,
        all: bool,  # noqa: A002 - the library's name
        filters: Mapping[str, list[str]] = ...,
    ) -> list[Document]: ...
    def create_container_from_config(self, config: Document, name: str) -> Document: ...
    def start(self, container: str) -> None: ...
    def kill(self, container: str, signal: str | None = ...) -> None: ...
    def wait(self, container: str, timeout: float | None = ...) -> Document: ...
    def update_container(self, container: str, *, restart_policy: Document) -> Document: ...
    def remove_container(self, container: str, *, force: bool = ..., v: bool = ...) -> None: ...
    def logs(
        self, container: str, *, stdout: bool, stderr: bool, stream: bool, follow: bool
    ) -> Iterator[bytes]: ...
    def exec_create(self, container: str, command: list[str], /) -> Document: ...
    def exec_inspect(self, made: str, /) -> Document: ...
    def events(
        self, *, since: str, until: str, filters: Mapping[str, list[str]], decode: bool
    ) -> Iterator[Document]: ...
    def networks(self, names: list[str] | None = ...) -> list[Document]: ...
    def create_network(
        self,
        name: str,
        *,
        driver: str,
        options: Mapping[str, str],
        ipam: Document,
        labels: Mapping[str, str],
        check_duplicate: bool,
    ) -> Document: ...
    def remove_network(self, net_id: str) -> None: ...
    def images(self, *, filters: Mapping[str, list[str]] = ...) -> list[Document]: ...
    def inspect_image(self, image: str) -> Document: ...
    def remove_image(self, image: str) -> list[Document]: ...
    def pull(
        self, repository: str, *, tag: str | None = ..., stream: bool, decode: bool
    ) -> Iterator[Document]: ...
    def import_image_from_file(self, filename: str, *, repository: str, tag: str) -> str: ...


def connect(address: str, *, seconds: float = SECONDS) -> Client:
    from docker import APIClient  # noqa: PLC0415 - see above

    return cast("Client", APIClient(base_url=address, version="auto", timeout=int(seconds)))


def address(setting: str | None) -> str:
    """Of the engine: the setting, else what Docker's own programs go by."""
    return setting or os.environ.get("DOCKER_HOST") or DEFAULT


class Engine:
    """One engine. Cheap until it is used."""

    def __init__(self, address: str, *, home: Path) -> None:
        self.address = address
        self.home = home
        self._threads = ThreadPoolExecutor(MOST_CALLS, thread_name_prefix="docker")

    @property
    def labels(self) -> dict[str, str]:
        return {LABEL: str(self.home)}

    @property
    def mine(self) -> dict[str, list[str]]:
        """The filter that finds what belongs to this platform."""
        return {"label": [f"{LABEL}={self.home}"]}

    @cached_property
    def _client(self) -> Client:
        return connect(self.address)

    def client(self) -> Client:
        """For calls made in a thread already; `ask` is the way from a task."""
        from docker.errors import DockerException  # noqa: PLC0415 - see above

        try:
            return self._client
        except DockerException as error:
            raise EngineUnavailable(self.address) from error

    async def ask(self, work: Callable[[Client], T]) -> T:
        """`work` in a thread, which is never left behind: a canceled task waits for its end.

        EngineUnavailable when the engine does not answer; what the engine itself refuses is
        docker.errors.APIError.
        """
        future = self.begin(work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future})
            if not future.cancelled():
                future.exception()
            raise

    def begin(self, work: Callable[[Client], T]) -> "asyncio.Future[T]":
        """For what takes long; the caller sees to it that it ends. Threads of our own: those
        that everybody shares are few.
        """
        return asyncio.get_running_loop().run_in_executor(self._threads, self._ask, work)

    def _ask(self, work: Callable[[Client], T]) -> T:
        from requests import exceptions  # noqa: PLC0415 - see above
        from urllib3.exceptions import ProtocolError  # noqa: PLC0415 - see above

        # The last two are an answer that ends in its middle: whoever gave it was killed.
        gone = (
            exceptions.ConnectionError, exceptions.Timeout,
            exceptions.ChunkedEncodingError, ProtocolError,
        )  # fmt: skip
        try:
            return work(self.client())
        except gone as error:
            raise EngineUnavailable(self.address) from error

    def close(self) -> None:
        """Its connections; it may be used again."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def answers(self) -> bool:
        """Whether somebody is there now; costs a connection and does not import the SDK."""
        scheme, _, place = self.address.partition("://")
        try:
            if scheme == "unix":
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as plug:
                    plug.settimeout(PING_SECONDS)
                    plug.connect(place)
                    return _pings(plug)
            host, _, port = place.rpartition(":")
            with socket.create_connection((host, int(port)), timeout=PING_SECONDS) as plug:
                return _pings(plug)
        except (OSError, ValueError):
            return False


def _pings(plug: socket.socket) -> bool:
    plug.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
    return b" 200 " in plug.recv(64)


def shows(pid: int, container: str) -> bool:
    """Whether this process of ours can be looked at here: the engine runs on this machine, and
    we see what it runs.
    """
    try:
        return pid > 0 and container in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False
