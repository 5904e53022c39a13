"""`make bench`: the whole road with the scalar step, from raw log to stored determinants, recovery on.

Each shape runs in a process of its own, so that CPU seconds and peak memory are its own.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.workload import readings, reference
from connectors.codec import decode, encode
from connectors.file_log import LogReader
from meterfold.clock import now_ms
from meterfold.raw_records import append_raw
from meterfold.running import run_once
from meterfold.workspace import Workspace, create
from state.fold import Fold
from state.outputs import Outputs
from state.snapshot import snapshot

SHAPES = {"day": (300, 14), "single": (60, 7)}
"""Shape to (supply points, days)."""


def main() -> None:
    """Measure every shape and print the table."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    titles = ("shape", "reads", "wall s", "reads/s", "reads/CPU s", "fold alone/s", "peak MB", "state B/channel")
    widths = (8, 8, 7, 9, 12, 13, 8, 16)
    print(" ".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=True)))
    for shape in SHAPES:
        found = json.loads(_in_own_process(shape).splitlines()[-1])
        print(
            f"{shape:>8} {found['reads']:>8,} {found['wall_s']:>7.1f} {found['reads'] / found['wall_s']:>9,.0f} "
            f"{found['reads'] / found['cpu_s']:>12,.0f} {found['reads'] / found['fold_s']:>13,.0f} "
            f"{found['peak_mb']:>8,.0f} {found['state_bytes']:>16,.0f}"
        )


def _in_own_process(shape: str) -> str:
    command = [sys.executable, "-m", "benchmarks", shape]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure(shape: str) -> dict[str, Any]:
    """One shape: the road end to end, then the fold alone on the same curated records."""
    points, days = SHAPES[shape]
    root = Path(tempfile.mkdtemp(prefix="meterfold-bench-"))
    try:
        with Workspace(create(root / "data")) as workspace:
            append_raw(workspace, reference(points))
            run_once(workspace)
            reads = 0
            entries = []
            for record in readings(points, days, shape):
                reads += len(record.get("quantities_nano", (0,)))
                key = str(record["device"]).encode()
                entries.append((workspace.raw.partition_of(key), key, encode(record)))
            workspace.raw.append_many(entries, now_ms())
            workspace.raw.flush()
            started, cpu = time.perf_counter(), time.process_time()
            run_once(workspace)
            wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
            rows = workspace.store.query("SELECT count() FROM evidence FINAL").rows[0][0]
            assert rows == reads, f"{rows} verdicts for {reads} reads: nothing counts until they agree"
            fold_s, state_bytes = _fold_alone(workspace, points)
    finally:
        shutil.rmtree(root)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "reads": reads, "wall_s": wall_s, "cpu_s": cpu_s, "fold_s": fold_s, "peak_mb": peak_mb, "state_bytes": state_bytes,
    }  # fmt: skip


def _fold_alone(workspace: Workspace, points: int) -> tuple[float, float]:
    """(seconds of the fold over the curated log, decoding included; snapshot bytes a channel)."""
    seconds, size = 0.0, 0
    for partition in range(workspace.curated.partitions):
        fold, out = Fold(partition), Outputs()
        with LogReader(workspace.paths.curated, partition) as reader:
            while records := reader.read():
                started = time.perf_counter()
                for record in records:
                    fold.apply(decode(record.payload), record.offset, record.append_ms, out)
                seconds += time.perf_counter() - started
        size += len(snapshot(fold))
    return seconds, size / points


if __name__ == "__main__":
    main()
