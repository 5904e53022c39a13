"""The open file of the outbox, with what is known of it in memory; the two change together or not at all."""

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from edge_collector.entry import Entry, Kind
from edge_collector.heartbeats import DeviceState
from edge_collector.outbox_gaps import Gap, gap_entry, gap_of, merged
from edge_collector.outbox_mark import Mark, MarkFile
from edge_collector.outbox_repair import Repair, keep_wal, open_sound
from edge_collector.outbox_schema import STANDING, drop, fetch, load_devices, put, remember, save_devices, standing_of

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Standing:
    """The outbox's own numbers, kept in the file; counts are since it was made. `newest_ms`: the last boundary that was polled."""

    sequence: int = 1
    ordinal: int = 1
    stamp: int = 0
    beat_floor: int = 0
    newest_ms: int = 0
    delivered: int = 0
    delivered_ms: int = 0
    evicted_kept: int = 0
    evicted_telemetry: int = 0
    evicted_reads: int = 0
    repairs: int = 0


class Store:
    """Rows, devices and numbers of one outbox file. Opening it repairs what is damaged: `repair` says what was done."""

    connection: sqlite3.Connection
    standing: Standing
    devices: dict[str, DeviceState]
    repair: Repair | None
    _oldest_ms: int | None  # the start of what waits, or before it

    def __init__(self, path: Path, collector: str, now_ms: Callable[[], int], max_pages: int | None) -> None:
        self._path, self._collector, self._now_ms, self._max_pages = path, collector, now_ms, max_pages
        self._mark = MarkFile(path.with_name(path.name + ".mark"))
        try:
            self._open()
        except BaseException:
            self._mark.close()
            raise

    def reopen(self) -> None:
        """After damage was met while running."""
        keep_wal(self._path)
        with suppress(sqlite3.Error):
            self.connection.close()
        self._open()

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()
        self._mark.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, of the file and of what is known of it here."""
        before = replace(self.standing), dict(self.devices), self._oldest_ms
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self.standing.stamp += 1
            yield
            self.remember({STANDING: orjson.dumps(asdict(self.standing)).decode()})
            self.connection.execute("COMMIT")
        except BaseException:
            self.standing, self.devices, self._oldest_ms = before
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def take(self) -> int:
        """A sequence number, never given before."""
        self.standing.sequence += 1
        return self.standing.sequence - 1

    def add(self, entries: list[Entry]) -> None:
        """New entries, which wait."""
        if not self._holds():
            self._oldest_ms = None
        put(self.connection, entries)
        starts = [entry.from_ms for entry in entries if entry.kind >= Kind.READ and entry.from_ms is not None]
        if self._oldest_ms is not None:
            starts.append(self._oldest_ms)
        self._oldest_ms = min(starts, default=None)

    def say(self, gaps: Iterable[Gap]) -> None:
        """Add gaps to those that wait. A widened gap has a new sequence: the old one may be on its way."""
        new = list(gaps)
        for device in sorted({gap.device for gap in new}):
            waiting = fetch(self.connection, f"state = 0 AND kind = {Kind.GAP:d} AND device = ?", (device,))
            drop(self.connection, [entry.sequence for entry in waiting])
            together = merged([*map(gap_of, waiting), *(gap for gap in new if gap.device == device)])
            self.add([gap_entry(gap, self.take(), self._now_ms()) for gap in together])

    def save(self, states: Iterable[DeviceState]) -> None:
        """Devices as they are now."""
        changed = [state for state in states if self.devices.get(state.device) != state]
        save_devices(self.connection, changed, self.standing.stamp)
        self.devices.update((state.device, state) for state in changed)

    def remember(self, texts: Mapping[str, str]) -> None:
        """Texts under their keys."""
        for key, text in texts.items():
            remember(self.connection, key, text, self.standing.stamp)

    def promise(self) -> None:
        """Write the mark, so that a file that loses what it holds now is seen to have lost it."""
        first = fetch(self.connection, f"state = 0 AND kind = {Kind.READ:d} ORDER BY sequence LIMIT 1")
        gaps = self.connection.execute(
            f"SELECT count(*) FROM entries WHERE state = 0 AND kind = {Kind.GAP:d}"
        ).fetchone()
        standing = self.standing
        low = first[0].ordinal if first else standing.ordinal
        try:
            self._mark.write(
                Mark(standing.sequence, standing.ordinal, low, self._oldest_ms, standing.newest_ms or None, gaps[0])
            )
        except OSError as error:  # the rows are safe; only a loss might go unseen
            logger.error("outbox: no mark: %s", error)

    def _open(self) -> None:
        mark = self._mark.read()
        self.connection, self.repair = open_sound(self._path, mark, self._collector, self._now_ms(), self._max_pages)
        self.standing = Standing(**standing_of(self.connection))
        self.devices = load_devices(self.connection)
        held = self.connection.execute("SELECT min(from_ms) FROM entries WHERE state = 0 AND kind >= 3").fetchone()
        self._oldest_ms = held[0]
        if self.repair is not None:
            logger.error("outbox: %s; %d rows recovered", self.repair.problem, self.repair.recovered)
            self._go_on_after(self.repair, mark)
        self.promise()

    def _go_on_after(self, repair: Repair, mark: Mark | None) -> None:
        with self.transaction():
            standing = self.standing
            standing.sequence = standing.beat_floor = repair.sequence
            standing.ordinal = repair.ordinal
            standing.stamp = max(standing.stamp, repair.sequence)
            standing.newest_ms = max(standing.newest_ms, (mark and mark.newest_ms) or 0)
            standing.repairs += 1
            self.say(repair.gaps)

    def _holds(self) -> bool:
        query = "SELECT 1 FROM entries WHERE state = 0 AND kind >= 3 LIMIT 1"
        return self.connection.execute(query).fetchone() is not None
