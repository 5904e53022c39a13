"""reads.curated → fold → ClickHouse: hardened determinants, adjustments, findings, evidence, ledger, frontier, and the curated archive.

    log reads.curated ─▶ fold (one key a partition) ─▶ ClickHouse

EOF hardens nothing: silence is closed by records only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from connectors.clickhouse import Store
from connectors.clickhouse_sink import Block, ClickHouseSink, Columns, Frontier
from connectors.file_log import Frames
from connectors.log_streams import LogSource
from connectors.scan import Names
from dataflows.curated_archive import curated_archive
from dataflows.curated_batch import fold_frames
from dataflows.fold_snapshots import FoldSnapshots
from dataflows.stretches import in_stretches
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import COLUMNS, Outputs


@dataclass(frozen=True, slots=True)
class FoldWiring:
    """What the fold's dataflow is connected to; `stop` None runs to the end of the log and ends.

    `snapshots`: the directory for the files of its snapshots; None: Bytewax keeps each of them whole.
    """

    curated: Path
    store: Store
    stop: Event | None = None
    snapshots: Path | None = None


def billing_determinants(wiring: FoldWiring) -> Dataflow:
    """The dataflow from curated records to the tables."""
    flow = Dataflow("billing_determinants")
    curated = op.input("reads_curated", flow, LogSource(wiring.curated, wiring.stop))
    blocks = op.stateful_batch("fold", curated, lambda resume: FoldLogic(resume, wiring.snapshots))
    op.output("clickhouse", blocks, ClickHouseSink(wiring.store))
    return flow


class FoldLogic(StatefulBatchLogic[Frames, Block, bytes]):
    """The fold of one curated partition as a Bytewax operator: records in, a block of rows out."""

    def __init__(self, resume_state: bytes | None, directory: Path | None = None) -> None:
        self._directory = directory
        self._names = Names()
        self._kept: tuple[FoldSnapshots, BatchFold] | None = None
        self._next_offset = 0
        self._state = resume_state
        """What the last snapshot gave; None once something has come since."""
        if resume_state is not None:
            self._keep(FoldSnapshots.resumed(resume_state, directory))

    def on_batch(self, values: list[Frames]) -> tuple[Iterable[Block], bool]:
        return [self._apply(frames) for frames in values], StatefulBatchLogic.RETAIN

    def _apply(self, frames: Frames) -> Block:
        _, batches = self._kept or self._keep(FoldSnapshots.begun(Fold(frames.partition), self._directory))
        self._state, self._next_offset = None, int(frames.next_offset[-1])
        fold, out = batches.fold, Outputs()
        batch = fold_frames(batches, frames, self._names, out)
        fold.ledger_rows(out)
        tables: dict[str, Sequence[Columns]] = dict(
            in_stretches(stream, blocks) for stream in COLUMNS if (blocks := out.blocks(stream))
        )
        tables["curated_records"] = [curated_archive(frames, batch)]
        frontier = Frontier("fold", fold.curated_partition, self._next_offset, fold.known_at_ms)
        return Block(tables, (frontier,))

    def snapshot(self) -> bytes:
        if self._state is None:
            assert self._kept is not None, "a key exists from its first batch on"
            self._state = self._kept[0].take(self._next_offset)
        return self._state

    def _keep(self, snapshots: FoldSnapshots) -> tuple[FoldSnapshots, BatchFold]:
        self._kept = snapshots, BatchFold(snapshots.fold)
        return self._kept
