"""What simulated meters answered, kept for those who compare: in memory, and in a file that outlives the process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from edge_collector.profile import Span
from edge_collector.simulate.meter import Answered


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of one device."""

    device: str
    answered: Answered


class Journal:
    """Its `note` is a building's. Without a path it is in memory only; with one, each entry is a line of the file at once."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file: TextIO | None = path.open("a", encoding="utf-8", buffering=1) if path else None

    def note(self, device: str, answered: Answered) -> None:
        self.entries.append(Entry(device, answered))
        if self._file:
            span = answered.span
            where = [span.function, span.address, span.count]
            self._file.write(json.dumps([device, answered.serial, answered.at_ms, where, answered.words]) + "\n")

    def close(self) -> None:
        if self._file:
            self._file.close()


def read_journal(path: Path) -> Iterator[Entry]:
    """The entries of a file; a last line that was torn by a kill is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                device, serial, at_ms, where, words = json.loads(line)
                yield Entry(device, Answered(serial, at_ms, Span(*where), tuple(words)))
