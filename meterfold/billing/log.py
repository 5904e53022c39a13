"""The billing log as runs and issues use it: one partition, records in one order, read back from any offset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from connectors.file_log import LogReader, LogWriter
from connectors.texts import Texts
from state.compiling import Worth

_FRAMED: Final = Worth("connectors.file_log.prepared._frame", few=1024 * 1024, many=16 * 1024 * 1024)
"""In bytes: what is appended together is framed one by one where it is little, without the compiler."""

_FIRST: Final = 2
"""Records decoded first: who only looks what follows one asks for no more."""


class BillingLog(Protocol):
    """Offsets rise from record to record; they need not be consecutive. Appends in one process come from one thread at a time."""

    def append(self, key: bytes, payload: bytes) -> int:
        """Add a record; returns its offset. It may be lost until `flush` has returned, and is then read back for ever."""

    def append_together(self, key: bytes, payloads: Sequence[bytes]) -> NDArray[np.int64]:
        """Add records one after the other, with none of anybody else between them; returns their offsets."""

    def flush(self) -> None:
        """Make every appended record durable and readable."""

    def iter_records(self, from_offset: int) -> Iterator[tuple[int, int, bytes]]:
        """(offset, append time in ms since 1970 UTC, payload) of every flushed record at `from_offset` (0, or a record's) or after."""


class FileBillingLog:
    """The billing log of a data directory. `now_ms` stamps what is appended."""

    def __init__(self, writer: LogWriter, directory: Path, now_ms: Callable[[], int]) -> None:
        self._writer, self._directory, self._now_ms = writer, directory, now_ms

    def append(self, key: bytes, payload: bytes) -> int:
        return self._writer.append(0, key, payload, self._now_ms())

    def append_together(self, key: bytes, payloads: Sequence[bytes]) -> NDArray[np.int64]:
        if isinstance(payloads, Texts) and _FRAMED.of(payloads.size):
            from connectors.file_log.prepared import framed  # here, as it loads the compiler, which takes half a second

            return self._writer.append_prepared(framed(key, payloads), self._now_ms())
        entries = [(0, key, payload) for payload in payloads]
        return np.array(self._writer.append_many(entries, self._now_ms()), np.int64)

    def flush(self) -> None:
        self._writer.flush()

    def iter_records(self, from_offset: int) -> Iterator[tuple[int, int, bytes]]:
        with LogReader(self._directory, 0, from_offset) as reader:
            records = reader.read(_FIRST)
            while records:
                for record in records:
                    yield record.offset, record.append_ms, record.payload
                records = reader.read()
