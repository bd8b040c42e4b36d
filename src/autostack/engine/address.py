"""Where a repository may live. Pure: the api asks before it stores, the driver before it fetches.

Anything git would take beyond https, ssh and, for listed hosts, http is refused: other
transports run programs or read this machine's files.
"""

import re
import unicodedata
from dataclasses import dataclass

from autostack.core.addresses import HostRefused, PrivateHosts, checked_host
from autostack.engine.errors import BranchNotFound, RepositoryRefused

SSH_PORT = 22
_LONGEST = 2048
_LONGEST_REF = 250
_LAST_PORT = 65535
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<userinfo>[^/@]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^/:@\[\]]*)"
    r"(?::(?P<port>[0-9]*))?"
    r"(?P<path>/.*)?",
    re.ASCII,
)
_SCP = re.compile(r"(?:(?P<user>[^/@:]+)@)?(?P<host>[^/@:\[\]]+):(?P<path>[^:].*)", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
# No quotes, no blanks, nothing a shell at the other end of ssh could read as more than a path.
_PATH = re.compile(r"[A-Za-z0-9._~/%+@,=:!-]+", re.ASCII)
_HIDDEN = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff]|5[Cc]|2[EeFf])", re.ASCII)
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?", re.ASCII)
_NOT_IN_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_PORTS = {"https": 443, "http": 80, "ssh": SSH_PORT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A repository's address that passed the rules. `url` is what git is given; it never holds
    a secret. `host` is a plain name or an IP address without brackets.
    """

    scheme: str
    user: str
    host: str
    port: int
    url: str


def parse_address(text: str, private: PrivateHosts) -> Address:
    """The address, or `RepositoryRefused` in words. Nothing is contacted."""
    if text.startswith("-") or len(text) > _LONGEST:
        raise RepositoryRefused("it is not a repository address")
    if any(char.isspace() or unicodedata.category(char).startswith("C") for char in text):
        raise RepositoryRefused("it contains blanks or control characters")
    if url := _URL.fullmatch(text):
        return _from_url(url, private)
    if (scp := _SCP.fullmatch(text)) and "::" not in text:
        return _from_scp(scp, private)
    raise RepositoryRefused("only https, ssh and user@host:path are taken")


def is_sha(ref: str) -> bool:
    """A full commit id; shorter ones are names."""
    return _SHA.fullmatch(ref) is not None


def checked_ref(ref: str) -> str:
    """A branch or tag name by git's own rules (check-ref-format), else `BranchNotFound`."""
    parts = ref.split("/")
    bad = (
        not ref
        or len(ref.encode(errors="replace")) > _LONGEST_REF
        or ref == "@"
        or ref.startswith("-")
        or ref.endswith(".")
        or _NOT_IN_REF.search(ref) is not None
        or any(not part or part.startswith(".") or part.endswith(".lock") for part in parts)
        or any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in ref)
    )
    if bad:
        raise BranchNotFound(ref[:100])
    return ref


def _from_url(match: re.Match[str], private: PrivateHosts) -> Address:
    scheme = match["scheme"].lower()
    if scheme not in _PORTS:
        raise RepositoryRefused(f"{scheme}:// is not taken; use https:// or ssh://")
    user = _user(scheme, match["userinfo"])
    host = _host(match["host"].strip("[]"), private)
    if scheme == "http" and not private.names_host(host):
        raise RepositoryRefused("http:// is readable by others on the way; use https://")
    port = _port(match["port"]) or _PORTS[scheme]
    path = _path((match["path"] or "").lstrip("/"))
    shown = f"[{host}]" if ":" in host else host
    at = f"{user}@" if user else ""
    colon = "" if port == _PORTS[scheme] else f":{port}"
    url = f"{scheme}://{at}{shown}{colon}/{path}"
    return Address(scheme=scheme, user=user, host=host, port=port, url=url)


def _from_scp(match: re.Match[str], private: PrivateHosts) -> Address:
    user = _user("ssh", match["user"])
    host = _host(match["host"], private)
    path = _path(match["path"])
    url = f"{user}@{host}:{path}" if user else f"{host}:{path}"
    return Address(scheme="ssh", user=user, host=host, port=SSH_PORT, url=url)


def _user(scheme: str, userinfo: str | None) -> str:
    if not userinfo:
        return ""
    if scheme != "ssh" or ":" in userinfo:
        raise RepositoryRefused(
            "it contains a user name or a password; leave them out and use the token field"
        )
    if not _USER.fullmatch(userinfo):
        raise RepositoryRefused("its user name has characters that are not taken")
    return userinfo


def _host(text: str, private: PrivateHosts) -> str:
    try:
        return checked_host(text, private)
    except HostRefused as error:
        raise RepositoryRefused(f"its host: {error.reason}") from None


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if len(text) > len(str(_LAST_PORT)) or not 0 < int(text) <= _LAST_PORT:
        raise RepositoryRefused("its port is not a number from 1 to 65535")
    return int(text)


def _path(text: str) -> str:
    path = text.rstrip("/")
    if not path.strip("/") or path.startswith("-"):
        raise RepositoryRefused("it names no repository on that host")
    if not _PATH.fullmatch(path) or "::" in path or "://" in path or _HIDDEN.search(path):
        raise RepositoryRefused("its path has characters that are not taken")
    if any(part in {".", ".."} for part in path.split("/")):
        raise RepositoryRefused("its path must not contain . or ..")
    return path
