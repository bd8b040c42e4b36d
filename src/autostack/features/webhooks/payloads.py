"""What a signed delivery says, in the words of three forges. Pure, and total: any bytes are read
as something, for a secret proves who wrote them and not that they make sense.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers

from autostack.features.webhooks.signatures import one
from autostack.models.hook import Provider

_SHOWN = 100
_LONGEST = 500
_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_BRANCH = re.compile(r"[^\s\x00-\x1f\x7f-][^\s\x00-\x1f\x7f]{0,254}")
_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SCP = re.compile(r"[^/@:\s]+@(?P<host>[^/:@\s]+):(?P<path>\S+)")
_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
_FORM = "application/x-www-form-urlencoded"

_EVENT = {
    Provider.GITHUB: "x-github-event",
    Provider.GITEA: "x-gitea-event",
    Provider.GITLAB: "x-gitlab-event",
}
_KEYS = {
    Provider.GITHUB: ("x-github-delivery",),
    Provider.GITEA: ("x-gitea-delivery",),
    # The first is signed, where GitLab signs.
    Provider.GITLAB: ("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
}
_PUSHES = frozenset({"push", "Push Hook", "Tag Push Hook"})
_URLS = ("clone_url", "ssh_url", "html_url", "git_http_url", "git_ssh_url", "web_url")


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """`branch` or `tag` has its name, or neither for other refs. `addresses` are those of its
    repository, as `address` gives them.
    """

    repository: str
    addresses: frozenset[tuple[str, str]]
    branch: str | None = None
    tag: str | None = None
    deleted: bool = False
    default_branch: str | None = None
    commit: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """The forge tries whether anybody is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    why: str


Told = Push | Ping | Other | Unreadable


def event_of(provider: Provider, headers: Headers) -> str:
    """As the forge calls it; empty when it does not say, or says it twice."""
    return shown(one(headers, _EVENT[provider]) or "")


def key_of(provider: Provider, headers: Headers, body: bytes) -> str:
    """What tells this delivery from others: the forge's id, else its content."""
    found = (one(headers, name) for name in _KEYS[provider])
    return next((shown(one) for one in found if one), f"sha256:{sha256(body).hexdigest()}")


def read(provider: Provider, headers: Headers, body: bytes) -> Told:
    event = event_of(provider, headers)
    if event == "ping":
        return Ping()
    if event not in _PUSHES:
        return Other(event=event)
    payload = _payload(headers.get("content-type", ""), body)
    if payload is None:
        return Unreadable(why="it is not a JSON object")
    return _push(provider, payload)


def shown(text: str) -> str:
    """One line for people and the database, whatever was sent."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)[
        :_SHOWN
    ]


def address(url: str) -> tuple[str, str] | None:
    """Host and path, by which two spellings of one repository are the same."""
    if len(url) > _LONGEST or not url.isprintable():
        return None
    if match := None if "://" in url else _SCP.fullmatch(url):
        return match["host"].casefold(), _path(match["path"])
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    usual = port is None or port == _PORTS.get(parts.scheme)
    return parts.hostname.casefold() + ("" if usual else f":{port}"), _path(parts.path)


def _path(path: str) -> str:
    return path.strip("/").casefold().removesuffix(".git").rstrip("/")


def _payload(content_type: str, body: bytes) -> Mapping[str, Any] | None:
    """GitHub's usual form is a field of a form."""
    try:
        text = body.decode()
        if content_type.startswith(_FORM):
            (text,) = parse_qs(text, max_num_fields=10)["payload"]
        found = json.loads(text)
    except (ValueError, KeyError, RecursionError):
        return None
    return _object(found)


def _push(provider: Provider, payload: Mapping[str, Any]) -> Told:
    ref = _text(payload, "ref")
    if not ref.startswith("refs/"):
        return Unreadable(why="it names no ref")
    repository = _object(payload.get("project" if provider is Provider.GITLAB else "repository"))
    if repository is None:
        return Unreadable(why="it names no repository")
    after = _text(payload, "after")
    urls = (_text(repository, name) for name in _URLS)
    return Push(
        repository=shown(_name(repository)),
        addresses=frozenset(found for url in urls if (found := address(url))),
        branch=_named(ref, _HEADS),
        tag=_named(ref, _TAGS),
        deleted=payload.get("deleted") is True or (bool(after) and not after.strip("0")),
        default_branch=_text(repository, "default_branch") or None,
        commit=after if _SHA.fullmatch(after) else None,
        message=_message(payload, after),
    )


def _name(repository: Mapping[str, Any]) -> str:
    return _text(repository, "full_name") or _text(repository, "path_with_namespace") or "?"


def _named(ref: str, kind: str) -> str | None:
    """None also for names that Git could not have given."""
    name = ref.removeprefix(kind)
    return name if ref.startswith(kind) and usable(name) else None


def usable(branch: str) -> bool:
    return bool(_BRANCH.fullmatch(branch)) and branch.isprintable()


def _message(payload: Mapping[str, Any], after: str) -> str:
    """Of the commit the branch is at now."""
    head = _object(payload.get("head_commit"))
    listed = payload.get("commits")
    commits = cast("list[object]", listed) if isinstance(listed, list) else []
    known = [commit for one in commits if (commit := _object(one))]
    newest = next((one for one in known if _text(one, "id") == after), None)
    return _text(head or newest or {}, "message")


def _object(value: object) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
