"""Passwords that anybody would guess. Pure but for reading the list once."""

from functools import cache
from itertools import pairwise
from pathlib import Path

SHORTEST = 10
LONGEST = 1024
FEWEST_CHARACTERS = 5
"""Different ones."""
_OWN = 4
"""Characters a password must have beyond a word everybody knows."""
_LIST = Path(__file__).with_name("common_passwords.txt")


def why(password: str, *, email: str) -> str | None:
    """What is wrong with it, in words that do not repeat it; None when nothing is."""
    plain = password.casefold().strip()
    if plain in _common():
        return "it is one of the passwords most people use"
    if len(set(plain)) < FEWEST_CHARACTERS:
        return f"it has fewer than {FEWEST_CHARACTERS} different characters"
    if len(_steps(plain)) == 1:
        return "its characters follow each other"
    known = (email, email.partition("@")[0], "autostack")
    if any(len(plain.replace(word.casefold(), "")) < _OWN for word in known if word):
        return "it is little more than your address or the product's name"
    return None


def _steps(text: str) -> set[int]:
    return {ord(after) - ord(before) for before, after in pairwise(text)}


@cache
def _common() -> frozenset[str]:
    text = _LIST.read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
