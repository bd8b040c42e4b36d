"""One build as the engine carries it out: the request, its account, and its certain end."""

import base64
import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import IO, Any
from uuid import UUID

from autostack.drivers.builders.docker_trace import Trace
from autostack.drivers.machine.docker import Client
from autostack.engine.errors import (
    BaseImageUnavailable,
    BuildError,
    BuildFailed,
    BuildOutOfMemory,
    DockerfileRefused,
    OutOfDisk,
)
from autostack.engine.release import Limits

KILLED = 137
_CODE = re.compile(r"(?:non-zero code|exit code): (\d+)")
_COMMAND = re.compile(r"(?:command '|running \[|process \")(.+?)(?:'|\]|\"):? ")
_LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Query of `POST /build`. `group` is a cgroup all its containers are put into."""

    id: UUID
    tag: str
    dockerfile: str
    arguments: Mapping[str, str]
    labels: Mapping[str, str]
    limits: Limits
    network: str
    modern: bool
    group: str | None = None

    def query(self) -> dict[str, str]:
        """Memory without swap; BuildKit knows neither and goes by the group alone."""
        asked = {
            "t": self.tag,
            "dockerfile": self.dockerfile,
            "buildargs": json.dumps(dict(self.arguments)),
            "labels": json.dumps(dict(self.labels)),
            "networkmode": self.network,
            "memory": str(self.limits.memory),
            "memswap": str(self.limits.memory),
            "rm": "1",
            "forcerm": "1",
            "version": "2" if self.modern else "1",
        }
        if self.modern:
            asked["buildid"] = str(self.id)
        if self.group:
            asked["cgroupparent"] = self.group
        return asked


class Build:
    """A build under way, in a thread. `end` may be called from another one at any time."""

    def __init__(self, client: Client, on_output: Callable[[bytes], None]) -> None:
        self._client = client
        self._on_output = on_output
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._ended = False

    def run(self, request: Request, context: IO[bytes]) -> None:
        """To its end; raises what it came to."""
        answer = self._client.post(
            f"{self._client.base_url}/v{self._client.api_version}/build",
            params=request.query(),
            data=context,
            headers={"Content-Type": "application/x-tar"},
            stream=True,
            timeout=None,
        )
        try:
            with self._lock:
                self._socket = answer.raw.connection.sock if answer.raw.connection else None
            if self._ended:
                self.end()
            if not answer.ok:
                raise failure(_message(answer.content), limits=request.limits)
            self._read(answer.iter_lines(), request)
        finally:
            answer.close()

    def end(self) -> None:
        """The engine ends the build when nobody listens any more."""
        self._ended = True
        with self._lock, suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self, lines: Iterator[bytes], request: Request) -> None:
        trace = Trace()
        for line in lines:
            if not line.strip():
                continue
            told = _told(line)
            if "error" in told or "errorDetail" in told:
                raise failure(_error(told), limits=request.limits)
            text = _words(told, trace)
            if text:
                self._on_output(text)


def _told(line: bytes) -> dict[str, Any]:
    """One message. Half of one is the last of an engine that was killed."""
    from requests.exceptions import ConnectionError as Gone  # noqa: PLC0415 - see machine.docker

    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise Gone(line[:_LONGEST]) from error
    return found


def _words(told: Mapping[str, Any], trace: Trace) -> bytes:
    if told.get("id") == "moby.buildkit.trace":
        with suppress(ValueError):
            return trace.read(base64.b64decode(str(told.get("aux", ""))))
        return b""
    return str(told.get("stream", "")).encode(errors="replace")


def _error(told: Mapping[str, Any]) -> str:
    detail: Mapping[str, Any] = told.get("errorDetail") or {}
    return str(detail.get("message") or told.get("error") or "it gave no reason")


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")[:_LONGEST]


def failure(message: str, *, limits: Limits) -> BuildError:
    """The engine's words for what went wrong, as an error of ours."""
    if "no space left on device" in message:
        return OutOfDisk("the image")
    code = _CODE.search(message)
    if code:
        if int(code[1]) == KILLED:
            return BuildOutOfMemory(limits.memory)
        command = _COMMAND.search(message)
        return BuildFailed(command[1][:_LONGEST] if command else "The build", int(code[1]))
    return DockerfileRefused(" ".join(message.split()).rstrip(".")[:_LONGEST])


def fetch(client: Client, image: str, on_output: Callable[[bytes], None]) -> None:
    """A base image that is not here yet. The engine's account of layers is not passed on."""
    from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

    on_output(f"Fetching the base image {image}.\n".encode())
    name, tag = split(image)
    try:
        for told in client.pull(name, tag=tag, stream=True, decode=True):
            if "error" in told:
                raise BaseImageUnavailable(image, _error(told).rstrip("."))
    except APIError as error:
        reason = str(error.explanation or error).rstrip(".")
        raise BaseImageUnavailable(image, reason) from error


def split(image: str) -> tuple[str, str | None]:
    """Name and tag or digest; a port of a registry is no tag."""
    if "@" in image:
        name, _, digest = image.partition("@")
        return name, digest
    name, colon, tag = image.rpartition(":")
    return (name, tag) if colon and "/" not in tag else (image, "latest")
