"""Text in the form of a `.env` file to names and values. Pure; nothing is expanded."""

import re

from autostack.features.variables.errors import DotenvInvalid

_ENTRY = re.compile(
    r"""
    [ \t]* (?: export [ \t]+ )? (?P<name> [^\s=\#'"]+ ) [ \t]* = [ \t]*
    (?:
        ' (?P<single> [^']* ) ' [ \t]* (?: \# [^\n]* )?
      | " (?P<double> (?: [^"\\] | \\. )* ) " [ \t]* (?: \# [^\n]* )?
      | (?P<plain> [^\n'"] [^\n]* | )
    )
    (?: \n | \Z )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse(text: str) -> dict[str, str]:
    """Later lines win. An error names the line and never the value."""
    source = text.replace("\r\n", "\n").removeprefix("\ufeff")
    found: dict[str, str] = {}
    at = 0
    while at < len(source):
        if (blank := _BLANK.match(source, at)) and blank.end() > at:
            at = blank.end()
            continue
        entry = _ENTRY.match(source, at)
        if entry is None:
            raise DotenvInvalid(source.count("\n", 0, at) + 1, "it is not NAME=value")
        found[entry["name"]] = _value(entry)
        at = entry.end()
    return found


def _value(entry: re.Match[str]) -> str:
    if entry["single"] is not None:
        return entry["single"]
    if entry["double"] is not None:
        return re.sub(r"\\(.)", _unescape, entry["double"], flags=re.DOTALL)
    return re.split(r"[ \t]#", entry["plain"], maxsplit=1)[0].strip()


def _unescape(match: re.Match[str]) -> str:
    char = match[1]
    return _ESCAPES.get(char) or (char if char in '"\\$`' else f"\\{char}")
