"""A batch of reads.curated between its bytes and the fold: many records as columns, few one by one."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from connectors.codec import decode
from connectors.file_log import Frames
from connectors.scan import Names, scan_curated
from state.columnar import Batch, BatchFold
from state.compiling import Worth
from state.outputs import Outputs

COLUMNS: Final = Worth("state.columnar.stretch.run")
"""Batches that are not worth it are folded one by one."""


def fold_frames(fold: BatchFold, frames: Frames, names: Names, out: Outputs) -> Batch | None:
    """Fold some frames, rows to `out`; returns them as columns, None if they were few and not made columns."""
    if not COLUMNS.of(len(frames)):
        records = ((decode(record.payload), record.offset, record.append_ms) for record in frames)
        fold.apply_records(records, out)
        return None
    readings = scan_curated(frames, names)
    batch = Batch(readings, names.values, frames.offset, frames.append_ms, decoder(frames))
    fold.apply_batch(batch, out)
    return batch


def decoder(frames: Frames) -> Callable[[int], Mapping[str, Any]]:
    """The record at a position, decoded at most once."""

    @cache
    def record(at: int) -> Mapping[str, Any]:
        return decode(frames.record(at).payload)

    return record
