"""Everything that is not yet in the log, durably: one commit a cycle, and a row leaves when its publisher has it.

    outbox.db         the rows (layout: `outbox_schema`)
    outbox.db.mark    what was promised (layout: `outbox_mark`)
    outbox.db.lock    flock of the one process that writes

Threads may share an outbox.
"""

import fcntl
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Final, TypeVar

from edge_collector import heartbeats
from edge_collector.committing import Naming, Numbers, devices_after, entries_of, may_judge_age
from edge_collector.entry import Entry, Kind, UnableToReadFrame
from edge_collector.heartbeats import Heartbeat
from edge_collector.outbox_bounds import Bounds, Evicted, evict, make_room
from edge_collector.outbox_gaps import NO_ROOM, Gap, merged, of_evicted
from edge_collector.outbox_repair import Repair
from edge_collector.outbox_schema import drop, fetch, put, recall
from edge_collector.outbox_store import Standing, Store
from edge_collector.reading import Cycle, Priority

INTERVAL_MS: Final = 900_000
HELD_READINGS: Final = 20_000
"""So many readings are held in memory while nothing can be written; then the oldest cycle is given up, which leaves a gap."""
_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

Done = TypeVar("Done")
logger = logging.getLogger(__name__)


class OutboxIsOwned(Exception):
    """Another process writes this outbox."""


class UnableToCommit(Exception):
    """The disk takes nothing. The cycle is held in memory and goes with the next commit; nothing committed before is touched."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A cycle that is not committed yet."""

    cycle: Cycle
    memory: Mapping[str, str]
    again: int


