"""Bytewax's own windowing operators on the curated readings: a window a half-hour, keyed by channel.

`fold_window` with an event clock keeps the best reading of each half-hour and adds up when the window closes; what comes
later is dropped and counted. The clock waits just as long as the channel's allowance lets the fold wait, so that both call
the same readings late. Of registers a second stateful step takes differences between closed windows.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import bytewax.operators as op
import bytewax.operators.windowing as windowing
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import ALLOWANCE_S, SLOT_MS, START_MS, Size
from benchmarks.stage import lines_of
from connectors.codec import decode
from connectors.log_streams import BATCH_RECORDS
from state.codes import QUALITY_OF

_SLOT: Final = timedelta(milliseconds=SLOT_MS)
_START: Final = datetime.fromtimestamp(START_MS / 1000, UTC)
_NOW: Final = _START + timedelta(days=3650)

Read = tuple[datetime, int, tuple[int, int], int]
"""(instant in the window, its milliseconds, (version, quality), quantity or running total)."""
Best = dict[int, tuple[tuple[int, int], int]]


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Run the dataflow over the lines, one worker."""
    watch = Stopwatch()
    is_register = size.shape == "register"
    sums, late = _Sums(), _Late()
    with lines_of(root).open("rb") as lines:
        flow = _flow(lines, is_register, sums, late)
        with watch.running():
            run_main(flow)
    return watch.figure(0, late=late.number, **{"current" if is_register else "first": sums.by_channel})


class _Sums(DynamicSink[tuple[str, tuple[int, int]]], StatelessSinkPartition[tuple[str, tuple[int, int]]]):
    """Adds up what windows came to, by channel."""

    def __init__(self) -> None:
        self.by_channel: dict[str, list[int]] = {}

    def build(self, step_id: str, worker_index: int, worker_count: int) -> "_Sums":
        return self

    def write_batch(self, items: list[tuple[str, tuple[int, int]]]) -> None:
        for key, (number, nano) in items:
            found = self.by_channel.setdefault(key, [0, 0])
            found[0] += number
            found[1] += nano


class _Late(DynamicSink[Any], StatelessSinkPartition[Any]):
    """Counts what came too late."""

    def __init__(self) -> None:
        self.number = 0

    def build(self, step_id: str, worker_index: int, worker_count: int) -> "_Late":
        return self

    def write_batch(self, items: list[Any]) -> None:
        self.number += len(items)


def _flow(lines: Iterable[bytes], is_register: bool, closed: _Sums, late: _Late) -> Dataflow:
    flow = Dataflow("windows")
    source = op.input("lines", flow, TestingSource(lines, BATCH_RECORDS))
    reads = op.flat_map("decode", source, _register_read if is_register else _interval_reads)
    clock: windowing.EventClock[Read] = windowing.EventClock(
        ts_getter=lambda read: read[0],
        wait_for_system_duration=timedelta(seconds=ALLOWANCE_S)
        - _SLOT,  # instants lie a slot before the ends of intervals
        now_getter=lambda: _NOW,  # by what the readings say alone
        to_system_utc=lambda _: None,
    )
    windower = windowing.TumblingWindower(length=_SLOT, align_to=_START)
    # out of order, windows would close out of order too, and a difference needs the one before
    windows = windowing.fold_window("window", reads, clock, windower, dict, _take, _merge, ordered=is_register)
    if is_register:
        sums = op.stateful_flat_map("difference", windows.down, _differences)
    else:
        sums = op.map_value("sum", windows.down, _sum)
    op.output("closed", sums, closed)
    op.output("late", windows.late, late)
    return flow


def _interval_reads(line: bytes) -> Iterable[tuple[str, Read]]:
    record = decode(line)
    key, start_ms = f"{record['supply_point']}/{record['register']}", record["start_ms"]
    edition = (record["version"], QUALITY_OF[record["quality"]])
    start = datetime.fromtimestamp(start_ms / 1000, UTC)
    return [
        (key, (start + at * _SLOT, start_ms + at * SLOT_MS, edition, nano))
        for at, nano in enumerate(record["quantities_nano"])
        if nano is not None
    ]


def _register_read(line: bytes) -> Iterable[tuple[str, Read]]:
    record = decode(line)
    at_ms = record["at_ms"]
    edition = (record["version"], QUALITY_OF[record["quality"]])
    instant = datetime.fromtimestamp(at_ms / 1000, UTC) - _SLOT  # the window that it ends
    return [(f"{record['supply_point']}/{record['register']}", (instant, at_ms, edition, record["count"] * 10**3))]


def _take(best: Best, read: Read) -> Best:
    _, at_ms, edition, content = read
    known = best.get(at_ms)
    if known is None or edition > known[0]:
        best[at_ms] = (edition, content)
    return best


def _merge(one: Best, other: Best) -> Best:
    return {**one, **other}  # tumbling windows never merge


def _sum(window: tuple[int, Best]) -> tuple[int, int]:
    best = window[1]
    return len(best), sum(nano for _, nano in best.values())


def _differences(
    before: tuple[int, int] | None, window: tuple[int, Best]
) -> tuple[tuple[int, int] | None, Iterable[tuple[int, int]]]:
    """What was used since the window before, spread over the half-hours between."""
    ((at_ms, (_, total)),) = window[1].items()
    if before is None:
        return (at_ms, total), ()
    number, used = (at_ms - before[0]) // SLOT_MS, total - before[1]
    return (at_ms, total), [(1, used * (at + 1) // number - used * at // number) for at in range(number)]
