"""How much the outbox holds, and what it gives up first: kept reads, reads asked for again, telemetry, then reports and reads."""

import sqlite3
from dataclasses import dataclass, field
from typing import Final

from edge_collector.entry import Entry, Kind
from edge_collector.outbox_schema import drop, fetch

_DAY_MS: Final = 86_400_000
_CHUNK: Final = 64
_AGED_AT_ONCE: Final = 2000
_KEPT: Final = "state = 1"
_OLDEST_FIRST: Final = (
    _KEPT,
    f"state = 0 AND kind = {Kind.AGAIN:d}",
    f"state = 0 AND kind = {Kind.TELEMETRY:d}",
    f"state = 0 AND kind IN ({Kind.STATUS:d}, {Kind.READ:d})",
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`max_bytes` of pages in use; ages are against the newest boundary. Gap records are beyond them: there are few."""

    max_bytes: int = 256 * 1024 * 1024
    kept_ms: int = 35 * _DAY_MS
    telemetry_ms: int = 7 * _DAY_MS
    reads_ms: int = 400 * _DAY_MS


@dataclass(slots=True)
class Evicted:
    """What was given up: counts of what was delivered or is only looked at, and the undelivered entries that leave a gap."""

    kept: int = 0
    telemetry: int = 0
    undelivered: list[Entry] = field(default_factory=list)

    def add(self, where: str, entries: list[Entry]) -> None:
        """Entries of one of the classes."""
        if where in _OLDEST_FIRST[:2]:
            self.kept += len(entries)
        elif where == _OLDEST_FIRST[2]:
            self.telemetry += len(entries)
        else:
            self.undelivered += entries


def used_bytes(connection: sqlite3.Connection) -> int:
    """Pages that hold something; the file may be longer."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def evict(connection: sqlite3.Connection, bounds: Bounds, newest_ms: int | None) -> Evicted:
    """Bring the outbox within its bounds, inside the caller's transaction. `newest_ms` None: no clock to judge age by."""
    evicted = Evicted()
    if newest_ms is not None:
        _evict_aged(connection, bounds, newest_ms, evicted)
    for where in _OLDEST_FIRST:
        while used_bytes(connection) > bounds.max_bytes and _evict_some(connection, where, _CHUNK, evicted):
            pass
    return evicted


def make_room(connection: sqlite3.Connection) -> Evicted:
    """Give up some of what is not billed, as the disk is full; its pages take new rows."""
    evicted = Evicted()
    for where in _OLDEST_FIRST[:3]:
        if _evict_some(connection, where, 8 * _CHUNK, evicted):
            break
    return evicted


def _evict_some(connection: sqlite3.Connection, where: str, limit: int, evicted: Evicted) -> bool:
    entries = fetch(connection, f"{where} ORDER BY sequence LIMIT {limit}")
    drop(connection, [entry.sequence for entry in entries])
    evicted.add(where, entries)
    return bool(entries)


def _evict_aged(connection: sqlite3.Connection, bounds: Bounds, newest_ms: int, evicted: Evicted) -> None:
    ages = (bounds.kept_ms, bounds.kept_ms, bounds.telemetry_ms, bounds.reads_ms)
    for where, age_ms in zip(_OLDEST_FIRST, ages, strict=True):
        oldest = f"SELECT sequence FROM entries WHERE {where} ORDER BY sequence LIMIT {_AGED_AT_ONCE}"
        entries = fetch(connection, f"to_ms < ? AND sequence IN ({oldest})", (newest_ms - age_ms,))
        drop(connection, [entry.sequence for entry in entries])
        evicted.add(where, entries)
