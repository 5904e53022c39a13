"""reads.raw → route → reads.curated; what cannot be routed → quarantine and dead letters in ClickHouse.

    log reads.raw ─▶ route (one key a group of partitions) ─┬─▶ log reads.curated
                                                             └─▶ ClickHouse: archive, dead letters, quarantine, ledger

Here records are routed one by one; a batch of many goes through `dataflows/ingest_columns.py`, which must come to the same.
A crash may make it append curated records a second time; the fold's marks drop them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from connectors.clickhouse import Store
from connectors.clickhouse_sink import Block, ClickHouseSink, Frontier
from connectors.codec import UnableToDecode, decode_raw, encode
from connectors.file_log import LogReader, LogWriter, Record, UnableToRead, partition_of, read_at
from connectors.file_log.frames import JoinedFrames
from connectors.log_streams import Entries, Entry, LogSink, MergedLogSource, Runs
from dataflows.ingest_columns import ColumnIngest
from dataflows.ingest_rows import IngestRows
from dataflows.route_snapshots import RouteSnapshots
from state.compiling import Worth
from state.routing import Again, Carrier, Routed, Router
from state.timeline import UnableToAssign

COLUMNS: Final = Worth("connectors.scan.raw._scan")
"""Batches that are not worth it are routed one by one."""


class UnableToRelease(ValueError):
    """A release names a place of its own partition at which no record begins."""


@dataclass(frozen=True, slots=True)
class IngestWiring:
    """What ingest is connected to; `stop` None runs to the end of the log and ends.

    `appends` False shows the tables' rows again (rebuilding) and leaves reads.curated as it is.
    `snapshots`: the directory for the files of the routers' snapshots; None: Bytewax keeps each of them whole.
    """

    raw: Path
    curated: LogWriter
    store: Store
    now_ms: Callable[[], int]
    stop: Event | None = None
    appends: bool = True
    snapshots: Path | None = None


def ingest(wiring: IngestWiring) -> Dataflow:
    """The dataflow from raw records to curated ones."""
    flow = Dataflow("ingest")
    raw = op.input("reads_raw", flow, MergedLogSource(wiring.raw, "group-0", wiring.stop))
    routed = op.stateful_batch("route", raw, lambda resume: RouteLogic(resume, wiring))
    if wiring.appends:
        op.output("reads_curated", op.map_value("curated", routed, _entries), LogSink(wiring.curated, wiring.now_ms))
    op.output("clickhouse", op.map_value("rows", routed, _block), ClickHouseSink(wiring.store))
    return flow


@dataclass(frozen=True, slots=True)
class RoutedBatch:
    """What one batch of raw records became."""

    entries: Entries
    block: Block


def _entries(batch: RoutedBatch) -> Entries:
    return batch.entries


def _block(batch: RoutedBatch) -> Block:
    return batch.block


class RouteLogic(StatefulBatchLogic[Runs, RoutedBatch, bytes]):
    """Routers of a group of raw partitions, fed in merged order."""

    def __init__(self, resume_state: bytes | None, wiring: IngestWiring) -> None:
        self._raw = wiring.raw
        self._curated_partitions = wiring.curated.partitions
        self._state = resume_state
        """What the last snapshot gave; None once something has come since."""
        if resume_state is None:
            self._snapshots = RouteSnapshots.begun({}, wiring.snapshots)
        else:
            self._snapshots = RouteSnapshots.resumed(resume_state, wiring.snapshots)
        self._routers = self._snapshots.routers
        self._columns = ColumnIngest(self._routers, self._curated_partitions)

    def on_batch(self, values: list[Runs]) -> tuple[Iterable[RoutedBatch], bool]:
        return [self.route_runs(runs) for runs in values], StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        if self._state is None:
            self._state = self._snapshots.take()
        return self._state

    def route_runs(self, runs: Runs) -> RoutedBatch:
        """Route a batch, in columns if it is worth it."""
        if not COLUMNS.of(sum(map(len, runs))):
            return self.route_records([record for run in runs for record in run])
        rows = IngestRows()
        for run in runs:
            self._routers.setdefault(run.partition, Router(run.partition))
        entries = self._columns.route(JoinedFrames.of_runs(runs), self._route_one, rows)
        return self._routed(entries, rows, {run.partition: run[-1] for run in runs})

    def route_records(self, records: Sequence[Record]) -> RoutedBatch:
        """Route a batch record by record: what `route_runs` must give."""
        rows = IngestRows()
        entries: list[Entry] = []
        for record in records:
            kind, given = self._route_one(record, rows)
            rows.archive(record, kind)
            entries += given
        return self._routed(entries, rows, {record.partition: record for record in records})

    def _routed(self, entries: Entries, rows: IngestRows, last: dict[int, Record]) -> RoutedBatch:
        """What becomes of a batch, given the last record of each of its partitions."""
        self._state = None
        for partition, record in sorted(last.items()):
            self._routers[partition].next_offset = record.next_offset
            rows.count(partition, self._routers[partition].ledger, record)
        frontier = [Frontier("ingest", partition, r.next_offset, r.append_ms) for partition, r in sorted(last.items())]
        return RoutedBatch(entries, Block(rows.tables(), tuple(frontier)))

    def _route_one(self, record: Record, rows: IngestRows) -> tuple[str, list[Entry]]:
        """Route one record; returns its type and what is to be appended."""
        router = self._routers.setdefault(record.partition, Router(record.partition))
        routed = Routed()
        kind = self._route(router, record, routed, rows)
        rows.hold(routed.held)
        return kind, list(self._encode(routed))

    def _route(self, router: Router, record: Record, routed: Routed, rows: IngestRows) -> str:
        """Route one raw record, or dead-letter it; returns its type, "" if it has none."""
        kind = ""
        try:
            decoded = decode_raw(record.payload)
            kind = str(decoded["type"])
            if kind == "dead_letter":
                router.dead_letter()
                rows.refused_by_connector(record, decoded)
                return kind
            if kind == "release":
                self._refuse_wrong_places(decoded["coordinates"], record)
            carrier = router.route(decoded, record.offset, record.append_ms, routed)
            if kind == "assignment":
                self._columns.assigned(record.partition, str(decoded["device"]))
        except (UnableToDecode, UnableToAssign, UnableToRelease) as error:
            router.dead_letter()
            rows.dead_letter(record, kind, error)
            return kind
        for request in routed.again:
            self._answer(router, request, carrier, routed)
        return kind

    def _refuse_wrong_places(self, coordinates: Iterable[tuple[int, int]], release: Record) -> None:
        """Before anything is routed, as a release is let in whole or not at all.

        Places of other partitions, and places not written before it, are nobody's.
        """
        for partition, offset in coordinates:
            if partition == release.partition and offset < release.offset:
                try:
                    read_at(self._raw, partition, offset)
                except UnableToRead as error:
                    raise UnableToRelease(f"no record begins at {partition}, {offset}: {error}") from error

    def _answer(self, router: Router, request: Again, carrier: Carrier, routed: Routed) -> None:
        """Read raw records again and publish them under the carrier that asked."""
        for record in self._read_again(router.partition, request):
            try:
                decoded = decode_raw(record.payload)
            except UnableToDecode:
                continue  # it was dead-lettered when it was received
            if decoded["type"] in ("interval", "window", "day", "register"):
                router.republish(decoded, record.offset, record.append_ms, request, carrier, routed)

    def _read_again(self, partition: int, request: Again) -> Iterator[Record]:
        if request.coordinates:
            for raw_partition, offset in request.coordinates:
                yield read_at(self._raw, raw_partition, offset)
            return
        key = request.device.encode()
        with LogReader(self._raw, partition, request.first_offset) as reader:
            while records := reader.read(end_offset=request.before_offset):
                yield from (record for record in records if record.key == key)

    def _encode(self, routed: Routed) -> Iterable[Entry]:
        for supply_point, record in routed.curated:
            payload = encode(record)
            if supply_point is None:
                yield from ((partition, b"", payload) for partition in range(self._curated_partitions))
            else:
                key = supply_point.encode()
                yield partition_of(key, self._curated_partitions), key, payload
