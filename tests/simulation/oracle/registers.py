"""Register streams: the chain of good reads, its segments, and what they mean to a channel (rules, section 6)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, replace

from tests.simulation.oracle.brackets import complete
from tests.simulation.oracle.model import (
    HOUR_MS,
    LIMIT,
    RANK,
    REGISTER_ROLES,
    Cause,
    Channel,
    Link,
    Read,
    Segment,
    Span,
    Stream,
    SupplyPoint,
    Value,
    worst,
)
from tests.simulation.oracle.rows import Book

BEGINNING = -(1 << 62)


@dataclass
class Difference:
    """What a new evaluation of a chain changed: segments that are no more, and segments that are new."""

    lost: list[Segment]
    found: list[Segment]

    def of(self, channel: Channel, role: str) -> Difference:
        """The part that concerns one channel in one role."""

        def mine(segment: Segment) -> bool:
            return segment.span.channel == channel.name and segment.span.role == role

        return Difference(list(filter(mine, self.lost)), list(filter(mine, self.found)))


def spans_of(point: SupplyPoint, device: str, register: str) -> list[Span]:
    """The spans that take a register's reads, earliest first."""
    spans = [span for span in point.device(device).spans if span.register == register and span.role in REGISTER_ROLES]
    return sorted(spans, key=lambda span: span.from_ms)


# --- the chain


def is_plausible(advance: int, elapsed_ms: int, span: Span) -> bool:
    """Whether a register can have advanced so much (less one digit of rounding) in that time."""
    most = span.max_nano_per_hour
    if most is not None and (advance - 1) * span.nano_per_count * HOUR_MS > most * elapsed_ms:
        return False
    return advance * span.nano_per_count < LIMIT


def link(good: Read | None, read: Read, spans: list[Span]) -> Link:
    """The place of a read that comes after the last good one."""
    if read.is_refused:
        return Link(False, "refused")
    if good is None:
        return Link(True)
    span = next((span for span in spans if span.touches(good.at) and span.touches(read.at)), None)
    if read.is_reset or span is None:
        return Link(True)
    advance, elapsed = read.scaled(span) - good.scaled(span), read.at - good.at
    is_rollover = False
    if advance < 0:
        if span.digits is None or span.max_nano_per_hour is None:
            return Link(False, "register_backward")
        advance, is_rollover = advance + 10**span.digits, True
    if advance < 0 or not is_plausible(advance, elapsed, span):
        return Link(False, "register_backward" if is_rollover else "register_implausible")
    total = advance * span.nano_per_count
    return Link(True, "", is_rollover, Segment(good.at, read.at, total, (good.quality, read.quality), span))


def last_good(stream: Stream, before: int) -> Read | None:
    """The last good read earlier than an instant."""
    for instant in reversed(stream.instants[: bisect_left(stream.instants, before)]):
        if stream.links[instant].is_good:
            return stream.reads[instant]
    return None


def evaluate(stream: Stream, spans: list[Span], since: int = BEGINNING) -> Difference:
    """Link all reads from an instant on anew: reads before it cannot depend on what happened at it."""
    later = stream.instants[bisect_left(stream.instants, since) :]
    old = _segments(stream, later)
    good = last_good(stream, since)
    for instant in later:
        stream.links[instant] = link(good, stream.reads[instant], spans)
        if stream.links[instant].is_good:
            good = stream.reads[instant]
    new = _segments(stream, later)
    lost = [segment for end, segment in old.items() if new.get(end) != segment]
    found = [segment for end, segment in new.items() if old.get(end) != segment]
    vanished = {segment.key for segment in lost} - {segment.key for segment in found}
    stream.completed -= vanished
    stream.reconciled -= vanished
    return Difference(lost, found)


def _segments(stream: Stream, instants: list[int]) -> dict[int, Segment]:
    """The segments that end at these reads, by their end."""
    links = ((instant, stream.links.get(instant)) for instant in instants)
    return {instant: link.segment for instant, link in links if link is not None and link.segment is not None}


def store(stream: Stream, read: Read, spans: list[Span]) -> Difference:
    if read.at not in stream.reads:
        insort(stream.instants, read.at)
    stream.reads[read.at] = read
    return evaluate(stream, spans, read.at)


def refuse(stream: Stream, at: int, spans: list[Span]) -> Difference:
    stream.reads[at] = replace(stream.reads[at], is_refused=True)
    return evaluate(stream, spans, at)


