"""What recovery costs: the share of snapshots in the fold's dataflow, and what a state takes on disk and to come back.

    python -m benchmarks.recovery [--points 2000] [--days 36] [--singles 3] [--epoch 10]

Two channels a supply point on half-hours, values in whole Wh; half a percent of the readings are missing and two percent come twice.
First a record a day for `--days` days, which fill the rings, then a record an interval for `--singles` days; each stretch is one run of
the dataflow from the curated log to ClickHouse, with recovery on. Seconds are of the wall, as a snapshot waits for the disk.
"""

import argparse
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from pickle import loads
from random import Random
from typing import Any, Final

from benchmarks.sizes import CHANNELS, DAY_MS, SLOT_MS, SLOTS, START_MS, supply_point
from connectors.codec import encode
from dataflows.fold_snapshots import FoldSnapshots
from meterfold.clock import now_ms
from meterfold.running import run_fold
from meterfold.workspace import Paths, Workspace, create

MISSING: Final = 0.005
TWICE: Final = 0.02
WH: Final = 10**6
Record = dict[str, Any]


@dataclass(slots=True)
class Taken:
    """The snapshots of a run."""

    seconds: list[float] = field(default_factory=list)

    def watching(self, take: Callable[[FoldSnapshots, int], bytes]) -> Callable[[FoldSnapshots, int], bytes]:
        """The method that takes a snapshot, timed."""

        def timed(snapshots: FoldSnapshots, next_offset: int) -> bytes:
            started = time.perf_counter()
            state = take(snapshots, next_offset)
            self.seconds.append(time.perf_counter() - started)
            return state

        return timed


