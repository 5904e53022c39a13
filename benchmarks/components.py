"""The parts that the road is made of, one by one."""

from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import CHANNELS, Size
from benchmarks.stage import batches, reference_batches
from connectors.clickhouse_columns import elements_of, rows_of
from connectors.clickhouse_sink import FLUSH_VALUES, Columns
from connectors.file_log import Frames
from connectors.scan import Names, scan_curated
from dataflows.curated_batch import decoder, fold_frames
from dataflows.stretches import in_stretches
from meterfold.store import open_store
from meterfold.workspace import CURATED_PARTITIONS
from state.changes import Changes, Restoring
from state.columnar import Batch, BatchFold
from state.fold import Fold
from state.outputs import Block, Outputs
from state.snapshot import snapshot

_TABLES: Final = ("evidence", "determinants")


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Each part on all records of the shape; what is compiled has been before."""
    read, scan, fold_time, take, resume = Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch(), Stopwatch()
    records = reads = log_bytes = memory = disk = 0
    blocks: dict[str, list[list[Block]]] = {table: [] for table in _TABLES}
    for partition in range(CURATED_PARTITIONS):
        with read.running():
            given = list(batches(root, partition))
        records += sum(map(len, given))
        log_bytes += int(given[-1].next_offset[-1]) if given else 0
        fold, names = BatchFold(Fold(partition)), Names()
        for frames in reference_batches(root, partition):
            fold_frames(fold, frames, names, Outputs())
        _warm(root, partition, given)
        for frames in given:
            with scan.running():
                readings = scan_curated(frames, names)
            reads += int(readings.number.sum())
            out = Outputs()
            with fold_time.running():
                fold.apply_batch(Batch(readings, names.values, frames.offset, frames.append_ms, decoder(frames)), out)
            for table in _TABLES:
                blocks[table].append(out.blocks(table))
        changes = Changes(fold.fold)
        with take.running():
            change = changes.take()
        memory += fold.fold.tables.bytes_used
        disk += len(change.pages)
        with resume.running():
            restoring = Restoring()
            restoring.apply(change)
            restored = restoring.done()
        assert snapshot(restored.fold) == snapshot(fold.fold), "a restored fold is another one"
    rows, insert_s = _insert(root, blocks)
    return {
        "records": records,
        "together_per_s": reads / (read.cpu_s + scan.cpu_s + fold_time.cpu_s + insert_s),
        "log_mb": log_bytes / 1e6,
        "log_read_per_s": records / read.cpu_s,
        "scan_per_s": reads / scan.cpu_s,
        "fold_per_s": reads / fold_time.cpu_s,
        "insert_rows_per_s": rows / insert_s,
        "memory_bytes_per_channel": memory / (size.points * len(CHANNELS)),
        "disk_bytes_per_channel": disk / (size.points * len(CHANNELS)),
        "snapshot_s": take.wall_s,
        "restore_s": resume.wall_s,
    }


def _warm(root: Path, partition: int, given: list[Frames]) -> None:
    """Have compiled what is, on a fold that is thrown away."""
    fold, names = BatchFold(Fold(partition)), Names()
    for frames in [*reference_batches(root, partition), *given[:1]]:
        fold_frames(fold, frames, names, Outputs())


def _insert(root: Path, blocks: dict[str, list[list[Block]]]) -> tuple[int, float]:
    """(rows of the fold, CPU seconds, merges included): made stretches of, into new tables, as many at once as the sink holds back."""
    rows, watch = 0, Stopwatch()
    with open_store(root / "insert") as store:
        for stream, batches_of_blocks in blocks.items():
            held: list[Columns] = []
            values = 0
            for at, given in enumerate(batches_of_blocks):
                rows += sum(rows_of(block["known_at_ms"]) for block in given)
                with watch.running():
                    table, stretches = in_stretches(stream, given)
                    held += stretches
                    values += sum(elements_of(column) for columns in stretches for column in columns.values())
                    if values >= FLUSH_VALUES or at == len(batches_of_blocks) - 1:
                        store.insert_blocks(table, held)
                        held, values = [], 0
    return rows, watch.cpu_s
