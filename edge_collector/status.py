"""What stands in an outbox, for `outbox status` and the metrics: read beside the collector that writes it."""

import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edge_collector.entry import Kind, UnableToReadFrame
from edge_collector.outbox_bounds import used_bytes
from edge_collector.outbox_schema import recall, standing_of
from edge_collector.publishing import LAST_ERROR


class UnableToShow(Exception):
    """There is no outbox at the path, or it cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """Counts of rows; instants in ms of UTC, null when there is none. `depth`: undelivered, by topic and kind.

    `oldest_ms`: the boundary of the oldest undelivered read, `age_ms` how long ago that was. `evicted_*`, `delivered` and `repairs`
    are since the file was made.
    """

    depth: dict[str, dict[str, int]]
    used_bytes: int
    oldest_ms: int | None
    age_ms: int | None
    first_sequence: int | None
    last_sequence: int | None
    next_sequence: int
    kept_reads: int
    evicted_kept: int
    evicted_telemetry: int
    evicted_reads: int
    delivered: int
    delivered_ms: int | None
    repairs: int
    last_error: str | None

    def to_json(self) -> dict[str, Any]:
        """As JSON would have it."""
        return asdict(self)


def read_status(path: Path, now_ms: int) -> OutboxStatus:
    """Of the outbox at a path. Raises UnableToShow."""
    if not path.exists():
        raise UnableToShow(f"{path}: no outbox here")
    # To open it for writing would end with a checkpoint, after which nothing of a damaged log could be saved.
    how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=10)
        try:
            connection.execute("BEGIN")  # one view of it all
            return status_of(connection, now_ms)
        finally:
            connection.close()
    except (sqlite3.Error, UnableToReadFrame) as error:
        raise UnableToShow(f"{path}: {error}; the collector repairs it when it starts") from error


def status_of(connection: sqlite3.Connection, now_ms: int) -> OutboxStatus:
    """Of an open outbox."""
    standing = standing_of(connection)
    depth: dict[str, dict[str, int]] = {}
    for topic, kind, rows in connection.execute(
        "SELECT topic, kind, count(*) FROM entries WHERE state = 0 GROUP BY topic, kind ORDER BY topic, kind"
    ):
        depth.setdefault(topic, {})[Kind(kind).name.lower()] = rows
    first, last = connection.execute("SELECT min(sequence), max(sequence) FROM entries WHERE state = 0").fetchone()
    (kept,) = connection.execute("SELECT count(*) FROM entries WHERE state = 1").fetchone()
    oldest = f"SELECT min(to_ms) FROM entries WHERE state = 0 AND kind = {Kind.READ:d}"
    (oldest_ms,) = connection.execute(oldest).fetchone()
    return OutboxStatus(
        depth=depth,
        used_bytes=used_bytes(connection),
        oldest_ms=oldest_ms,
        age_ms=None if oldest_ms is None else now_ms - oldest_ms,
        first_sequence=first,
        last_sequence=last,
        next_sequence=standing.get("sequence", 1),
        kept_reads=kept,
        evicted_kept=standing.get("evicted_kept", 0),
        evicted_telemetry=standing.get("evicted_telemetry", 0),
        evicted_reads=standing.get("evicted_reads", 0),
        delivered=standing.get("delivered", 0),
        delivered_ms=standing.get("delivered_ms") or None,
        repairs=standing.get("repairs", 0),
        last_error=recall(connection, LAST_ERROR),
    )
