"""Snapshots beside Bytewax's recovery store: files of what changed, of which the store keeps references only.

    directory/00003/00000000000001234567.changes     partition 3, begun at offset 1234567

A file begins with everything and goes on with what changed from snapshot to snapshot (`entries.py`); a reference (`reference.py`) names
a file, how much of it counts, and its digest. A new file is begun when the changes have outgrown what they began with, and those before
it are removed when no snapshot that Bytewax may still hand back needs them (`files.py`).
"""

from connectors.snapshots.files import SnapshotFiles
from connectors.snapshots.reference import Reference, UnableToResume

__all__ = ["Reference", "SnapshotFiles", "UnableToResume"]
