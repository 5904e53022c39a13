"""ClickHouse as a Bytewax sink: blocks of columns, and how far they bring the tables.

Every table replaces by its natural key, so what a crash makes the flow repeat lands on itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from connectors.clickhouse import Store
from connectors.clickhouse_columns import Column, elements_of

FLUSH_VALUES: Final = 10_000_000
"""Values held back before they are inserted, some 100 MB; everything is inserted at the end of an epoch in any case.

An insert costs about 10 ms before its first row, and each makes a part that is merged later."""

Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Frontier:
    """Everything of a log's partition below `next_offset` is in the tables once this is."""

    kind: str
    partition: int
    next_offset: int
    known_at_ms: int


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of several tables, each in one or more blocks of columns, and the frontier that they reach."""

    tables: Mapping[str, Sequence[Columns]]
    frontier: tuple[Frontier, ...] = field(default=())


class _ClickHousePartition(StatefulSinkPartition[Block, None]):
    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, list[Columns]] = {}
        self._values = 0
        self._frontier: dict[tuple[str, int], Frontier] = {}

    def write_batch(self, values: list[Block]) -> None:
        for block in values:
            for table, blocks in block.tables.items():
                self._held.setdefault(table, []).extend(blocks)
                self._values += sum(elements_of(column) for columns in blocks for column in columns.values())
            for frontier in block.frontier:
                self._frontier[frontier.kind, frontier.partition] = frontier
        if self._values >= FLUSH_VALUES:
            self._flush()

    def snapshot(self) -> None:
        self._flush()

    def close(self) -> None:
        self._flush()

    def _flush(self) -> None:
        """Insert the rows, and only then the frontier that vouches for them."""
        for table, blocks in self._held.items():
            self._store.insert_blocks(table, blocks)
        if self._frontier:
            reached = list(self._frontier.values())
            names = ("kind", "partition", "next_offset", "known_at_ms")
            self._store.insert("frontier", {name: [getattr(item, name) for item in reached] for name in names})
        self._held, self._values, self._frontier = {}, 0, {}


class ClickHouseSink(FixedPartitionedSink[Block, None]):
    """Inserts blocks through one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_parts(self) -> list[str]:
        return ["clickhouse"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _ClickHousePartition:
        return _ClickHousePartition(self._store)
