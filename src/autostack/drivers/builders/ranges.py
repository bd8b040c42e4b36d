"""Version ranges as repositories write them: `3.11`, `>=3.10,<3.13`, `^18 || >=20`, `lts/iron`."""

import re

Version = tuple[int, ...]
_PYTHON = re.compile(r"^(~=|==|!=|>=|<=|>|<|\^|~|)\s*v?(\d+(?:\.\d+)*)(?:\.\*)?")
_NODE = re.compile(r"^(>=|<=|>|<|=|\^|~|)\s*v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?")
PYTHONS = ("3.12", "3.13", "3.14", "3.11", "3.10", "3.9", "3.8")
"""The best known first."""
LTS = {"hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}


def parse(version: str) -> Version:
    """`3.11.7` → (3, 11, 7); what is no number ends it."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def python_allows(wanted: str, version: Version) -> bool:
    """Whether `version` is in a PEP 440 or Poetry range; an unreadable part never matches."""
    alternatives = [part for part in wanted.split("||") if part.strip()]
    if not alternatives:
        return True
    return any(
        all(_python_part(part.strip(), version) for part in alternative.split(",") if part.strip())
        for alternative in alternatives
    )


def _python_part(part: str, version: Version) -> bool:
    if part == "*":
        return True
    match = _PYTHON.match(part)
    if match is None:
        return False
    return _python_sign(match[1], version, parse(match[2]))


def _python_sign(sign: str, version: Version, bound: Version) -> bool:
    if sign in ("", "==", "!="):
        return (version[: len(bound)] == bound) is not (sign == "!=")
    if sign in ("~=", "~"):
        # `~=3.11` lets 3.12 in, as `~=3.11.2` does not: the last part given may grow.
        fixed = max(1, len(bound) - 1) if sign == "~=" else min(2, len(bound))
        return version >= bound and version[:fixed] == bound[:fixed]
    if sign == "^":
        return version >= bound and version[:1] == bound[:1]
    return _compare(sign, version, bound)


def _compare(sign: str, version: Version, bound: Version) -> bool:
    width = max(len(version), len(bound))
    left = version + (0,) * (width - len(version))
    right = bound + (0,) * (width - len(bound))
    return {">=": left >= right, "<=": left <= right, ">": left > right, "<": left < right}[sign]


def node_allows(wanted: str, version: Version) -> bool:
    """Whether `version` is in an npm range (`engines.node`) or an nvm name."""
    text = wanted.strip().lower()
    if text in ("", "*", "latest", "current", "node", "stable", "lts/*", "lts", "lts/-0"):
        return True
    if text.startswith("lts/"):
        return version[:1] == parse(LTS.get(text.removeprefix("lts/"), "0"))
    return any(_node_set(part, version) for part in text.split("||"))


def _node_set(part: str, version: Version) -> bool:
    hyphen = re.match(r"^\s*(\S+)\s+-\s+(\S+)\s*$", part)
    if hyphen:
        return _node_part(f">={hyphen[1]}", version) and _node_part(f"<={hyphen[2]}", version)
    parts = re.sub(r"(>=|<=|>|<|=|\^|~)\s+", r"\1", part).split()
    return all(_node_part(each, version) for each in parts)


def _node_part(part: str, version: Version) -> bool:
    match = _NODE.match(part)
    if match is None:
        return False
    bound = tuple(int(text) for text in match.groups()[1:] if text and text.isdigit())
    if not bound:
        return True
    return _node_sign(match[1], version, bound)


def _node_sign(sign: str, version: Version, bound: Version) -> bool:
    if sign in ("", "="):
        return version[: len(bound)] == bound
    if sign == "^":
        return version >= bound and version[:1] == bound[:1]
    if sign == "~":
        return version >= bound and version[: min(2, len(bound))] == bound[:2]
    if sign == "<=":
        return version[: len(bound)] <= bound
    if sign == ">":
        return version[: len(bound)] > bound
    return _compare(sign, version, bound)
