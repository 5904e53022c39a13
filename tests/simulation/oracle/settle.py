"""What a window says, and what it says anew when its slots changed (rules, section 8)."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.oracle.estimation import Estimator
from tests.simulation.oracle.model import (
    QUALITIES,
    Cause,
    Channel,
    Key,
    Standing,
    Summary,
    SupplyPoint,
    Value,
    worst,
)
from tests.simulation.oracle.rows import Book

Change = tuple[Value | None, Value | None]  # before, after


def summarise(values: list[Value]) -> Summary:
    """The sum of some slots; MISSING counts 0 (its value is 0)."""
    return Summary(
        quantity=sum(value.quantity for value in values),
        counts=tuple(sum(value.quality == quality for value in values) for quality in QUALITIES),
        quality=worst([value.quality for value in values]) if values else "",
        methods=tuple(sorted({value.method for value in values} - {"NONE"})),
        missing_reason=next((value.missing_reason for value in values if value.missing_reason), ""),
    )


def window_of(channel: Channel, slot: int) -> Key:
    start = channel.windows.floor(slot)
    return (start, channel.windows.after(start))


def expected_slots(channel: Channel, window: Key) -> list[int]:
    return [slot for slot in channel.slots.starts(*window) if channel.expects(slot)]


def touched_windows(channel: Channel) -> list[Key]:
    """The windows of touched slots that are wholly before the watermark, in time order."""
    windows = {window_of(channel, slot) for slot in channel.before}
    return sorted(window for window in windows if channel.watermark is not None and window[1] <= channel.watermark)


def remembered_windows(channel: Channel) -> list[Key]:
    """Every window in [base, watermark)."""
    if channel.base is None or channel.watermark is None:
        return []
    starts = channel.windows.starts(channel.base, channel.watermark)
    return [(start, channel.windows.after(start)) for start in starts]


def fill(point: SupplyPoint, channel: Channel, expected: Iterable[list[int]]) -> None:
    """Estimate the hardened slots that stand without a value, window by window, all of a window before any is placed."""
    estimator: Estimator | None = None
    for slots in expected:
        holes = [slot for slot in slots if slot not in channel.values]
        if not holes:
            continue
        assert channel.watermark is not None
        estimator = estimator or Estimator(point, channel, channel.watermark)
        for slot, value in [(slot, estimator.estimate(slot)) for slot in holes]:
            channel.put(slot, value)


def fill_holes(point: SupplyPoint, channel: Channel, cause: Cause) -> dict[Key, list[int]]:
    """Estimate what stands without a value in the windows that are to be settled; returns their expected slots."""
    windows = remembered_windows(channel) if cause.kind == "configuration" else touched_windows(channel)
    expected = {window: expected_slots(channel, window) for window in windows}
    fill(point, channel, expected.values())
    return expected


def settle(point: SupplyPoint, channel: Channel, cause: Cause, book: Book) -> None:
    """Settle what the unit touched; of a configuration, everything that is remembered."""
    if channel.is_spans:
        _settle_spans(channel, cause, book)
        return
    expected = fill_holes(point, channel, cause)
    changes: dict[Key, list[Change]] = {}
    for slot, before in channel.before.items():
        changes.setdefault(window_of(channel, slot), []).append((before, channel.values.get(slot)))
    for window, slots in expected.items():
        summary = summarise([channel.values[slot] for slot in slots])
        settle_one(channel, window, summary if slots else None, changes.get(window, []), cause, book)
    channel.before.clear()


def _settle_spans(channel: Channel, cause: Cause, book: Book) -> None:
    """The same for read-to-read spans, each a window of its own."""
    for key, before in sorted(channel.before_live.items()):
        if not is_hardened_span(channel, key):
            continue
        value = channel.live.get(key)
        settle_one(channel, key, summarise([value]) if value else None, [(before, value)], cause, book)
    channel.before_live.clear()


def is_hardened_span(channel: Channel, key: Key) -> bool:
    """A span that ended before the base is no longer the fold's to change."""
    return channel.base is not None and channel.watermark is not None and channel.base <= key[1] <= channel.watermark


def settle_one(
    channel: Channel, key: Key, summary: Summary | None, changes: list[Change], cause: Cause, book: Book
) -> None:
    """One window before the watermark; `summary` None: it expects nothing (any more)."""
    old = channel.standing.get(key)
    if old is None:
        if summary is not None:
            channel.standing[key] = Standing(0, summary)
            book.determinant(channel, key, summary, cause)
        return
    new = summary or summarise([])
    if new.quantity == old.summary.quantity:
        channel.standing[key] = Standing(old.revision, new)
        return
    channel.standing[key] = Standing(old.revision + 1, new)
    book.adjustment(channel, key, old, new, reason_of(changes, cause), cause.carrier)


def reason_of(changes: list[Change], cause: Cause) -> str:
    if cause.kind == "configuration":
        return cause.reason
    if cause.kind == "edit":
        return "MANUAL_EDIT"
    before = [before for before, after in changes if before is not None and _content(before) != _content(after)]
    if any(value.is_evidence and value.quality != "ESTIMATED" for value in before):
        return "CORRECTED_READ"
    if any(value.quality == "ESTIMATED" for value in before):
        return "ESTIMATE_REPLACED"
    return "LATE_READ"


def _content(value: Value | None) -> tuple[int, str, bool] | None:
    return None if value is None else value.content
