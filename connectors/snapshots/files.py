"""The snapshot files of one partition: written durably, read back by reference, removed when nothing refers to them any more.

Bytewax asks for the snapshot of an epoch only after the epoch before it is committed (seen with 0.21: the frontier of the one before
stands in the store by then). So when a snapshot is asked for, the one before it is known to be committed, and it is one of these that a
restart is handed. A file that is not needed by the last three that were written is removed: two later ones are then committed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.file_log.topic import sync_directory
from connectors.snapshots.entries import NO_DIGEST, encode_entry, read_entries
from connectors.snapshots.reference import Reference
from state.changes import Change

SUFFIX: Final = ".changes"
KEPT: Final = 3
"""As many snapshots, the newest among them, stay readable."""
LEAST_BYTES: Final = 1 << 20
"""A file is not begun anew for less than so many bytes of changes."""


class SnapshotFiles:
    """Writes the snapshots of a partition, and reads the one that it resumes from. One process has them, one thread at a time."""

    def __init__(self, directory: Path, partition: int) -> None:
        self._folder = directory / f"{partition:05d}"
        self._partition = partition
        self._last: Reference | None = None
        self._needed: deque[str] = deque(maxlen=KEPT)
        self._begun_with = 0
        """Bytes of the first entry of the file that is written to."""

    @property
    def last(self) -> Reference | None:
        """The newest snapshot: written last, or resumed from."""
        return self._last

    @property
    def wants_everything(self) -> bool:
        """True if the next snapshot is to begin a new file: there is none, or its changes have outgrown what it began with."""
        return self._last is None or self._last.length - self._begun_with > max(self._begun_with, LEAST_BYTES)

    def read(self, reference: Reference) -> Iterator[Change]:
        """The changes up to a snapshot, to go on from it; what was written after it counts no more. Raises UnableToResume."""
        for number, (change, end) in enumerate(read_entries(self._folder / reference.file, reference)):
            if number == 0:
                self._begun_with = end
            yield change
        self._last = reference
        self._needed.append(reference.file)

    def write(self, change: Change, next_offset: int, *, everything: bool) -> Reference:
        """Make a change durable; returns what stands for the snapshot. `everything` as `wants_everything` said before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._last is None or everything:
            file, at, before = f"{next_offset:020d}{SUFFIX}", 0, NO_DIGEST
        else:
            file, at, before = self._last.file, self._last.length, bytes.fromhex(self._last.digest)
        pieces, digest = encode_entry(change, self._partition, next_offset, before)
        if not self._needed or self._needed[-1] != file:
            self._remove(later_than=self._needed[-1] if self._needed else "")
        _write_durably(self._folder / file, at, pieces)
        size = sum(map(len, pieces))
        if at == 0:
            self._begun_with = size
            for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
                sync_directory(folder)
        self._last = Reference(self._partition, next_offset, file, at + size, digest.hex())
        self._needed.append(file)
        self._prune()
        return self._last

    def _prune(self) -> None:
        """Remove the files that none of the snapshots needs that may still be handed back."""
        if len(self._needed) == KEPT:
            for path in self._folder.glob(f"*{SUFFIX}"):
                if path.name < min(self._needed):
                    path.unlink()

    def _remove(self, later_than: str) -> None:
        """Remove files of snapshots that a killed process wrote and that were never committed."""
        for path in self._folder.glob(f"*{SUFFIX}"):
            if path.name > later_than:
                path.unlink()


def _write_durably(path: Path, at: int, pieces: list[bytes]) -> None:
    """Write from a position on, where the file then ends, and wait for the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.truncate(at)
        file.seek(at)
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
