"""Programs that live long give back what only their start needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autostack.drivers.machine import resident
from autostack.drivers.machine.identity import Identity, noted


@dataclass(slots=True)
class Slim:
    """`notes` name the programs; one that was started again is another one."""

    notes: Sequence[Path]
    _done: dict[Path, Identity] = field(default_factory=dict[Path, Identity], init=False)

    def look(self) -> None:
        for note in self.notes:
            found = noted(note)
            if found is not None and self._done.get(note) != found:
                self._done[note] = found
                resident.let_go(found)
