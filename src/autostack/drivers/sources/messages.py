"""What git's words mean. Read under LC_ALL=C; what the server says ("remote: …") is only
believed about the repository not being there.
"""

import re
from collections.abc import Sequence

from autostack.core.errors import AutostackError
from autostack.engine.address import Address
from autostack.engine.errors import (
    OutOfDisk,
    RepositoryDenied,
    RepositoryRefused,
    RepositoryUnreachable,
    SourceError,
)

_DENIED = (
    "Authentication failed for",
    "could not read Username",
    "could not read Password",
    "invalid credentials",
    "Permission denied",
    "Repository not found",
    "Could not read from remote repository: access",
    "does not appear to be a git repository",
    "not valid: is this a git repository",
    "repository access denied",
    "The project you were looking for could not be found",
)
_DENIED_LINE = re.compile(r"fatal: repository '.*' not found|returned error: (401|403|404|410)\b")
_UNREACHABLE = (
    (re.compile(r"Could not resolve (host|hostname)"), "its name has no address"),
    (
        re.compile(r"Connection refused|Couldn't connect to server|Failed to connect"),
        "nothing answers there",
    ),
    (
        re.compile(r"timed out|Timeout was reached|Operation too slow", re.IGNORECASE),
        "it did not answer in time",
    ),
    (re.compile(r"No route to host|Network is unreachable"), "there is no route to it"),
    (
        re.compile(r"SSL certificate problem|certificate verif|SSL: no alternative"),
        "its TLS certificate is not trusted",
    ),
    (
        re.compile(r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "its ssh host key is not the one we know",
    ),
    (
        re.compile(r"returned error: 5\d\d|returned error: 429"),
        "it answers with an error of its own",
    ),
    (re.compile(r"SSL|TLS|gnutls", re.IGNORECASE), "the TLS connection failed"),
    (
        re.compile(
            r"hung up unexpectedly|early EOF|RPC failed|unexpected disconnect|Connection reset"
            r"|Connection closed|Empty reply|protocol error|expected flush|bad line length"
            r"|Broken pipe|invalid server response|kex_exchange_identification"
        ),
        "the connection broke off",
    ),
)
_ABSENT = ("couldn't find remote ref", "not our ref")
_UNADVERTISED = "does not allow request for unadvertised object"


def is_absent(stderr: str) -> bool:
    """The remote is fine, but has no such branch, tag or commit."""
    return any(sign in line for line in _lines(stderr) for sign in _ABSENT)


def is_unadvertised(stderr: str) -> bool:
    """An older server that gives out branches and tags, but no commit by its id."""
    return _UNADVERTISED in stderr


def last_line(stderr: str) -> str:
    """The end of what git said, fit for one line of ours."""
    lines = [line for line in _lines(stderr) if line.strip()]
    text = lines[-1] if lines else "git failed without a word"
    return "".join(char for char in text if char.isprintable())[:200]


def explain(stderr: str, address: Address) -> AutostackError | None:
    """The failure in our words; None when the words say nothing about the remote, and the
    mirror itself may be at fault.
    """
    text = "\n".join(_lines(stderr))
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return OutOfDisk("the repository")
    if re.search(r"returned error: 30\d", text):
        return RepositoryRefused("it redirects elsewhere; use the address it leads to")
    if "mismatched algorithms" in text:
        return RepositoryRefused("it uses SHA-256 object names, which are not taken yet")
    return _denied(text, address) or _unreachable(text, address)


def _denied(text: str, address: Address) -> SourceError | None:
    if any(sign in text for sign in _DENIED) or _DENIED_LINE.search(text):
        return RepositoryDenied(address.url)
    return None


def _unreachable(text: str, address: Address) -> SourceError | None:
    for pattern, reason in _UNREACHABLE:
        if pattern.search(text):
            return RepositoryUnreachable(address.host, reason)
    return None


def _lines(stderr: str) -> Sequence[str]:
    return [
        line
        for line in stderr.splitlines()
        if not line.startswith("remote: ") or "not found" in line or "not our ref" in line
    ]