class Outbox:
    """The outbox at a path. Opening it never fails for what is in the files.

    `collector` names the reads, and stands for devices that are not known any more; `interval_ms` is the length of a device's
    first interval; `max_pages` limits the file (a full disk, in tests). Raises OutboxIsOwned; sqlite3.Error or OSError if
    nothing can be written.
    """

    def __init__(
        self,
        path: Path,
        collector: str,
        now_ms: Callable[[], int],
        bounds: Bounds | None = None,
        interval_ms: int = INTERVAL_MS,
        max_pages: int | None = None,
    ) -> None:
        self.path, self.collector, self.bounds = path, collector, bounds or Bounds()
        self._now_ms, self._interval_ms = now_ms, interval_ms
        self._mutex = RLock()
        self._committed: Callable[[], None] | None = None
        self._held: list[_Held] = []
        self._unsaid: list[Gap] = []  # of held cycles that were given up
        self._gone: set[int] = set()  # delivered, but the disk did not take that
        self._lock = _own(path)
        try:
            self._store = Store(path, collector, now_ms, max_pages)
        except BaseException:
            os.close(self._lock)
            raise

    # -- what the collector does ------------------------------------------------------------------------------------------

    def commit(self, cycle: Cycle, memory: Mapping[str, str] | None = None, again: int = 0) -> None:
        """Make a cycle durable, with what is to be remembered with it, in one piece; UnableToCommit if the disk refuses.

        `again`: the number of the request that asked for these readings; one that is there already is then left out.
        """
        with self._mutex:
            self._held.append(_Held(cycle, memory or {}, again))
            self._sound(self._commit_held)
            if self._committed is not None:
                self._committed()

    def remember(self, key: str, text: str) -> None:
        """Keep a text under a key, durably. sqlite3.OperationalError if the disk refuses."""
        with self._mutex, self._store.transaction():
            self._store.remember({key: text})

    def recall(self, key: str) -> str | None:
        """What was remembered under a key."""
        with self._mutex:
            return self._sound(lambda: recall(self._store.connection, key))

    def forget(self, key: str) -> None:
        """Drop what was remembered under a key."""
        with self._mutex, self._store.transaction():
            self._store.connection.execute("DELETE FROM memory WHERE key = ?", (key,))

    def tell(self, committed: Callable[[], None] | None) -> None:
        """Call this after every commit from now on, in the thread that commits; None: nobody."""
        self._committed = committed

    # -- what the drain does ----------------------------------------------------------------------------------------------

    def fresh(self, limit: int) -> list[Entry]:
        """Undelivered billing reads of the newest boundary, in order of sequence."""
        newest_ms = self._store.standing.newest_ms
        return self._waiting(f"kind = {Kind.READ:d} AND to_ms >= ? ORDER BY sequence", (newest_ms,), limit)

    def backlog(self, topic: str, limit: int) -> list[Entry]:
        """The oldest undelivered entries of a topic, in order of sequence."""
        return self._waiting("topic = ? ORDER BY sequence", (topic,), limit)

    def delivered(self, sequences: Iterable[int]) -> None:
        """Their publisher has them durably: reads are kept for re-reads, everything else goes. Unknown ones are nothing."""
        with self._mutex:
            self._gone.update(sequences)
            try:
                self._sound(self._take_out)
            except sqlite3.OperationalError as error:  # this process does not give them out again
                logger.error("outbox: delivered, but that could not be noted: %s", error)

    def heartbeats_due(self) -> list[Heartbeat]:
        """What may be said now of every device."""
        query = "SELECT device, min(from_ms) FROM entries WHERE state = 0 AND kind >= 3 GROUP BY device"
        with self._mutex:
            rows = self._sound(lambda: self._store.connection.execute(query).fetchall())
            oldest = {device: from_ms for device, from_ms in rows if from_ms is not None}
            states, floor = self._store.devices.values(), self._store.standing.beat_floor
            return heartbeats.due(states, oldest, floor, self._now_ms())

    def heartbeats_sent(self, sent: Iterable[Heartbeat]) -> None:
        """They stand in the log."""
        with self._mutex:
            states = [heartbeats.sent(self._store.devices[each.device], each) for each in sent]
            try:
                with self._store.transaction():
                    self._store.save(states)
            except sqlite3.OperationalError as error:  # at least this process does not say them again
                logger.error("outbox: heartbeats sent, but that could not be noted: %s", error)
                self._store.devices.update((state.device, state) for state in states)

    def publish_again(self, device: str, from_ms: int, to_ms: int) -> tuple[int, int]:
        """Let the kept reads of boundaries in [from, to) be published once more, as they were.

        Returns how many there are, and how many reads of that window were never published and wait.
        """
        where = "state = 1 AND device = ? AND to_ms >= ? AND to_ms < ? ORDER BY sequence"
        waiting = f"state = 0 AND kind = {Kind.READ:d} AND device = ? AND to_ms >= ? AND to_ms < ?"
        with self._mutex, self._store.transaction():
            kept = fetch(self._store.connection, where, (device, from_ms, to_ms))
            drop(self._store.connection, [entry.sequence for entry in kept])
            put(
                self._store.connection,
                [replace(entry, kind=Kind.AGAIN, sequence=self._store.take()) for entry in kept],
            )
            never = fetch(self._store.connection, waiting, (device, from_ms, to_ms))
        return len(kept), len(never)

    # -- what can be seen -------------------------------------------------------------------------------------------------

    @property
    def repair(self) -> Repair | None:
        """What was wrong with the files when they were opened last."""
        return self._store.repair

    @property
    def standing(self) -> Standing:
        """The outbox's own numbers."""
        return replace(self._store.standing)

    @property
    def held_readings(self) -> int:
        """How many readings wait in memory for a disk that takes them."""
        return sum(len(held.cycle.readings) for held in self._held)

    def close(self) -> None:
        """Commit what is held, if it can be, and let go."""
        with self._mutex:
            if self._held:
                with suppress(UnableToCommit):
                    self._commit_held()
            if self._held:
                logger.error("outbox: %d readings are lost with this process", self.held_readings)
            self._store.close()
            os.close(self._lock)

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _sound(self, work: Callable[[], Done]) -> Done:
        """Do it; if the file turns out to be damaged, repair it and do it again."""
        try:
            return work()
        except (sqlite3.DatabaseError, UnableToReadFrame) as error:
            if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
                raise
            logger.error("outbox: %s: damaged while running: %s", self.path, error)
        self._store.reopen()
        return work()

    def _commit_held(self) -> None:
        for makes_room in (False, True):
            try:
                with self._store.transaction():
                    if makes_room:
                        self._count(make_room(self._store.connection))
                    self._store.say(self._unsaid)
                    for held in self._held:
                        self._insert(held)
                break
            except sqlite3.OperationalError as error:
                logger.error("outbox: %s", error)
                if makes_room:
                    self._bound_held()
                    raise UnableToCommit(f"{self.path}: {error}") from error
        self._held.clear()
        self._unsaid.clear()
        self._store.promise()

    def _insert(self, held: _Held) -> None:
        cycle, store = held.cycle, self._store
        numbers = Numbers(store.standing.sequence, store.standing.ordinal)
        naming = Naming(self.collector, self._interval_ms, self._has_read)
        store.add(entries_of(cycle, naming, store.devices, numbers, held.again))
        store.standing.sequence, store.standing.ordinal = numbers.sequence, numbers.ordinal
        store.save(devices_after(cycle, store.devices, self._now_ms()))
        store.remember(held.memory)
        if cycle.polled:
            store.standing.newest_ms = cycle.boundary_ms
        self._count(evict(store.connection, self.bounds, cycle.boundary_ms if may_judge_age(cycle) else None))

    def _count(self, evicted: Evicted) -> None:
        """Of what was given up; undelivered reads leave a gap in the same transaction."""
        standing = self._store.standing
        standing.evicted_kept += evicted.kept
        standing.evicted_telemetry += evicted.telemetry
        standing.evicted_reads += len(evicted.undelivered)
        self._store.say(of_evicted(evicted.undelivered))

    def _bound_held(self) -> None:
        """Give up the oldest cycles that are held, all but what must be said of them."""
        while self.held_readings > HELD_READINGS and len(self._held) > 1:
            cycle = self._held.pop(0).cycle
            lost = {reading.device for reading in cycle.readings if reading.priority is Priority.BILLING}
            before_ms = {name: state.polled_ms for name, state in self._store.devices.items()}
            starts = {name: before_ms.get(name) or cycle.boundary_ms - self._interval_ms for name in lost}
            gaps = [Gap(name, starts[name], cycle.boundary_ms, 0, NO_ROOM) for name in lost]
            self._unsaid = merged([*self._unsaid, *gaps])

    def _take_out(self) -> None:
        connection, standing = self._store.connection, self._store.standing
        with self._store.transaction():
            found: list[Entry] = []
            for sequence in self._gone:
                found += fetch(connection, "sequence = ? AND state = 0", (sequence,))
            drop(connection, [entry.sequence for entry in found if entry.read_id is None])
            put(connection, [replace(each, kind=Kind.READ) for each in found if each.read_id is not None], is_kept=True)
            standing.delivered += len(found)
            standing.delivered_ms = self._now_ms()
        self._gone.clear()

    def _waiting(self, where: str, values: tuple[object, ...], limit: int) -> list[Entry]:
        query = f"state = 0 AND {where} LIMIT {limit + len(self._gone)}"
        with self._mutex:
            found = self._sound(lambda: fetch(self._store.connection, query, values))
            return [entry for entry in found if entry.sequence not in self._gone][:limit]

    def _has_read(self, name: str) -> bool:
        row = self._store.connection.execute("SELECT 1 FROM entries WHERE read_id = ?", (name,)).fetchone()
        return row is not None


def _own(path: Path) -> int:
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise OutboxIsOwned(f"{path} belongs to another process ({holder})") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
