"""Hiding secret values in output, also base64, URL-encoded and JSON-escaped. Pure."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from autostack.core.logs.hiding import Hiding

SHORTEST = 6
"""Shorter values are too common to be hidden: `1`, `true`, `8080`."""

ORDINARY = frozenset(
    {"production", "development", "staging", "testing", "localhost",
     "127.0.0.1", "postgres", "enabled", "disabled"}
)  # fmt: skip
"""Values that are no secrets, though they stand among them."""


class Redaction(Hiding):
    """The values to hide, in every form they may be printed in."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(form for secret in secrets for form in _forms(secret))


def _forms(secret: str) -> Iterator[bytes]:
    """How a value may appear. One of several lines is also hidden line by line."""
    for part in {secret, *secret.splitlines()}:
        value = part.strip()
        if len(value) < SHORTEST or value.lower() in ORDINARY:
            continue
        raw = value.encode(errors="surrogatepass")
        yield raw
        yield from _escaped(value)
        yield from _base64(raw)


def _escaped(value: str) -> Iterator[bytes]:
    safe = value.encode(errors="replace").decode()
    for form in {
        quote(safe, safe=""),
        quote(safe),
        quote_plus(safe),
        json.dumps(safe)[1:-1],
        json.dumps(safe, ensure_ascii=False)[1:-1],
    }:
        yield form.encode()
        yield _lower_escapes(form).encode()


def _lower_escapes(form: str) -> str:
    first, *others = form.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in others)])


def _base64(raw: bytes) -> Iterator[bytes]:
    """A secret inside a longer text (`user:secret`) starts at any of three places of a group;
    the characters it shares with its neighbours are left out.
    """
    for shift in range(3):
        skip = (0, 2, 3)[shift]
        kept = (shift + len(raw)) * 8 // 6
        for encode in (b64encode, urlsafe_b64encode):
            core = encode(b"\0" * shift + raw)[skip:kept]
            if len(core) >= SHORTEST:
                yield core
