"""The fold alone, from the curated log to rows in memory: in batches, and by the scalar step on a sample."""

import pickle
from collections.abc import Container
from pathlib import Path
from typing import Any

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import Size
from benchmarks.stage import batches, reference_batches, units_in
from benchmarks.tally import STREAMS, Tally
from connectors.codec import decode
from connectors.scan import Names
from dataflows.curated_batch import fold_frames
from meterfold.workspace import CURATED_PARTITIONS
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import Outputs


def in_batches(size: Size, root: Path) -> dict[str, Any]:
    """The log read, scanned, folded in the batches of the dataflow, its rows made columns; as configured before, and once compiled."""
    watch, tally, reads = Stopwatch(), Tally(size), 0
    for partition in range(CURATED_PARTITIONS):
        fold, names = BatchFold(_configured(root, partition, tally)), Names()
        if not partition:
            fold_frames(
                BatchFold(_configured(root, partition, Tally(size))), next(batches(root, partition)), Names(), Outputs()
            )
        source = batches(root, partition)
        while True:
            with watch.running():
                frames = next(source, None)
                if frames is None:
                    break
                out = Outputs()
                fold_frames(fold, frames, names, out)
                fold.fold.ledger_rows(out)
                for stream in STREAMS:
                    out.blocks(stream)
            reads += sum(units_in(decode(record.payload)) for record in frames)
            tally.add(out)
    _keep(root, "batches", tally)
    return watch.figure(reads, rows=tally.rows, first=tally.first, current=tally.current)


def by_scalar_step(size: Size, root: Path) -> dict[str, Any]:
    """The same for the sample, record by record; what is of nobody (a gate) is of everybody."""
    watch, tally, reads = Stopwatch(), Tally(size), 0
    wanted = size.sampled | {""}
    for partition in range(CURATED_PARTITIONS):
        fold = _configured(root, partition, tally, wanted)
        for records in batches(root, partition):
            mine = [record for record in records if decode(record.payload)["supply_point"] in wanted]
            out = Outputs()
            with watch.running():
                for record in mine:
                    fold.apply(decode(record.payload), record.offset, record.append_ms, out)
            reads += sum(units_in(decode(record.payload)) for record in mine)
            tally.add(out)
    _keep(root, "scalar", tally)
    return watch.figure(reads, rows=tally.rows)


def _configured(root: Path, partition: int, tally: Tally, wanted: Container[str] | None = None) -> Fold:
    """A fold that knows its channels (all, or those wanted), as the road's does before it is timed."""
    fold, out = Fold(partition), Outputs()
    for records in reference_batches(root, partition):
        for record in records:
            body = decode(record.payload)
            if wanted is None or body["supply_point"] in wanted:
                fold.apply(body, record.offset, record.append_ms, out)
    tally.add(out)
    return fold


def differences(root: Path) -> str:
    """What the two disagree on in the sample; "" when every row of every stream is the same."""
    batch, scalar = (pickle.loads((root / f"{name}.rows").read_bytes()) for name in ("batches", "scalar"))
    for stream in STREAMS:
        if batch[stream] != scalar[stream]:
            only = [row for row in batch[stream] if row not in scalar[stream]][:1]
            return f"{stream}: {len(batch[stream])} and {len(scalar[stream])} rows; first of one only: {only}"
    return ""


def _keep(root: Path, name: str, tally: Tally) -> None:
    rows = {stream: sorted(tally.sample[stream], key=repr) for stream in STREAMS}
    (root / f"{name}.rows").write_bytes(pickle.dumps(rows))
