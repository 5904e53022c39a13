"""Register totals become intervals: each slot gets what the segments over it metered, exactly."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from state.channel import Channel
from state.codes import ACTUAL, CALCULATED, ESTIMATED, INTERPOLATED, NONE, REGISTER_BRACKETED, SOURCE
from state.configuration import TOTALS
from state.registers import Change, Segment, Stream


class Derived(NamedTuple):
    """A slot's value as its segments give it."""

    quantity_nano: int
    quality: int
    method: int


def derive(channel: Channel, start_ms: int, end_ms: int, streams: Sequence[Stream]) -> Derived | None:
    """The quantity metered in [start, end); None unless the segments cover it without a hole, within the bound."""
    segments = [
        segment
        for stream in streams
        for segment in stream.overlapping(start_ms, end_ms)
        if segment.span.role == TOTALS and segment.span.channel == channel.definition.channel
    ]
    segments.sort(key=lambda segment: segment.start_ms)
    covered_to_ms, total = start_ms, 0
    for segment in segments:
        if segment.start_ms > covered_to_ms:
            return None
        covered_to_ms = max(covered_to_ms, segment.end_ms)
        low, high = max(start_ms, segment.start_ms), min(end_ms, segment.end_ms)
        total += segment.cumulative(high) - segment.cumulative(low)
    if covered_to_ms < end_ms or not channel.fits(total):
        return None
    return Derived(total, *_grade(channel, start_ms, end_ms, segments))


def _grade(channel: Channel, start_ms: int, end_ms: int, segments: Iterable[Segment]) -> tuple[int, int]:
    """(quality, method): the worse of how the reads lie and how good they are."""
    longest_ms = (channel.definition.policy.interpolate_max_s or 0) * 1000
    geometry, method, reads = ACTUAL, NONE, ACTUAL
    for segment in segments:
        reads = min(reads, segment.quality)
        if start_ms <= segment.start_ms and segment.end_ms <= end_ms:
            continue
        if segment.end_ms - segment.start_ms > longest_ms:
            geometry, method = ESTIMATED, REGISTER_BRACKETED
        elif geometry == ACTUAL:
            geometry, method = CALCULATED, INTERPOLATED
    return (reads, SOURCE) if reads < geometry else (geometry, method)


def derive_again(channel: Channel, change: Change, streams: Sequence[Stream]) -> None:
    """Place or withdraw the remembered slots that the changed segments overlap."""
    native = channel.definition.native
    affected: set[int] = set()
    for segment in (*change.removed, *change.added):
        if segment.span.channel == channel.definition.channel and segment.span.role == TOTALS:
            low = max(segment.start_ms, channel.base_ms)
            high = min(segment.end_ms, channel.ahead_ms)
            if low < high:
                affected.update(range(native.slot_of(low), native.slot_of(high - 1) + 1))
    derive_slots(channel, sorted(affected), streams)


def derive_slots(channel: Channel, slots: Iterable[int], streams: Sequence[Stream]) -> None:
    """Bring slots to what the streams say of them."""
    native = channel.definition.native
    for slot in slots:
        span = channel.span_expecting(native.start_ms(slot))
        found = None
        if span is not None and span.role == TOTALS:
            found = derive(channel, native.start_ms(slot), native.start_ms(slot + 1), streams)
        held = channel.slots.get(slot)
        if found is None or span is None:
            if held.evidence:
                channel.withdraw(slot)
            continue
        device = channel.device_number(span.device)
        if (held.evidence, held.quantity_nano, held.quality) != (1, found.quantity_nano, found.quality):
            channel.touch(slot)
        channel.slots.put(slot, found.quantity_nano, found.quality, found.method, evidence=1, device=device)
