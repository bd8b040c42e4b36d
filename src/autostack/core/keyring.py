"""The sealing keys on disk, and how one takes the place of another.

`seal.key` holds the private keys, one a line, the newest first; `seal.pub` the public half of the
newest. A rotation puts a new key in front, and the old ones go once nothing is sealed with them.
Each file is replaced as a whole, so a crash leaves a state that the next look completes.
"""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from autostack.core import crypto
from autostack.core.errors import Conflict

SETTLED = 600.0
"""Seconds until nobody seals with the key before any more: longer than any request takes."""


class RotationUnderWay(Conflict):
    hint = "It ends by itself; `autostack admin rotate-keys --status` says how far it is."

    def __init__(self) -> None:
        super().__init__("A rotation of the keys is under way.")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys in a directory only the platform reads."""

    folder: Path

    @property
    def private(self) -> tuple[str, ...]:
        return tuple((self.folder / "seal.key").read_text(encoding="utf-8").split())

    @property
    def public(self) -> str:
        return (self.folder / "seal.pub").read_text(encoding="utf-8").strip()

    @property
    def rotating(self) -> bool:
        return len(self.private) > 1

    @property
    def settled(self) -> bool:
        """Whether the newest key has been the only one in use for a while."""
        since = (self.folder / "seal.pub").stat().st_mtime
        return self.public == crypto.public_of(self.private[0]) and time.time() - since > SETTLED

    def begin(self) -> None:
        """What can open comes first: nobody seals with a key that nobody has."""
        if self.rotating:
            raise RotationUnderWay
        opens, _ = crypto.generate()
        _replace(self.folder / "seal.key", "\n".join((opens, *self.private)))
        self.publish()

    def publish(self) -> None:
        """From now on everything is sealed with the newest."""
        newest = crypto.public_of(self.private[0])
        if self.public != newest:
            _replace(self.folder / "seal.pub", newest)

    def retire(self) -> None:
        """Only the newest stays. What was sealed with another can never be opened again."""
        _replace(self.folder / "seal.key", self.private[0])


@dataclass(slots=True)
class Followed:
    """The text of a file, read again when the file was replaced."""

    path: Path
    _text: str = field(default="", init=False)
    _seen: tuple[int, int] = field(default=(0, 0), init=False)

    def __call__(self) -> str:
        seen = self.path.stat()
        if (seen.st_ino, seen.st_mtime_ns) != self._seen:
            self._text = self.path.read_text(encoding="utf-8").strip()
            self._seen = (seen.st_ino, seen.st_mtime_ns)
        return self._text


def _replace(file: Path, text: str) -> None:
    """Whole or not at all, with the owner and the mode it has."""
    known = file.stat()
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(fd)
    if os.geteuid() == 0:
        os.chown(draft, known.st_uid, known.st_gid)
    draft.rename(file)
