"""Register reads: verdict, the chain, and the slots, spans and brackets that follow (rules, section 6)."""

from __future__ import annotations

from tests.simulation.oracle.hardening import advance, may_place, note_end
from tests.simulation.oracle.intervals import (
    WON,
    Judgement,
    evidence_order,
    reject,
    turn_away,
)
from tests.simulation.oracle.model import (
    LIMIT,
    RING_MS,
    TOLERANCE_MS,
    Channel,
    Read,
    Span,
    Stream,
    SupplyPoint,
    is_firm,
)
from tests.simulation.oracle.registers import apply_difference, forget, spans_of, store
from tests.simulation.oracle.rows import Book, Unit


def process_read(point: SupplyPoint, unit: Unit, is_reset: bool, book: Book) -> str:
    """One register read, from verdict to watermark. Returns the verdict."""
    spans = spans_of(point, unit.device, unit.register)
    span = next((span for span in spans if span.touches(unit.start)), None)
    if span is None:
        return turn_away(unit, reject("unconfigured"), book)
    channel = point.channels[span.channel]
    unit.channel = channel.name
    stream = point.streams.setdefault((unit.device, unit.register), Stream(unit.device, unit.register))
    forget(stream, channel)
    refused = _refuse_by_shape(channel, span, unit) or _refuse_by_time(point, channel, span, unit, book)
    verdict, check = refused or _order(stream, span, unit)
    if verdict in WON:
        verdict = _store(point, channel, stream, span, unit, verdict, is_reset, book)
    else:
        turn_away(unit, (verdict, check), book)
    if span.role != "check":
        advance(point, channel, unit.cause, book)
    return verdict


def _refuse_by_shape(channel: Channel, span: Span, unit: Unit) -> Judgement | None:
    """Rows 2 to 6: what is wrong with the read as such."""
    assert unit.count is not None and unit.decimals is not None
    if unit.quality == "MISSING":
        return reject("null_read")
    if unit.measure != channel.definition.unit:
        return reject("unknown_unit")
    if unit.decimals > span.decimals:
        return reject("resolution")
    if unit.count < 0:
        return reject("register_negative")
    scaled = as_read(unit, False).scaled(span)
    if scaled >= LIMIT or (span.digits is not None and scaled >= 10**span.digits):
        return reject("register_digits")
    return None


def _refuse_by_time(point: SupplyPoint, channel: Channel, span: Span, unit: Unit, book: Book) -> Judgement | None:
    """Rows 7 to 9: what is wrong with its time."""
    if unit.start > unit.received + TOLERANCE_MS:
        return reject("future")
    if channel.base is None or channel.watermark is None:
        return None  # a check register of a channel that never expected anything
    if unit.start < channel.base:
        return ("BEYOND_HORIZON", "beyond_horizon")
    if span.role == "spans" or unit.start <= channel.watermark + RING_MS:
        return None
    return None if may_place(point, channel, unit, book, moves=span.role != "check") else reject("ahead_of_ring")


def _order(stream: Stream, span: Span, unit: Unit) -> Judgement:
    """Row 10: the evidence order against a stored read of the same instant, refused or not."""
    held = stream.reads.get(unit.start)
    incumbent = None if held is None else (held.version, held.quality, held.scaled(span))
    return evidence_order(incumbent, unit, as_read(unit, False).scaled(span))


def as_read(unit: Unit, is_reset: bool) -> Read:
    assert unit.count is not None and unit.decimals is not None
    return Read(unit.start, unit.count, unit.decimals, unit.quality, unit.version, is_reset)


def _store(
    point: SupplyPoint,
    channel: Channel,
    stream: Stream,
    span: Span,
    unit: Unit,
    verdict: str,
    is_reset: bool,
    book: Book,
) -> str:
    """Row 11 and what follows: the read is stored and linked; the verdict says whether the chain finds it good."""
    difference = store(stream, as_read(unit, is_reset), spans_of(point, unit.device, unit.register))
    link = stream.links[unit.start]
    apply_difference(point, difference, unit.cause, book)
    if not link.is_good:
        return turn_away(unit, reject(link.fault), book)
    book.evidence(unit, verdict, [], [])
    if link.is_rollover:
        book.unit_finding("register_rollover", "info", unit)
    if span.role != "check" and is_firm(unit.quality):
        note_end(channel, unit.start)
    return verdict
