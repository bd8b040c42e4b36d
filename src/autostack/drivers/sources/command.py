"""How git is called: argv and environment, decided here and run elsewhere.

The clone is hostile data, so git runs with no configuration but ours, in an environment built
from nothing, never inside a tree somebody else wrote.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path

from autostack.core.addresses import IPAddress
from autostack.engine.address import SSH_PORT, Address
from autostack.engine.release import Credential

# git 2.37 knows http.curloptResolve; an older one would ignore it and resolve the name again.
OLDEST_GIT = (2, 37)
_ALL = 2**31 - 1  # git's own word for: the whole history

_SAFE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.fsync": "none",  # a mirror that is damaged is made anew
    "core.bigFileThreshold": "16m",  # larger blobs are streamed, not held in memory
    "safe.bareRepository": "explicit",
    "safe.directory": "*",  # our own mirrors, perhaps owned by the user git runs as
    "credential.helper": "",
    "protocol.allow": "never",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.postBuffer": str(1024 * 1024),
    "gc.auto": "0",
    "maintenance.auto": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.unpackLimit": "1",
    "submodule.recurse": "false",
    "fetch.writeCommitGraph": "false",
    "advice.detachedHead": "false",
    "transfer.bundleURI": "false",
    "protocol.version": "2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A repository that may be contacted: the address, and where its host was found."""

    address: Address
    at: tuple[IPAddress, ...]
    credential: Credential | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Files git may use: its private HOME, the programs, and the CA bundle if it is not the
    system's own. `ssh` is the wrapper that pins the connection.
    """

    home: Path
    git: str
    path: str
    ca_file: Path | None = None
    ssh: Path | None = None


def git_env(place: Place, remote: Remote | None, *, low_speed: int) -> Mapping[str, str]:
    """The whole environment of one git process. A token lives here and nowhere else."""
    config = {**_SAFE, "http.lowSpeedTime": str(low_speed)}
    if remote is not None:
        config.update(_transport(remote, place))
    env = {
        "HOME": str(place.home),
        "PATH": place.path,
        "LC_ALL": "C",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_ALLOW_PROTOCOL": remote.address.scheme if remote else "none",
        "GIT_PROTOCOL_FROM_USER": "0",
    }
    if place.ssh is not None:
        env |= {"GIT_SSH": str(place.ssh), "GIT_SSH_VARIANT": "ssh"}
    return {**env, **_as_env(config)}


def ls_remote_args(url: str) -> Sequence[str]:
    return ("ls-remote", "--quiet", "--symref", "--end-of-options", url)


def fetch_args(url: str, refspecs: Sequence[str], *, depth: int | None) -> Sequence[str]:
    """Only what is asked for: no tags, no notes, and the newest commit unless told otherwise."""
    flags = ("--quiet", "--no-tags", "--no-write-fetch-head", "--force", "--update-shallow")
    return ("fetch", *flags, f"--depth={depth or _ALL}", "--end-of-options", url, *refspecs)


def ssh_config(remote: Remote, *, known_hosts: Path, key: Path | None) -> str:
    """What ssh is told: connect to the address that was checked, by the name it is known under,
    with our key and no other, asking nobody.
    """
    address = remote.address
    alias = address.host if address.port == SSH_PORT else f"[{address.host}]:{address.port}"
    pinned = bool(remote.credential and remote.credential.known_hosts)
    lines = [
        "Host *",
        f"HostName {remote.at[0]}",
        f"HostKeyAlias {alias}",
        f"UserKnownHostsFile {_quoted(known_hosts)}",
        "GlobalKnownHostsFile /dev/null",
        f"StrictHostKeyChecking {'yes' if pinned else 'accept-new'}",
        "CheckHostIP no",
        "BatchMode yes",
        "ConnectTimeout 10",
        "ServerAliveInterval 10",
        "ServerAliveCountMax 3",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        "PreferredAuthentications publickey",
        "ForwardAgent no",
        "ForwardX11 no",
        "ClearAllForwardings yes",
        "PermitLocalCommand no",
        "ControlMaster no",
        "ControlPath none",
        "UpdateHostKeys no",
        "LogLevel ERROR",
        f"IdentityFile {_quoted(key) if key else 'none'}",
    ]
    return "\n".join(lines) + "\n"


def ssh_wrapper(config: Path, *, ssh: str) -> str:
    """GIT_SSH names a program, so ours adds the one option git cannot pass. Paths are our own."""
    return f'#!/bin/sh\nexec "{_plain(ssh)}" -F "{_plain(str(config))}" "$@"\n'


def _transport(remote: Remote, place: Place) -> Mapping[str, str]:
    address = remote.address
    config = {f"protocol.{address.scheme}.allow": "always"}
    if address.scheme == "ssh":
        return config
    if ":" not in address.host:
        answers = ",".join(_bracketed(one) for one in remote.at)
        config["http.curloptResolve"] = f"{address.host}:{address.port}:{answers}"
    if place.ca_file is not None:
        config["http.sslCAInfo"] = str(place.ca_file)
    if remote.credential is not None and remote.credential.token:
        config[f"http.{address.url}.extraHeader"] = f"Authorization: {_basic(remote.credential)}"
    return config


def _basic(credential: Credential) -> str:
    # Forges take any user name beside a token; this is the one GitHub and GitLab document.
    pair = f"{credential.username or 'x-access-token'}:{credential.token}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _as_env(config: Mapping[str, str]) -> Mapping[str, str]:
    env = {"GIT_CONFIG_COUNT": str(len(config))}
    for number, (key, value) in enumerate(config.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _quoted(path: Path) -> str:
    return f'"{_plain(str(path))}"'


def _plain(text: str) -> str:
    """Our own paths go into two small files; refuse a home directory that would break them."""
    if any(char in text for char in '"\\$`\n%'):
        raise ValueError(f"AUTOSTACK_HOME must not contain quotes or dollar signs: {text!r}")
    return text


def version(out: bytes) -> tuple[int, int]:
    """`git version 2.39.5` → (2, 39); words that are no version count as too old."""
    found = re.search(r"git version (\d+)\.(\d+)", out.decode(errors="replace"))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _bracketed(address: IPAddress) -> str:
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)
