"""What was there to see when a deployment failed, and ways to look at it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autostack.engine import errors
from autostack.engine.plan import Plan
from autostack.engine.release import Exit, Listener, Step

KILLED = 137
PROOF_LENGTH = 300
LONGEST_LINE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What was there to see when it failed. `lines` are the last printed ones, oldest first;
    `port` is the one the app was given; `variables` are the names that were set; `memory` is what
    it was allowed to use, in bytes.
    """

    step: Step
    error: Exception
    lines: tuple[str, ...] = ()
    plan: Plan | None = None
    exit: Exit | None = None
    memory: int | None = None
    listeners: tuple[Listener, ...] = ()
    port: int | None = None
    variables: frozenset[str] = frozenset()


def unset(scene: Scene) -> list[tuple[str, str]]:
    """Variables the code reads and nobody set, each with its place; those in a file that the
    printed lines name come first.
    """
    missing = scene.plan.missing if scene.plan else ()
    printed = "\n".join(scene.lines)
    ranked = sorted(
        (one for one in missing if one.name not in scene.variables),
        key=lambda one: one.evidence.file not in printed,
    )
    return [(one.name, f"{one.evidence.file}:{one.evidence.line}") for one in ranked]


def is_release(scene: Scene) -> bool:
    return isinstance(scene.error, errors.ReleaseCommandFailed)


def command_line(scene: Scene) -> tuple[str, ...]:
    """Empty also where an image starts what it was made to start."""
    web = scene.plan.web if scene.plan else None
    if web is None:
        return ()
    return web.command[2:] if web.command[:2] == ("sh", "-c") else web.command


def find(lines: Sequence[str], pattern: str) -> re.Match[str] | None:
    """The last line that matches: the latest word is the nearest to the end."""
    found = find_all(lines, pattern)
    return found[-1] if found else None


def find_all(lines: Sequence[str], pattern: str) -> list[re.Match[str]]:
    """Programs print what they like: no line may be so long that looking at it takes a while."""
    compiled = re.compile(pattern)
    return [match for line in lines if (match := compiled.search(line[:LONGEST_LINE].rstrip()))]


def shown(match: re.Match[str] | None) -> str:
    return match.string.strip()[:PROOF_LENGTH] if match else ""


def last_line(lines: Sequence[str]) -> str:
    return next((line.strip()[:PROOF_LENGTH] for line in reversed(lines) if line.strip()), "")


def telling_line(lines: Sequence[str]) -> str:
    """The error a program ended with, rather than the frames and farewells around it."""
    return shown(find(lines, r"^\s*(?:[\w.]*(?:Error|Exception)\b|Uncaught|fatal|panic)")) or (
        last_line(lines)
    )


def exit_words(ended: Exit | None) -> str:
    if ended is None:
        return ""
    if ended.oom or ended.code == KILLED:
        return "killed because it used more memory than it may"
    return f"signal {ended.signal}" if ended.signal else f"exit code {ended.code}"
