"""Names people choose, and the labels addresses are made of. Pure."""

import re
import unicodedata
from urllib.parse import urlsplit

from autostack.features.projects.errors import ProjectNameInvalid, RepositoryUrlInvalid

LONGEST_LABEL = 40
LONGEST_URL = 500
_RESERVED = frozenset(
    {
        "admin",
        "api",
        "app",
        "apps",
        "auth",
        "autostack",
        "billing",
        "blog",
        "cdn",
        "console",
        "dashboard",
        "db",
        "dev",
        "docs",
        "edge",
        "ftp",
        "git",
        "grafana",
        "health",
        "help",
        "host",
        "imap",
        "internal",
        "jenkins",
        "kubernetes",
        "local",
        "localhost",
        "login",
        "logs",
        "mail",
        "metrics",
        "mx",
        "ns",
        "ns1",
        "ns2",
        "pop",
        "prometheus",
        "registry",
        "root",
        "security",
        "smtp",
        "ssh",
        "static",
        "status",
        "support",
        "system",
        "test",
        "traefik",
        "web",
        "webhooks",
        "www",
    }
)
_SCP = re.compile(r"(?P<user>[a-z_][a-z0-9_.-]*)@(?P<host>[^/:@\s]+):(?P<path>[^:\s]+)", re.ASCII)
_HOST = re.compile(r"\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f\\<>\"'`{}|^]")


def label(name: str) -> str:
    """`Mein Käse-Shop` → `mein-kase-shop`: a DNS label."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    found = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_LABEL].strip("-")
    if not found:
        raise ProjectNameInvalid(name)
    return found


def is_reserved(slug: str) -> bool:
    # Four hyphens' place: xn-- and its kin mean something else to browsers.
    return slug in _RESERVED or slug[2:4] == "--"


def candidate(slug: str, attempt: int, suffix: str) -> str:
    """The wanted label first, then with an ending nobody else has."""
    if attempt == 0 and not is_reserved(slug):
        return slug
    return f"{slug[: LONGEST_LABEL - len(suffix) - 1].rstrip('-')}-{suffix}"


def check_repo_url(url: str) -> str:
    """What can be said from the text alone; the worker decides what it really talks to."""
    text = url.strip()
    if (
        len(text) > LONGEST_URL
        or _FORBIDDEN.search(text)
        or not text.isascii()
        or text.startswith("-")
    ):
        raise RepositoryUrlInvalid("it holds characters that addresses do not have")
    if "://" not in text:
        return _check_scp(text)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise RepositoryUrlInvalid("it is not an address") from None
    if parts.scheme not in {"https", "http", "ssh"}:
        raise RepositoryUrlInvalid("it begins with neither https:// nor ssh://")
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise RepositoryUrlInvalid("it holds a password or token; set it as the credential")
    if not parts.hostname or not _HOST.fullmatch(_host(parts.netloc)):
        raise RepositoryUrlInvalid("it names no host")
    if parts.path.strip("/") == "" or parts.query or parts.fragment:
        raise RepositoryUrlInvalid("it names no repository")
    return text


def _host(netloc: str) -> str:
    """Without user and port; an IPv6 address keeps its brackets."""
    host = netloc.rpartition("@")[2]
    return host if host.endswith("]") else re.sub(r":\d*$", "", host, flags=re.ASCII)


def _check_scp(text: str) -> str:
    match = _SCP.fullmatch(text)
    if match is None or not _HOST.fullmatch(match["host"]) or match["path"].startswith("-"):
        raise RepositoryUrlInvalid("it is not an address")
    return text