def forget(stream: Stream, channel: Channel) -> None:
    """Before an arrival: drop the stored reads before base, except the last good one, the anchor."""
    if channel.base is None:
        return
    anchor = last_good(stream, channel.base)
    gone = [at for at in stream.instants if at < channel.base and (anchor is None or at != anchor.at)]
    if not gone:
        return
    for at in gone:
        del stream.reads[at], stream.links[at]
    stream.instants = sorted(stream.reads)
    if anchor is not None:
        stream.links[anchor.at] = Link(True)  # the first of the chain; the segment that ended here is forgotten
    since = BEGINNING if anchor is None else anchor.at
    stream.completed = {key for key in stream.completed if key[0] >= since}
    stream.reconciled = {key for key in stream.reconciled if key[0] >= since}
    for key in [key for key in channel.live if key[1] <= since]:
        del channel.live[key]


# --- what segments mean


def derive(point: SupplyPoint, channel: Channel, slot: int) -> Value | None:
    """The value of a slot of a `totals` channel, if segments cover it without a hole and it keeps the bound."""
    end = channel.slots.after(slot)
    overlapping = sorted(overlapping_segments(point, channel, slot, end), key=lambda segment: segment.start)
    reached = slot
    for segment in overlapping:
        if segment.start > reached:
            return None
        reached = max(reached, segment.end)
    if reached < end:
        return None
    quantity = sum(segment.until(end) - segment.until(slot) for segment in overlapping)
    if not channel.definition.is_within(quantity):
        return None
    quality, method = _quality(channel, overlapping, slot, end)
    span = channel.covering(slot)
    return Value(quantity, quality, method, True, 0, span.device, span.register)


def overlapping_segments(point: SupplyPoint, channel: Channel, start: int, end: int) -> list[Segment]:
    """Looked up in the chain: from the read at or before the start to the first good read at or after the end."""
    found: list[Segment] = []
    for stream in point.streams_of(channel, "totals"):
        for instant in stream.instants[bisect_right(stream.instants, start) :]:
            segment = stream.links[instant].segment
            if segment is None or segment.end <= start:
                continue
            if segment.start >= end:
                break
            if segment.span.channel == channel.name and segment.span.role == "totals":
                found.append(segment)
    return found


def _quality(channel: Channel, segments: list[Segment], start: int, end: int) -> tuple[str, str]:
    """The worst of what the reads say and of how far the boundaries are interpolated; and the method."""
    astride = [segment for segment in segments if segment.start < start or segment.end > end]
    limit = channel.definition.interpolate_max_ms or 0
    if not astride:
        geometry, method = "ACTUAL", "NONE"
    elif any(segment.end - segment.start > limit for segment in astride):
        geometry, method = "ESTIMATED", "REGISTER_BRACKETED"
    else:
        geometry, method = "CALCULATED", "INTERPOLATED"
    said = worst([quality for segment in segments for quality in segment.qualities])
    return (said, "SOURCE") if RANK[said] > RANK[geometry] else (geometry, method)


def rederive(point: SupplyPoint, channel: Channel, start: int, end: int) -> None:
    """Place or withdraw the derived slots that overlap [start, end) and are still remembered."""
    if channel.base is None:
        return
    for slot in channel.slots.starts(max(channel.slots.floor(start), channel.base), end):
        if not channel.expects(slot) or channel.covering(slot).role != "totals":
            continue
        value, standing = derive(point, channel, slot), channel.evidence(slot)
        if value != standing:
            channel.put(slot, value)


def place_spans(channel: Channel, difference: Difference) -> None:
    """Segments of role `spans` come and go as what they are; the same span with another total changes."""
    for segment in difference.lost:
        channel.put_live((segment.start, segment.end), None)
    for segment in difference.found:
        quality = worst(list(segment.qualities))
        method = "NONE" if quality == "ACTUAL" else "SOURCE"
        value = Value(segment.total, quality, method, True, 0, segment.span.device, segment.span.register)
        channel.put_live((segment.start, segment.end), value)


def apply_difference(point: SupplyPoint, difference: Difference, cause: Cause, book: Book) -> None:
    """What an arriving or refused read changed: slots and spans placed, windows settled, brackets completed."""
    names = sorted({segment.span.channel for segment in difference.lost + difference.found})
    for channel in [point.channels[name] for name in names]:
        totals = difference.of(channel, "totals")
        for segment in totals.lost + totals.found:
            rederive(point, channel, segment.start, segment.end)
        place_spans(channel, difference.of(channel, "spans"))
        complete(point, channel, cause, book)
