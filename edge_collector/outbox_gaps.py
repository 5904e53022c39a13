"""What is said of reads that will not come: one record a device, widened while it waits."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from connectors.codec import encode
from edge_collector.entry import Entry, Kind
from edge_collector.reading import StatusKind, StatusReport
from edge_collector.records import READS, status_record

MAX_PER_DEVICE: Final = 8
"""More that wait are merged with their neighbours, saying then too much rather than too little."""

EVICTED: Final = "the outbox was full"
DAMAGED: Final = "the outbox was damaged"
NO_ROOM: Final = "there was no room to write"


@dataclass(frozen=True, slots=True)
class Gap:
    """Reads of [from_ms, to_ms) that will not come (null: the time is not known): how many (0: not known), and why."""

    device: str
    from_ms: int | None
    to_ms: int | None
    lost: int
    why: str


def merged(gaps: Iterable[Gap]) -> list[Gap]:
    """One gap for those of a device that touch, at most `MAX_PER_DEVICE` of them; covers what the given ones cover."""
    found: list[Gap] = []
    for _, of_device in groupby(sorted(gaps, key=_order), key=lambda gap: gap.device):
        kept: list[Gap] = []
        for gap in of_device:
            if kept and _touch(kept[-1], gap):
                kept[-1] = _joined(kept[-1], gap)
            else:
                kept.append(gap)
        while len(kept) > MAX_PER_DEVICE:
            nearest = min(range(len(kept) - 1), key=lambda at: (kept[at + 1].from_ms or 0) - (kept[at].to_ms or 0))
            kept[nearest : nearest + 2] = [_joined(kept[nearest], kept[nearest + 1])]
        found += kept
    return found


def of_evicted(entries: Iterable[Entry], why: str = EVICTED) -> list[Gap]:
    """What the loss of undelivered entries leaves to say."""
    return merged(Gap(entry.device, entry.from_ms, entry.to_ms, 1, why) for entry in entries)


def gap_of(entry: Entry) -> Gap:
    """The gap that a waiting entry speaks of."""
    return Gap(entry.device, entry.from_ms, entry.to_ms, entry.lost, entry.why)


def gap_entry(gap: Gap, sequence: int, now_ms: int) -> Entry:
    """The gap as a status record to publish."""
    how_many = f"{gap.lost} records of the device are lost" if gap.lost else "reads of the device may be lost"
    report = StatusReport(
        gap.device, now_ms, StatusKind.GAP, f"{gap.why}: {how_many}", None, gap.from_ms, gap.to_ms
    )  # fmt: skip
    entry = Entry(sequence, Kind.GAP, READS, gap.device, gap.device, encode(status_record(report)))
    return replace(entry, from_ms=gap.from_ms, to_ms=gap.to_ms, lost=gap.lost, why=gap.why)


def _order(gap: Gap) -> tuple[str, bool, int]:
    return gap.device, gap.from_ms is not None, gap.from_ms or 0


def _touch(earlier: Gap, later: Gap) -> bool:
    """Without a time there is nothing to keep apart."""
    if earlier.from_ms is None or earlier.to_ms is None or later.from_ms is None:
        return True
    return later.from_ms <= earlier.to_ms


def _joined(one: Gap, other: Gap) -> Gap:
    starts = [each for each in (one.from_ms, other.from_ms) if each is not None]
    ends = [each for each in (one.to_ms, other.to_ms) if each is not None]
    reasons = sorted({*one.why.split("; "), *other.why.split("; ")})
    lost = one.lost + other.lost if one.lost and other.lost else 0
    return Gap(one.device, min(starts, default=None), max(ends, default=None), lost, "; ".join(reasons))
