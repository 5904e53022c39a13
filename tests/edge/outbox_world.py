"""Cycles, an outbox and a log for the tests of the collector's second half: what was committed, and where it is now."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edge_collector.entry import Entry, Kind
from edge_collector.outbox import Outbox
from edge_collector.outbox_bounds import Bounds
from edge_collector.reading import (
    ClockQuality,
    Cycle,
    Flag,
    Priority,
    RegisterReading,
    StatusReport,
)
from edge_collector.records import READS, TELEMETRY

COLLECTOR = "harbour-house"
START_MS = 1_767_225_600_000
INTERVAL_MS = 900_000
SYNCHRONISED = ClockQuality(True, -3, 12)
UNSYNCHRONISED = ClockQuality(False, None, None)

Read = tuple[str, int]
"""A device, and a boundary."""


def boundary(n: int) -> int:
    """The n-th, in ms."""
    return START_MS + n * INTERVAL_MS


def reading(
    device: str = "SUB-4",
    n: int = 0,
    count: int | None = 998_751,
    register: str = "T",
    priority: Priority = Priority.BILLING,
    flags: tuple[Flag, ...] = (),
    clock: ClockQuality = SYNCHRONISED,
) -> RegisterReading:
    """Of the n-th boundary, taken 40 ms after it."""
    at_ms = boundary(n)
    return RegisterReading(
        device, register, "kWh", priority, at_ms, at_ms, at_ms + 80, count, 1, (15, 15_711), flags, clock
    )


def cycle(
    n: int,
    devices: Iterable[str] = ("SUB-4",),
    telemetry: int = 0,
    reports: tuple[StatusReport, ...] = (),
    silent: Iterable[str] = (),
    clock: ClockQuality = SYNCHRONISED,
) -> Cycle:
    """One billing read a device, and so many telemetry values; `silent` ones were asked and did not answer."""
    answered = list(devices)
    readings = [reading(device, n, n, clock=clock) for device in answered]
    readings += [
        reading(device, n, n, f"V{at}", Priority.TELEMETRY, clock=clock)
        for device in answered
        for at in range(telemetry)
    ]
    return Cycle(boundary(n), tuple(readings), reports, (*answered, *silent))


def outbox_at(directory: Path, now_n: int = 0, **options: Any) -> Outbox:
    """The outbox in a directory, at the time of the n-th boundary."""
    return Outbox(directory / "outbox.db", COLLECTOR, lambda: boundary(now_n) + 5_000, **options)


def small(kilobytes: int) -> Bounds:
    """A bound in bytes beside the empty file's own."""
    return Bounds(max_bytes=(96 + kilobytes) * 1024)


def waiting(outbox: Outbox) -> list[Entry]:
    """All that is undelivered."""
    return [*outbox.backlog(READS, 1_000_000), *outbox.backlog(TELEMETRY, 1_000_000)]


def record(entry: Entry) -> dict[str, Any]:
    """What the entry publishes."""
    found: dict[str, Any] = json.loads(entry.payload)
    return found


def reads_of(entries: Iterable[Entry]) -> set[Read]:
    """The billing reads among entries, by the boundary in their names."""
    return {(e.device, int(e.read_id.split("/")[3])) for e in entries if e.read_id is not None}


def said_missing(read: Read, entries: Iterable[Entry], known_only: bool = False) -> bool:
    """Whether a gap speaks of the interval that a read closes; one of the collector speaks for all, unless `known_only`."""
    device, at_ms = read
    names = {device} if known_only else {device, COLLECTOR}
    return any(_covers(record(e), at_ms) for e in entries if e.kind is Kind.GAP and e.device in names)


def _covers(gap: dict[str, Any], at_ms: int) -> bool:
    assert gap["kind"] == "gap"
    return "from_ms" not in gap or gap["from_ms"] < at_ms <= gap["to_ms"]
