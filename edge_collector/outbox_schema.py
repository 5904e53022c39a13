"""The outbox as an SQLite file: its tables, how it is opened, and whether it is sound."""

import sqlite3
from pathlib import Path
from typing import Final

import orjson

from edge_collector.entry import (
    DEVICE,
    KEPT,
    MEMORY,
    Entry,
    UnableToReadFrame,
    body_of,
    entry_frame,
    entry_of,
    frame_of,
)
from edge_collector.heartbeats import DeviceState
from edge_collector.outbox_mark import Mark

PAGE_BYTES: Final = 8192
"""A row of up to so many bytes, less some forty, lies in one piece, where it is found again in a damaged file."""
VERSION: Final = 1
KEPT_STATE: Final = 1

_TABLES: Final = f"""
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,            -- 0 waits, 1 was delivered and is kept for re-reads
  kind INTEGER NOT NULL,
  topic TEXT NOT NULL,
  device TEXT NOT NULL,
  from_ms INTEGER,
  to_ms INTEGER,
  read_id TEXT,
  frame BLOB NOT NULL
);
CREATE INDEX waiting ON entries (topic, sequence) WHERE state = 0;
CREATE INDEX fresh ON entries (to_ms, sequence) WHERE state = 0 AND kind = 3;
CREATE INDEX by_kind ON entries (kind, sequence) WHERE state = 0;
CREATE INDEX holding ON entries (device, from_ms) WHERE state = 0 AND kind >= 3;
CREATE INDEX kept ON entries (sequence) WHERE state = 1;
CREATE INDEX kept_reads ON entries (device, to_ms) WHERE state = 1;
CREATE UNIQUE INDEX read_ids ON entries (read_id) WHERE read_id IS NOT NULL;
CREATE TABLE devices (device TEXT PRIMARY KEY, frame BLOB NOT NULL);
CREATE TABLE memory (key TEXT PRIMARY KEY, frame BLOB NOT NULL);
PRAGMA user_version = {VERSION};
"""

STANDING: Final = "outbox/standing"
"""The key under which the outbox remembers its own numbers."""


def connect(path: Path, max_pages: int | None = None) -> sqlite3.Connection:
    """Open the file, making it if there is none; every commit is on disk when it returns. sqlite3.Error if it cannot be read."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # so that a salvage finds nothing that was taken out
        connection.execute("PRAGMA wal_autocheckpoint = 512")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count = {max_pages}")
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,):
            connection.executescript(f"BEGIN; {_TABLES} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def damage(connection: sqlite3.Connection, mark: Mark | None) -> str | None:
    """What is wrong with an open outbox, None if nothing is. Reads all of it."""
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            return f"it has format {version}"
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            return f"SQLite says: {verdict}"
        _read_everything(connection)
        sequence = standing_of(connection).get("sequence", 1)
    except (sqlite3.Error, UnableToReadFrame, ValueError) as error:
        return f"it does not read: {error}"
    if mark is not None and sequence < mark.sequence:
        return f"it ends at {sequence}, but {mark.sequence} was committed"
    return None


def _read_everything(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT sequence, state, kind, topic, device, from_ms, to_ms, read_id, frame FROM entries"
    )
    for *columns, frame in rows:
        magic, body = body_of(frame)
        entry = entry_of(body)
        if columns != _columns(entry, magic == KEPT)[:-1]:
            raise UnableToReadFrame(f"entry {entry.sequence} stands under other columns")
    load_devices(connection)
    for key, frame in connection.execute("SELECT key, frame FROM memory"):
        if text_of(body_of(frame)[1])[1] != key:
            raise UnableToReadFrame(f"memory {key} is another's")


def standing_of(connection: sqlite3.Connection) -> dict[str, int]:
    """The outbox's own numbers; empty in a new file."""
    text = recall(connection, STANDING)
    numbers: dict[str, int] = {} if text is None else orjson.loads(text)
    return numbers


# -- rows -------------------------------------------------------------------------------------------------------------


def _columns(entry: Entry, is_kept: bool) -> list[object]:
    return [
        entry.sequence, int(is_kept), int(entry.kind), entry.topic, entry.device, entry.from_ms, entry.to_ms, entry.read_id,
        entry_frame(entry, is_kept),
    ]  # fmt: skip


def put(connection: sqlite3.Connection, entries: list[Entry], is_kept: bool = False) -> None:
    """Add entries, or put them in the place of those with their sequences."""
    connection.executemany(
        "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_columns(entry, is_kept) for entry in entries],
    )


def drop(connection: sqlite3.Connection, sequences: list[int]) -> None:
    """Take entries out."""
    connection.executemany("DELETE FROM entries WHERE sequence = ?", [(sequence,) for sequence in sequences])


def fetch(connection: sqlite3.Connection, where: str, values: tuple[object, ...] = ()) -> list[Entry]:
    """Entries by the end of a query; `UnableToReadFrame` for one that is damaged."""
    return [
        entry_of(body_of(frame)[1])
        for (frame,) in connection.execute(f"SELECT frame FROM entries WHERE {where}", values)
    ]


def device_frame(state: DeviceState, stamp: int) -> bytes:
    """A device as bytes; of two, the one with the higher stamp is the newer."""
    fields = [stamp, state.device, state.polled_ms, state.sent_ms, state.beat, state.is_exchanged]
    return frame_of(DEVICE, orjson.dumps(fields))


def device_of(body: bytes) -> tuple[int, DeviceState]:
    """(stamp, device)"""
    stamp, *fields = orjson.loads(body)
    return stamp, DeviceState(*fields)


def save_devices(connection: sqlite3.Connection, states: list[DeviceState], stamp: int) -> None:
    """Add or replace devices."""
    connection.executemany(
        "INSERT OR REPLACE INTO devices VALUES (?, ?)", [(state.device, device_frame(state, stamp)) for state in states]
    )


def load_devices(connection: sqlite3.Connection) -> dict[str, DeviceState]:
    """Every device by its name."""
    found = {}
    for name, frame in connection.execute("SELECT device, frame FROM devices ORDER BY device"):
        found[name] = device_of(body_of(frame)[1])[1]
        if found[name].device != name:
            raise UnableToReadFrame(f"device {name} is another")
    return found


def text_of(body: bytes) -> tuple[int, str, str]:
    """(stamp, key, text)"""
    stamp, key, text = orjson.loads(body)
    return stamp, key, text


def recall(connection: sqlite3.Connection, key: str) -> str | None:
    """What was remembered under a key."""
    row = connection.execute("SELECT frame FROM memory WHERE key = ?", (key,)).fetchone()
    return None if row is None else text_of(body_of(row[0])[1])[2]


def remember(connection: sqlite3.Connection, key: str, text: str, stamp: int) -> None:
    """Keep a text under a key, in place of what was there."""
    frame = frame_of(MEMORY, orjson.dumps([stamp, key, text]))
    connection.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (key, frame))
