"""What the outbox promised, in a small file beside it: so that a database that lost its end is seen to have lost it.

SQLite takes a write-ahead log with a damaged frame as ending there. What was committed after is gone, and the database is sound. The mark
is written, durably, after every commit, in one of two slots, so that a torn write leaves the other.
"""

import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import orjson

_SLOT_BYTES: Final = 256


@dataclass(frozen=True, slots=True)
class Mark:
    """As of the last commit: the next numbers, and since when something waits.

    `low_ordinal`: every read from it up to `ordinal` (excluded) waits or was delivered; [`oldest_ms`, `newest_ms`) is the time
    of those that wait. `gaps`: how many gap records wait.
    """

    sequence: int = 1
    ordinal: int = 1
    low_ordinal: int = 1
    oldest_ms: int | None = None
    newest_ms: int | None = None
    gaps: int = 0


class MarkFile:
    """The two slots. `read` gives what the newest valid one says, None if neither is."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._turn, self._last = self._read()

    def read(self) -> Mark | None:
        """The last mark written."""
        return self._last

    def write(self, mark: Mark) -> None:
        """Durably; OSError when the disk refuses, the mark before it then stands."""
        if mark == self._last:
            return
        text = orjson.dumps([self._turn + 1, asdict(mark)])
        block = (zlib.crc32(text).to_bytes(4, "little") + text).ljust(_SLOT_BYTES)
        os.pwrite(self._descriptor, block, (self._turn + 1) % 2 * _SLOT_BYTES)
        os.fdatasync(self._descriptor)
        self._turn, self._last = self._turn + 1, mark

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _read(self) -> tuple[int, Mark | None]:
        found: list[tuple[int, Mark | None]] = [(0, None)]
        for slot in (0, 1):
            block = os.pread(self._descriptor, _SLOT_BYTES, slot * _SLOT_BYTES)
            text = block[4:].rstrip()
            if text and int.from_bytes(block[:4], "little") == zlib.crc32(text):
                turn, fields = orjson.loads(text)
                found.append((turn, Mark(**fields)))
        return max(found, key=lambda each: each[0])
