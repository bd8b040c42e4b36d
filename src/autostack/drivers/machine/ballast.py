"""A file that only holds room: given up when the disk is full, so that the database lives on."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Ballast:
    path: Path

    @property
    def held(self) -> bool:
        return self.path.exists()

    def hold(self, size: int) -> None:
        """Whole or not at all; real blocks, not a hole."""
        draft = self.path.with_suffix(".new")
        try:
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(file, 0, size)
            finally:
                os.close(file)
            draft.rename(self.path)
        except OSError:
            with suppress(FileNotFoundError):
                draft.unlink()
            raise

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
