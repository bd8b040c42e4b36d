"""`make security`: rules about insecure code, secrets in the repository, packages with known holes.

What needs a registry that cannot be reached is said and left out; what is found is a failure.
bandit is not among them: ruff's S rules are the same rules.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autostack.features.accounts.service.api_tokens import checksum

ROOT = Path(__file__).parents[1]
AUDIT = "pip-audit@2.10.1"
LONGEST = 2 * 1024 * 1024
GRAVE = ("high", "critical")

KINDS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40,}"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b"),
    "GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20}\b"),
    "Slack token": re.compile(r"\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{20,}"),
    "Stripe key": re.compile(r"\b[sr]k_live_[A-Za-z0-9]{20,}\b"),
    "Google key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b"),
    "PyPI token": re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    "npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),
    "AutoStack token": re.compile(r"\bas_(?P<random>[0-9A-Za-z]{36})(?P<sum>[0-9A-Za-z]{6})\b"),
}
"""Only what is one by its form: a scan that cries at words is switched off."""


@dataclass(frozen=True, slots=True)
class Found:
    """How one scan ended: in words, and whether it is a failure."""

    said: str
    bad: bool = False


def rules() -> Found:
    """S101 and S603 are off for the reasons in pyproject.toml, here as in `make check`."""
    ruff = [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "--quiet"]
    done = _run([*ruff, "--select", "S", "--ignore", "S101,S603", "."])
    return Found(done.stdout or "ruff S: nothing found", bad=done.returncode != 0)


def secrets() -> Found:
    tracked = _run(["git", "ls-files", "-z"]).stdout.split("\0")
    files = [ROOT / name for name in tracked if name]
    hits = [f"{file.relative_to(ROOT)}:{line}: {kind}" for file in files for kind, line in of(file)]
    return Found("\n".join(hits) or f"secrets: none in {len(files)} files", bad=bool(hits))


def of(file: Path) -> Iterator[tuple[str, int]]:
    """Secrets in one file, by kind and line; never what they are."""
    if file.is_symlink() or not file.is_file() or file.stat().st_size > LONGEST:
        return
    text = file.read_text(encoding="utf-8", errors="replace")
    for kind, form in KINDS.items():
        for match in form.finditer(text):
            if _is_real(match):
                yield kind, text.count("\n", 0, match.start()) + 1


def _is_real(match: re.Match[str]) -> bool:
    known = match.groupdict()
    return not known or checksum(known["random"]) == known["sum"]


def python_packages() -> Found:
    uv = str(Path(sys.executable).with_name("uv"))
    command = [uv, "tool", "run", AUDIT, "--disable-pip", "--require-hashes", "--format", "json"]
    done = _run([*command, "--progress-spinner", "off", "-r", "requirements/dev.lock"])
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return Found(f"pip-audit: left out, it could not ask: {_first(done.stderr)}")
    bad = [
        f"{one['name']} {one['version']}: {', '.join(hole['id'] for hole in one['vulns'])}"
        for one in packages
        if one.get("vulns")
    ]
    asked = sum("vulns" in one for one in packages)
    if not asked:
        return Found("pip-audit: left out, this registry knows of no holes in anything")
    return Found("\n".join(bad) or f"pip-audit: no known hole in {asked} packages", bad=bool(bad))


def node_packages() -> Found:
    npm = _npm()
    if npm is None:
        return Found("npm audit: left out, there is no npm")
    done = _run([*npm, "audit", "--json", "--package-lock-only"], folder=ROOT / "dashboard")
    try:
        counts = json.loads(done.stdout)["metadata"]["vulnerabilities"]
    except (ValueError, KeyError):
        return Found(f"npm audit: left out, it could not ask: {_first(done.stderr)}")
    grave = sum(counts[kind] for kind in GRAVE)
    return Found(f"npm audit: {grave} grave holes, {counts['total']} of all kinds", bad=grave > 0)


def _npm() -> list[str] | None:
    try:
        from dashboard.build import NotBuilt, find_npm  # noqa: PLC0415 - not a package
    except ImportError:
        return None
    try:
        return find_npm()
    except NotBuilt:
        return None


def _run(command: Sequence[str], *, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )


def _first(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "rror" in line]
    return lines[0][:200] if lines else "no answer"


SCANS: tuple[Callable[[], Found], ...] = (rules, secrets, python_packages, node_packages)


def main() -> None:
    bad = False
    for scan in SCANS:
        found = scan()
        sys.stdout.write(f"{found.said}\n")
        bad = bad or found.bad
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
