"""Ingest of a batch in columns: plain readings by array code, every other record one by one, in order.

frames ─▶ scan ─┬─ plain: serve ─▶ curated frames, archive, ledger
                └─ others: as `dataflows/ingest.py` routes one record
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Slices
from connectors.curate import SLOW, Placed, Services, prepare
from connectors.file_log import Record
from connectors.file_log.frames import JoinedFrames
from connectors.file_log.prepared import PreparedFrames
from connectors.log_streams import Entry
from connectors.scan import Names, RawColumns, scan_raw
from connectors.scan.raw_table import TYPES
from dataflows.ingest_rows import IngestRows
from state.outputs import Words
from state.routing import Router

Ints = NDArray[np.int64]
RouteOne = Callable[[Record, IngestRows], tuple[str, Iterable[Entry]]]
"""Routes one record: its type, and what is to be appended. Rows other than the archive's are left in the second argument."""
_NO_TEXT: Final = -1


class ColumnIngest:
    """What array code knows of the devices of a group of raw partitions; all of it can be had again from their routers.

    Whoever routes an assignment, in a batch of this class or not, says so by `assigned`.
    """

    def __init__(self, routers: Mapping[int, Router], curated_partitions: int) -> None:
        self._routers = routers
        self._names = Names()
        self._services = Services(self._names, curated_partitions)

    def assigned(self, partition: int, device: str) -> None:
        """Take over the services that a device has by now."""
        self._services.assigned(partition, device, self._routers)

    def route(self, frames: JoinedFrames, route_one: RouteOne, rows: IngestRows) -> PreparedFrames:
        """Route a batch. The routers count all of it; rows get everything but the counts."""
        columns = scan_raw(frames, self._names)
        self._services.learn(columns, frames.partition, self._routers)
        batch = _Batch(frames, columns)
        low = 0
        for at, high in zip(columns.others.tolist(), np.searchsorted(columns.at, columns.others).tolist(), strict=True):
            self._route_scanned(batch, low, high, route_one, rows)
            self._route_other(batch, at, route_one, rows)
            low = high
        self._route_scanned(batch, low, len(columns.at), route_one, rows)
        batch.archive(rows)
        return prepare(frames, columns, batch.point, self._services.points, batch.placed)

    def _route_scanned(self, batch: _Batch, low: int, high: int, route_one: RouteOne, rows: IngestRows) -> None:
        """Route readings between which no device was assigned anew."""
        if low == high:
            return
        counts = np.zeros((2, batch.partitions), np.int64)
        self._services.serve(batch.columns, batch.frames.partition, low, high, batch.point, counts)
        for partition in np.flatnonzero(counts[0]).tolist():
            self._routers[partition].count_forwarded(int(counts[0, partition]), int(counts[1, partition]))
        for place in np.flatnonzero(batch.point[low:high] == SLOW).tolist():
            self._route_other(batch, int(batch.columns.at[low + place]), route_one, rows)

    def _route_other(self, batch: _Batch, at: int, route_one: RouteOne, rows: IngestRows) -> None:
        record = batch.frames.record(at)
        kind, entries = route_one(record, rows)
        batch.placed += [(at, *entry) for entry in entries]
        batch.note(at, record, kind)


class _Batch:
    """What is known of the records of one batch so far."""

    def __init__(self, frames: JoinedFrames, columns: RawColumns) -> None:
        self.frames = frames
        self.columns = columns
        self.partitions = int(frames.partition.max()) + 1
        self.point: Ints = np.full(len(columns.at), SLOW, np.int64)
        self.placed: list[Placed] = []
        self._types = dict(zip(TYPES, range(len(TYPES)), strict=True))
        self._type: Ints = np.empty(len(frames), np.int64)
        self._type[columns.at] = columns.type
        self._no_text: list[tuple[Record, str]] = []

    def note(self, at: int, record: Record, kind: str) -> None:
        """What type a record was that was routed by itself."""
        if _is_text(record.key) and _is_text(record.payload):
            self._type[at] = self._types.setdefault(kind, len(self._types))
        else:
            self._type[at] = _NO_TEXT
            self._no_text.append((record, kind))

    def archive(self, rows: IngestRows) -> None:
        """All records as received."""
        frames, chosen = self.frames, np.flatnonzero(self._type != _NO_TEXT)
        kept: Any = slice(None) if len(chosen) == len(frames) else chosen
        data = frames.data
        rows.archive_columns(
            (
                frames.partition[kept], frames.offset[kept], Slices(data, frames.key_start[kept], frames.key_end[kept]),
                Words(self._type[kept], tuple(self._types)), frames.append_ms[kept],
                Slices(data, frames.payload_start[kept], frames.payload_end[kept]),
            )
        )  # fmt: skip
        for record, kind in self._no_text:
            rows.archive(record, kind)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
