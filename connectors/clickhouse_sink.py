"""ClickHouse as a Bytewax sink: blocks of columns, and how far they bring the tables.

Every table replaces by its natural key, so what a crash makes the flow repeat lands on itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from connectors.clickhouse import Store

FLUSH_ROWS: Final = 50_000
"""Rows held back at most before they are inserted; everything is inserted at the end of an epoch in any case."""

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Frontier:
    """Everything of a log's partition below `next_offset` is in the tables once this is."""

    kind: str
    partition: int
    next_offset: int
    known_at_ms: int


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of several tables, and the frontier that they reach."""

    tables: Mapping[str, Columns]
    frontier: tuple[Frontier, ...] = field(default=())


class _ClickHousePartition(StatefulSinkPartition[Block, None]):
    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, dict[str, list[Any]]] = {}
        self._rows = 0
        self._frontier: dict[tuple[str, int], Frontier] = {}

    def write_batch(self, values: list[Block]) -> None:
        for block in values:
            for table, columns in block.tables.items():
                self._hold(table, columns)
            for frontier in block.frontier:
                self._frontier[frontier.kind, frontier.partition] = frontier
        if self._rows >= FLUSH_ROWS:
            self._flush()

    def snapshot(self) -> None:
        self._flush()

    def close(self) -> None:
        self._flush()

    def _hold(self, table: str, columns: Columns) -> None:
        held = self._held.setdefault(table, {name: [] for name in columns})
        for name, values in columns.items():
            held[name].extend(values)
        self._rows += len(next(iter(columns.values()), ()))

    def _flush(self) -> None:
        """Insert the rows, and only then the frontier that vouches for them."""
        for table, columns in self._held.items():
            self._store.insert(table, columns)
        if self._frontier:
            reached = list(self._frontier.values())
            names = ("kind", "partition", "next_offset", "known_at_ms")
            self._store.insert("frontier", {name: [getattr(item, name) for item in reached] for name in names})
        self._held, self._rows, self._frontier = {}, 0, {}


class ClickHouseSink(FixedPartitionedSink[Block, None]):
    """Inserts blocks through one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_parts(self) -> list[str]:
        return ["clickhouse"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _ClickHousePartition:
        return _ClickHousePartition(self._store)
