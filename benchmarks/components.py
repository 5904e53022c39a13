"""The parts that the road is made of, one by one."""

import time
from pathlib import Path
from typing import Any, Final

from benchmarks.sizes import CHANNELS, Size
from benchmarks.stage import batches, reference_batches
from connectors.clickhouse_sink import FLUSH_ROWS
from connectors.codec import decode
from meterfold.store import open_store
from meterfold.workspace import CURATED_PARTITIONS
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import Block, Outputs, plain
from state.snapshot import restore, snapshot

_TABLES: Final = ("evidence", "determinants")


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Each part on all records of the shape."""
    read_s = decode_s = take_s = restore_s = 0.0
    records = log_bytes = state_bytes = 0
    blocks: dict[str, list[list[Block]]] = {table: [] for table in _TABLES}
    for partition in range(CURATED_PARTITIONS):
        started = time.perf_counter()
        read = list(batches(root, partition))
        read_s += time.perf_counter() - started
        records += sum(map(len, read))
        log_bytes += read[-1][-1].next_offset if read else 0
        fold = BatchFold(Fold(partition))
        for batch in reference_batches(root, partition):
            fold.apply_batch(((decode(r.payload), r.offset, r.append_ms) for r in batch), Outputs())
        for batch in read:
            started = time.perf_counter()
            decoded = [decode(record.payload) for record in batch]
            decode_s += time.perf_counter() - started
            out = Outputs()
            fold.apply_batch(
                ((body, record.offset, record.append_ms) for record, body in zip(batch, decoded, strict=True)), out
            )
            for table in _TABLES:
                blocks[table].append(out.blocks(table))
        started = time.perf_counter()
        taken = snapshot(fold.fold)
        take_s += time.perf_counter() - started
        state_bytes += len(taken)
        started = time.perf_counter()
        restored = restore(taken)
        restore_s += time.perf_counter() - started
        assert snapshot(restored) == taken, "a restored fold is another one"
    rows, insert_s = _insert(root, blocks)
    return {
        "records": records,
        "log_mb": log_bytes / 1e6,
        "decode_per_s": records / decode_s,
        "log_read_per_s": records / read_s,
        "insert_rows_per_s": rows / insert_s,
        "state_bytes_per_channel": state_bytes / (size.points * len(CHANNELS)),
        "snapshot_s": take_s,
        "restore_s": restore_s,
    }


def _insert(root: Path, blocks: dict[str, list[list[Block]]]) -> tuple[int, float]:
    """(rows, seconds): the fold's rows into new tables, as many at once as the sink holds back."""
    rows, seconds = 0, 0.0
    with open_store(root / "insert") as store:
        for table, batches_of_blocks in blocks.items():
            held: list[Block] = []
            number = 0
            for at, given in enumerate(batches_of_blocks):
                held += given
                number += sum(len(plain(block["known_at_ms"])) for block in given)
                if number >= FLUSH_ROWS or at == len(batches_of_blocks) - 1:
                    started = time.perf_counter()
                    rows += store.insert_blocks(table, held) if held else 0
                    seconds += time.perf_counter() - started
                    held, number = [], 0
    return rows, seconds