def main() -> None:
    """Measure what the command line says, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recovery")
    for name, default in (("points", 2_000), ("days", 36), ("singles", 3), ("epoch", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="recovery-"))
    try:
        with Workspace(create(root / "data")) as workspace:
            log = _Log(workspace, given.points)
            for name, records in (
                ("configurations", log.configurations()),
                ("a record a day", log.days(given.days)),
                ("a record an interval", log.singles(given.days, given.singles)),
            ):
                reads = log.append(records)
                _run(name, workspace, reads, timedelta(seconds=given.epoch))
        _restore(Paths(root / "data"), given.points * len(CHANNELS))
    finally:
        shutil.rmtree(root)


class _Log:
    """The curated log, written as ingest would have written it."""

    def __init__(self, workspace: Workspace, points: int) -> None:
        self._workspace, self._points = workspace, points
        self._rng = Random(1)
        self._offset = 0

    def append(self, records: Iterator[tuple[int, Record]]) -> int:
        """Append (number of a supply point, record); returns how many readings."""
        writer, reads = self._workspace.curated, 0
        for number, record in records:
            self._offset += 1
            body = {"v": 1, **record, "supply_point": supply_point(number), "raw": [0, self._offset], "sub": 0}
            key = supply_point(number).encode()
            writer.append(writer.partition_of(key), key, encode(body), now_ms())
            reads += len(record.get("quantities_nano", ()))
        writer.flush()
        return reads

    def configurations(self) -> Iterator[tuple[int, Record]]:
        """What every device measures, by a calendar of twenty years."""
        offsets = [[START_MS + half_year * 182 * DAY_MS, half_year % 2 * 3600] for half_year in range(40)]
        holidays = [f"{2016 + at // 10}-{at % 10 + 1:02}-25" for at in range(200)]
        policy = {"interpolate_max_s": 7_200, "like_days": 3, "spike_factor": 30, "zero_run_s": 86_400}
        for number in range(self._points):
            yield number, {
                "type": "configuration", "device": f"M{number:06}", "version": 1, "reason": "", "received_ms": START_MS,
                "registers": [
                    {"register": name, "channel": name, "role": "intervals", "from_ms": START_MS, "to_ms": None,
                     "max_nano_per_hour": 50 * 10**9, "multiplier": 1}
                    for name in CHANNELS
                ],
                "channels": [
                    {"channel": name, "kind": "intervals", "unit": "kWh", "interval_s": 1800, "grid_s": 1800,
                     "allowance_s": 3600, "horizon_days": 35, "signed": False, "policy": policy}
                    for name in CHANNELS
                ],
                "calendar": {"site": "BENCH", "time_zone": "X", "utc_offsets": offsets, "holidays": holidays},
            }  # fmt: skip

    def days(self, days: int) -> Iterator[tuple[int, Record]]:
        """A record of 48 half-hours a day."""
        for day in range(days):
            for number, channel in self._meters():
                yield from self._record(number, channel, START_MS + day * DAY_MS, SLOTS)

    def singles(self, after: int, days: int) -> Iterator[tuple[int, Record]]:
        """A record a half-hour, of the days after those that are past."""
        for slot in range(after * SLOTS, (after + days) * SLOTS):
            for number, channel in self._meters():
                if self._rng.random() >= MISSING:
                    yield from self._record(number, channel, START_MS + slot * SLOT_MS, 1)

    def _meters(self) -> Iterator[tuple[int, str]]:
        return ((number, channel) for number in range(self._points) for channel in CHANNELS)

    def _record(self, number: int, channel: str, start_ms: int, slots: int) -> Iterator[tuple[int, Record]]:
        rng = self._rng
        values = [
            None if slots > 1 and rng.random() < MISSING else (20 + int(rng.random() * 880)) * WH for _ in range(slots)
        ]
        record = {
            "type": "intervals", "device": f"M{number:06}", "register": channel, "unit": "kWh", "start_ms": start_ms,
            "interval_s": 1800, "quantities_nano": values, "quality": "ACTUAL", "version": 0,
            "received_ms": start_ms + slots * SLOT_MS,
        }  # fmt: skip
        yield number, record
        if rng.random() < TWICE:
            yield number, record


def _run(name: str, workspace: Workspace, reads: int, epoch: timedelta) -> None:
    """Bring the tables up to the log, and say how long it took and what part of that were snapshots."""
    take, taken = FoldSnapshots.take, Taken()
    FoldSnapshots.take = taken.watching(take)  # type: ignore[method-assign, assignment]
    started = time.perf_counter()
    try:
        run_fold(workspace, epoch)
    finally:
        FoldSnapshots.take = take  # type: ignore[method-assign]
    seconds, snapshots = time.perf_counter() - started, sum(taken.seconds)
    print(
        f"{name}: {reads:,} readings in {seconds:.1f} s; {len(taken.seconds)} snapshots took {snapshots:.2f} s, "
        f"{snapshots / seconds:.1%}; the longest {max(taken.seconds, default=0):.2f} s"
    )


def _restore(paths: Paths, channels: int) -> None:
    """Resume from the last snapshots, and take everything at once."""
    folder = paths.recovery / "fold"
    with closing(sqlite3.connect(folder / "part-0.sqlite3")) as store:
        states = [loads(row[0]) for row in store.execute("SELECT ser_change FROM snaps WHERE step_id LIKE '%.fold'")]
    on_disk = sum(path.stat().st_size for path in (folder / "snapshots").rglob("*") if path.is_file())
    started = time.perf_counter()
    resumed = [FoldSnapshots.resumed(state, folder / "snapshots") for state in states]
    seconds = time.perf_counter() - started
    print(f"restored {channels:,} channels in {seconds:.2f} s from {on_disk / 1e6:.1f} MB of files")
    kept, began = folder / "again", time.perf_counter()
    for snapshots in resumed:
        FoldSnapshots.begun(snapshots.fold, kept).take(0)
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    memory = sum(snapshots.fold.tables.bytes_used for snapshots in resumed)
    print(
        f"everything at once: {seconds:.2f} s, {size / 1e6:.1f} MB, {size / channels / 1e3:.2f} kB a channel "
        f"({memory / channels / 1e3:.1f} kB in memory)"
    )


if __name__ == "__main__":
    main()
