"""A damaged outbox: what is left of it goes into a new one, the old files are set aside, and what is missing is said.

Rows carry frames that explain themselves (`entry`), so nothing of SQLite's structure is needed to find them: the file and its
write-ahead log are searched as bytes. What is found twice was delivered if either says so; a row that was taken out long ago is not
found, as SQLite overwrites it, and if one is after all, its record is published again under its old read id.

    NAME.new        being built          NAME.rebuilt    whole, about to take the place of NAME
    NAME-wal.before the log as it was before SQLite looked at it, which may be the end of it
    NAME.damaged-…  what was set aside; the newest three are kept
"""

import mmap
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edge_collector.entry import DEVICE, KEPT, MEMORY, WAITING, Entry, Kind, entry_of, frames_in
from edge_collector.outbox_gaps import DAMAGED, Gap
from edge_collector.outbox_mark import Mark
from edge_collector.outbox_schema import connect, damage, device_of, fetch, put, remember, save_devices, text_of

LEAP: Final = 1_000_000_000
"""Numbers go on so far beyond the highest known: far more were never given in vain."""
_ASIDE: Final = 3
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done. `gaps` are for the caller to record; `sequence` and `ordinal` are the next numbers."""

    problem: str
    recovered: int
    gaps: tuple[Gap, ...]
    sequence: int
    ordinal: int


def open_sound(
    path: Path, mark: Mark | None, collector: str, now_ms: int, max_pages: int | None = None
) -> tuple[sqlite3.Connection, Repair | None]:
    """The outbox at a path, as it is if it is sound, else rebuilt. sqlite3.Error or OSError only if nothing can be written there."""
    if _beside(path, ".rebuilt").exists():
        _swap(path, now_ms)
    keep_wal(path)
    connection, problem = _try(path, mark, max_pages)
    repair = None
    if connection is None:
        repair = _rebuild(path, mark, collector, now_ms, problem)
        _swap(path, now_ms)
        connection = connect(path, max_pages)
    _beside(path, "-wal.before").unlink(missing_ok=True)
    return connection, repair


def keep_wal(path: Path) -> None:
    """Copy the write-ahead log before SQLite opens or closes the file, as it then drops all that follows damage in it."""
    wal, before = _beside(path, "-wal"), _beside(path, "-wal.before")
    if wal.exists() and not before.exists():
        shutil.copyfile(wal, before)


def _try(path: Path, mark: Mark | None, max_pages: int | None) -> tuple[sqlite3.Connection | None, str]:
    try:
        connection = connect(path, max_pages)
    except sqlite3.DatabaseError as error:
        return None, f"it does not open: {error}"
    problem = damage(connection, mark)
    if problem is None:
        return connection, ""
    connection.close()
    return None, problem


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


# -- salvage ----------------------------------------------------------------------------------------------------------


def _rebuild(path: Path, mark: Mark | None, collector: str, now_ms: int, problem: str) -> Repair:
    building = _beside(path, ".new")
    for suffix in ("", "-wal", "-shm"):
        _beside(building, suffix).unlink(missing_ok=True)
    sources = [_beside(path, suffix) for suffix in ("", "-wal", "-wal.before")]
    connection = connect(building)
    try:
        connection.execute("BEGIN")
        devices = _salvage(connection, sources)
        repair = _account(connection, mark, devices, collector, now_ms, problem)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    building.rename(_beside(path, ".rebuilt"))
    _sync(path.parent)
    return repair


def _salvage(connection: sqlite3.Connection, sources: list[Path]) -> set[str]:
    """Put every row that is found into the new file; returns the names of the devices that it tells of."""
    devices: set[str] = set()
    stamps: dict[tuple[bytes, str], int] = {}
    for magic, body in _frames(sources):
        if magic in (WAITING, KEPT):
            entry = entry_of(body)
            devices.add(entry.device)
            _put_once(connection, entry, magic == KEPT)
        elif magic == DEVICE:
            stamp, state = device_of(body)
            devices.add(state.device)
            if stamps.get((magic, state.device), -1) < stamp:
                stamps[magic, state.device] = stamp
                save_devices(connection, [state], stamp)
        elif magic == MEMORY:
            stamp, key, text = text_of(body)
            if stamps.get((magic, key), -1) < stamp:
                stamps[magic, key] = stamp
                remember(connection, key, text, stamp)
    return devices


def _frames(sources: list[Path]) -> Iterator[tuple[bytes, bytes]]:
    for source in sources:
        if not source.exists() or source.stat().st_size == 0:
            continue
        with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield from frames_in(mapped)


def _put_once(connection: sqlite3.Connection, entry: Entry, is_kept: bool) -> None:
    """A read that was asked for again stands under two sequences in old and new images: the later one is right."""
    row = connection.execute("SELECT state FROM entries WHERE sequence = ?", (entry.sequence,)).fetchone()
    if row is not None and (row[0] or not is_kept):
        return
    if entry.read_id is not None:
        same = "SELECT max(sequence) FROM entries WHERE read_id = ?"
        (later,) = connection.execute(same, (entry.read_id,)).fetchone()
        if later is not None and later > entry.sequence:
            return
    put(connection, [entry], is_kept)


# -- what is missing --------------------------------------------------------------------------------------------------


def _account(
    connection: sqlite3.Connection, mark: Mark | None, devices: set[str], collector: str, now_ms: int, problem: str
) -> Repair:
    (highest, recovered) = connection.execute("SELECT max(sequence), count(*) FROM entries").fetchone()
    gaps: tuple[Gap, ...] = ()
    if _is_something_missing(connection, mark):
        from_ms = None if mark is None else mark.oldest_ms
        to_ms = now_ms if mark is None or mark.newest_ms is None else mark.newest_ms
        is_known = from_ms is not None and from_ms < to_ms
        gaps = tuple(
            Gap(name, from_ms if is_known else None, to_ms if is_known else None, 0, DAMAGED)
            for name in sorted({*devices, collector})
        )
    sequence = max((highest or 0) + LEAP, (mark.sequence if mark else 0) + LEAP, now_ms)
    return Repair(problem, recovered, gaps, sequence, _renumber(connection, mark))


def _is_something_missing(connection: sqlite3.Connection, mark: Mark | None) -> bool:
    if mark is None:
        return True
    found = {entry.ordinal for entry in _reads(connection)}
    waiting_gaps = len(fetch(connection, f"state = 0 AND kind = {Kind.GAP:d}"))
    return waiting_gaps < mark.gaps or any(each not in found for each in range(mark.low_ordinal, mark.ordinal))


def _reads(connection: sqlite3.Connection) -> Iterator[Entry]:
    """All reads there are, some at a time."""
    after = -1
    while some := fetch(
        connection, f"read_id IS NOT NULL AND sequence > ? ORDER BY sequence LIMIT {_AT_ONCE}", (after,)
    ):
        yield from some
        after = some[-1].sequence


def _renumber(connection: sqlite3.Connection, mark: Mark | None) -> int:
    """Give the reads that wait ordinals without a hole again; returns the next one."""
    ordinal = max([mark.ordinal if mark else 1, *(entry.ordinal + 1 for entry in _reads(connection))])
    after = -1
    where = f"state = 0 AND kind = {Kind.READ:d} AND sequence > ? ORDER BY sequence LIMIT {_AT_ONCE}"
    while some := fetch(connection, where, (after,)):
        after = some[-1].sequence
        put(connection, [replace(entry, ordinal=ordinal + at) for at, entry in enumerate(some)])
        ordinal += len(some)
    return ordinal


# -- files ------------------------------------------------------------------------------------------------------------


def _sync(directory: Path) -> None:
    """Make names in a directory survive a power cut. (The file log has the same, and numpy with it, which the box may lack.)"""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(path: Path, now_ms: int) -> None:
    """Set the old files aside and put the rebuilt one in their place; done again after a crash, it comes to the same."""
    aside = _beside(path, time.strftime(".damaged-%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000)))
    for suffix in ("", "-wal", "-wal.before"):
        if _beside(path, suffix).exists():
            _beside(path, suffix).rename(_beside(aside, suffix))
    _beside(path, "-shm").unlink(missing_ok=True)
    _beside(path, ".rebuilt").rename(path)
    _sync(path.parent)
    old = sorted(
        {each.name.removesuffix(".before").removesuffix("-wal") for each in path.parent.glob(f"{path.name}.damaged-*")}
    )
    for name in old[:-_ASIDE]:
        for suffix in ("", "-wal", "-wal.before"):
            path.with_name(name + suffix).unlink(missing_ok=True)
