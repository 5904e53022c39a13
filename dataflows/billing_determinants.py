"""reads.curated → fold → ClickHouse: hardened determinants, adjustments, findings, evidence, ledger, frontier, and the curated archive.

    log reads.curated ─▶ fold (one key a partition) ─▶ ClickHouse

EOF hardens nothing: silence is closed by records only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from connectors.clickhouse import Store
from connectors.clickhouse_sink import Block, ClickHouseSink, Columns, Frontier
from connectors.codec import decode
from connectors.log_streams import Batch, LogSource
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import COLUMNS, Outputs
from state.snapshot import restore, snapshot


@dataclass(frozen=True, slots=True)
class FoldWiring:
    """What the fold's dataflow is connected to; `stop` None runs to the end of the log and ends."""

    curated: Path
    store: Store
    stop: Event | None = None


def billing_determinants(wiring: FoldWiring) -> Dataflow:
    """The dataflow from curated records to the tables."""
    flow = Dataflow("billing_determinants")
    curated = op.input("reads_curated", flow, LogSource(wiring.curated, wiring.stop))
    blocks = op.stateful_batch("fold", curated, FoldLogic)
    op.output("clickhouse", blocks, ClickHouseSink(wiring.store))
    return flow


class FoldLogic(StatefulBatchLogic[Batch, Block, bytes]):
    """The fold of one curated partition as a Bytewax operator: records in, a block of rows out."""

    def __init__(self, resume_state: bytes | None) -> None:
        self._fold = BatchFold(restore(resume_state)) if resume_state is not None else None

    def on_batch(self, values: list[Batch]) -> tuple[Iterable[Block], bool]:
        return [self._apply(records) for records in values], StatefulBatchLogic.RETAIN

    def _apply(self, records: Batch) -> Block:
        batches = self._fold = self._fold or BatchFold(Fold(records[0].partition))
        fold, out = batches.fold, Outputs()
        decoded = [decode(record.payload) for record in records]
        places = ((body, record.offset, record.append_ms) for record, body in zip(records, decoded, strict=True))
        batches.apply_batch(places, out)
        fold.ledger_rows(out)
        tables: dict[str, Sequence[Columns]] = {stream: blocks for stream in COLUMNS if (blocks := out.blocks(stream))}
        tables["curated_records"] = [_archive(records, decoded)]
        frontier = Frontier("fold", fold.curated_partition, records[-1].next_offset, fold.known_at_ms)
        return Block(tables, (frontier,))

    def snapshot(self) -> bytes:
        assert self._fold is not None, "a key exists from its first batch on"
        return snapshot(self._fold.fold)


def _archive(records: Batch, decoded: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The records as they stand in the log, with what they are found by."""
    return {
        "curated_partition": [record.partition for record in records],
        "curated_offset": [record.offset for record in records],
        "supply_point": [str(body["supply_point"]) for body in decoded],
        "type": [str(body["type"]) for body in decoded],
        "raw_partition": [body["raw"][0] for body in decoded],
        "raw_offset": [body["raw"][1] for body in decoded],
        "raw_sub": [body["sub"] for body in decoded],
        "received_ms": [body["received_ms"] for body in decoded],
        "appended_ms": [record.append_ms for record in records],
        "payload": [record.payload for record in records],
    }
