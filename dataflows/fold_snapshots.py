"""Where the snapshots of a fold go: into files, of which Bytewax's store then keeps references; or whole into the store.

A small fold is kept whole: looking for what changed takes compiled code, which a small property need not wait for.
"""

from pathlib import Path
from typing import Final, Self

from connectors.snapshots import Reference, SnapshotFiles
from state.changes import Changes, Restoring
from state.compiling import is_at_hand
from state.fold import Fold
from state.snapshot import MAGIC, restore, snapshot

SMALL_BYTES: Final = 4 << 20
"""Of records, some fifty channels; a fold that has outgrown it stays in files."""
BEARABLE_BYTES: Final = 16 << 20
"""Where nothing was compiled yet, so much is still kept whole."""


class FoldSnapshots:
    """The snapshots of one fold; without files it is Bytewax that keeps all of each."""

    def __init__(self, changes: Changes, files: SnapshotFiles | None) -> None:
        self._changes, self._files = changes, files

    @property
    def fold(self) -> Fold:
        """The fold that they are of."""
        return self._changes.fold

    def take(self, next_offset: int) -> bytes:
        """Make the fold as it is now durable, everything before `next_offset` taken in; returns what Bytewax is to keep."""
        files = self._files
        if files is None or (files.last is None and self._is_small()):
            return snapshot(self.fold)
        everything = files.wants_everything
        change = self._changes.take(whole=everything)
        return files.write(change, next_offset, everything=everything).encode()

    def _is_small(self) -> bool:
        used = self.fold.tables.bytes_unpacked
        return used < (SMALL_BYTES if is_at_hand("state.page_sums._find_changed") else BEARABLE_BYTES)

    @classmethod
    def begun(cls, fold: Fold, directory: Path | None) -> Self:
        """Of a fold that no snapshot in files was taken of; `directory` None: there are to be no files."""
        return cls(Changes(fold), None if directory is None else SnapshotFiles(directory, fold.curated_partition))

    @classmethod
    def resumed(cls, state: bytes, directory: Path | None) -> Self:
        """Of the fold that `take` returned `state` for. Raises UnableToResume."""
        if directory is None or state.startswith(MAGIC):  # what was kept whole goes on with files once it is large
            return cls.begun(restore(state), directory)
        reference, restoring = Reference.decode(state), Restoring()
        files = SnapshotFiles(directory, reference.partition)
        for change in files.read(reference):
            restoring.apply(change)
        return cls(restoring.done(), files)
