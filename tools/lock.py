"""`python -m tools.lock`: makes dashboard/package-lock.json valid on every system.

npm writes an entry for the optional packages of other systems only where a registry answered for
them, and refuses a lock without them. A stub says enough for `npm ci` to leave it out. Where a
package came from is no business of the lock: each machine has a registry of its own.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "dashboard/package-lock.json"
SYSTEMS = ("darwin", "win32", "linux", "android", "freebsd", "openbsd", "netbsd", "openharmony",
           "sunos", "aix")  # fmt: skip
PROCESSORS = ("arm64", "x64", "ia32", "arm", "s390x", "ppc64", "riscv64", "loong64", "mips64el",
              "wasm32")  # fmt: skip
Packages = dict[str, dict[str, Any]]


def main() -> None:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    packages: Packages = lock["packages"]
    for one in packages.values():
        one.pop("resolved", None)
    packages.update(dict(stubs(packages)))
    lock["packages"] = dict(sorted(packages.items()))
    LOCK.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def absent(packages: Packages) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Optional packages without an entry: name, version, and who wants them."""
    for holder in packages.values():
        for name, version in holder.get("optionalDependencies", {}).items():
            place = f"node_modules/{name}"
            if not any(key == place or key.endswith(f"/{place}") for key in packages):
                yield name, version, holder


def stubs(packages: Packages) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, version, holder in absent(packages):
        words = re.split(r"[-/@.]", name)
        made: dict[str, Any] = {"version": version.lstrip("^~"), "optional": True}
        systems = [one for one in SYSTEMS if one in words]
        processors = [one for one in PROCESSORS if one in words]
        if systems:
            made["os"] = systems
        if processors:
            made["cpu"] = processors
        if holder.get("dev"):
            made["dev"] = True
        yield f"node_modules/{name}", made


if __name__ == "__main__":
    main()
