"""Raising a channel's watermark: holes are filled, windows harden, brackets are completed."""

from collections.abc import Iterable, Sequence

from state import spans
from state.brackets import brackets_of, settle_with_brackets
from state.channel import Channel
from state.estimation import Shares, estimate, place
from state.registers import Stream
from state.settlement import harden_window
from state.unit import Unit


def rise(channel: Channel, target_ms: int, streams: Sequence[Stream], hardened_by: str, unit: Unit) -> None:
    """Harden everything expected before the target, window by window; W never goes back."""
    target_ms = channel.floor_to_window(target_ms)
    if target_ms <= channel.watermark_ms:
        return
    if channel.is_spans:
        spans.harden(channel, target_ms, hardened_by, unit)
        channel.set_watermark(target_ms)
        return
    windows = channel.definition.windows
    shares: Shares = {}
    brackets = brackets_of(channel, streams)
    holes: list[int] = []
    while channel.watermark_ms < target_ms:
        window = windows.slot_of(_next_expected(channel, target_ms))
        if windows.start_ms(window) > channel.watermark_ms:
            channel.set_watermark(min(windows.start_ms(window), target_ms))
            continue
        found = [
            estimate(channel, hole, brackets, target_ms, shares)
            for hole in holes_among(channel, channel.slots_of(window))
        ]
        for value in found:
            place(channel, value)
            holes.append(value.slot)
        channel.hardened_any |= harden_window(channel, window, hardened_by, unit)
        channel.set_watermark(windows.start_ms(window + 1))
    channel.touched.clear()
    _report_missing(channel, holes, unit)
    settle_with_brackets(channel, unit)


def _next_expected(channel: Channel, target_ms: int) -> int:
    """W if its window may expect something; else the next instant that does, at most the target."""
    window_end_ms = channel.end_of_window_at(channel.watermark_ms)
    starts = [
        max(span.from_ms, channel.watermark_ms)
        for span in channel.feeding
        if span.to_ms > channel.watermark_ms and span.from_ms < target_ms
    ]
    nearest = min(starts, default=target_ms)
    return channel.watermark_ms if nearest < window_end_ms else nearest


def holes_among(channel: Channel, slots: Iterable[int]) -> list[int]:
    """The slots that are expected and hold nothing."""
    return [slot for slot in slots if channel.slots.is_nothing(slot) and channel.expects(slot)]


def refill(channel: Channel, streams: Sequence[Stream], slots: Iterable[int]) -> None:
    """Estimate the holes among some slots before W, in order, window by window."""
    brackets = brackets_of(channel, streams)
    shares: Shares = {}
    by_window: dict[int, list[int]] = {}
    for slot in holes_among(channel, slots):
        if channel.base_slot <= slot and channel.is_hardened(slot):
            by_window.setdefault(channel.window_of(slot), []).append(slot)
    for holes in by_window.values():
        found = [estimate(channel, hole, brackets, channel.watermark_ms, shares) for hole in holes]
        for value in found:
            place(channel, value)


def clear_unexpected(channel: Channel, slots: Iterable[int]) -> None:
    """Empty the slots that nothing expects any more."""
    for slot in slots:
        if not channel.slots.is_nothing(slot) and not channel.expects(slot):
            channel.withdraw(slot)


def _report_missing(channel: Channel, holes: list[int], unit: Unit) -> None:
    """One finding per stretch of consecutive holes."""
    native = channel.definition.native
    first = 0
    for at, slot in enumerate(holes):
        if at + 1 < len(holes) and holes[at + 1] == slot + 1:
            continue
        start_ms, end_ms = native.start_ms(holes[first]), native.start_ms(slot + 1)
        unit.finding("missing", "warn", (*channel.key, ""), start_ms, end_ms, intervals=slot - holes[first] + 1)
        first = at + 1
