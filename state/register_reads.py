"""Judging one register read: evidence order by instant, then the chain, then what it changes (docs/rules.md section 6)."""

from state import spans
from state.brackets import note_brackets, settle_with_brackets
from state.channel import Channel
from state.codes import ESTIMATED, FUTURE_TOLERANCE_MS, MISSING, QUANTITY_BOUND, REJECTED, WINS
from state.configuration import CHECK, SPANS, RegisterSpan
from state.evidence import verdict_on
from state.hardening import refill
from state.judging import Arrival
from state.registers import BAD_CHECK_IDS, GOOD, Change, RegisterRead, Segment, Stream, scaled_count
from state.supply_point import SupplyPoint
from state.totals import derive_again
from state.unit import READ, Unit


def judge_register_read(point: SupplyPoint, arrival: Arrival, read: RegisterRead, unit_name: str, unit: Unit) -> str:
    """Process one arriving register read; returns its verdict."""
    stream = point.streams.get((arrival.device, arrival.register))
    span = stream.span_judging(read.at_ms) if stream is not None else None
    if stream is None or span is None:
        arrival.refuse("unconfigured", unit)
        return arrival.emit(unit)
    arrival.channel = span.channel
    channel = point.channels[span.channel]
    stream.forget_before(channel.base_ms)
    if _is_sound(channel, span, arrival, read, unit_name, unit) and _fits_in_time(point, channel, span, arrival, unit):
        _take(point, channel, stream, span, arrival, read, unit)
    arrival.emit(unit)
    if span.role != CHECK:
        point.follow(channel, READ, unit)
    return arrival.verdict


def _is_sound(
    channel: Channel, span: RegisterSpan, arrival: Arrival, read: RegisterRead, unit_name: str, unit: Unit
) -> bool:
    """Rows 2 to 7: what the read alone shows."""
    scaled = scaled_count(read, span)
    if arrival.quality == MISSING:
        arrival.refuse("null_read", unit)
    elif unit_name != channel.definition.unit:
        arrival.refuse("unknown_unit", unit, got=unit_name, expected=channel.definition.unit)
    elif read.decimals > span.decimals:
        arrival.refuse("resolution", unit, decimals=read.decimals, expected=span.decimals)
    elif read.total < 0:
        arrival.refuse("register_negative", unit, count=read.total)
    elif scaled >= QUANTITY_BOUND or (span.digits is not None and scaled >= 10**span.digits):
        arrival.refuse("register_digits", unit, count=read.total, digits=span.digits)
    elif read.at_ms > unit.received_ms + FUTURE_TOLERANCE_MS:
        arrival.refuse("future", unit, received_ms=unit.received_ms)
    else:
        return True
    return False


def _fits_in_time(point: SupplyPoint, channel: Channel, span: RegisterSpan, arrival: Arrival, unit: Unit) -> bool:
    """Rows 8 and 9: neither older than the horizon nor too far ahead of W."""
    if arrival.start_ms < channel.base_ms:
        arrival.beyond_horizon(unit)
        return False
    if span.role == SPANS or arrival.start_ms <= channel.ahead_ms:
        return True
    may_move = span.role != CHECK and arrival.quality > ESTIMATED
    if not point.make_room(channel, arrival.start_ms, unit, may_move=may_move):
        arrival.refuse("ahead_of_ring", unit)
        return False
    return True


def _take(
    point: SupplyPoint,
    channel: Channel,
    stream: Stream,
    span: RegisterSpan,
    arrival: Arrival,
    read: RegisterRead,
    unit: Unit,
) -> None:
    """Rows 10 and 11: the evidence order at this instant, then the chain; a read that wins is stored even when bad."""
    at, exists = stream.position(read.at_ms)
    incumbent = None
    if exists:
        held = stream.read(at)
        incumbent = (held.version, held.quality, scaled_count(held, span))
    verdict = verdict_on(incumbent, (read.version, read.quality, scaled_count(read, span)))
    arrival.decide(verdict, unit)
    if arrival.verdict not in WINS:
        return
    change = stream.put(read)
    state = stream.state_of(read.at_ms)
    if state != GOOD:
        arrival.refuse(BAD_CHECK_IDS[state], unit, REJECTED, count=read.total)
    elif any(segment.rollover and segment.end_ms == read.at_ms for segment in change.added):
        arrival.finding("register_rollover", "info", unit, count=read.total)
    if arrival.verdict in WINS and span.role != CHECK and read.quality > ESTIMATED:
        channel.latest_end_ms = max(channel.latest_end_ms, read.at_ms)
    apply_change(point, change, unit)


def apply_change(point: SupplyPoint, change: Change, unit: Unit) -> None:
    """Carry a change of a stream's segments to the channels it feeds or checks, and settle them."""
    names = {segment.span.channel for segment in (*change.removed, *change.added)}
    for channel in (point.channels[name] for name in sorted(names)):
        streams = point.streams_of(channel)
        if channel.is_spans:
            spans.revise(channel, current_spans(channel, streams), unit.cause, unit)
            continue
        derive_again(channel, change, streams)
        refill(channel, streams, sorted(channel.touched))
        note_brackets(channel, change)
        settle_with_brackets(channel, unit)


def current_spans(channel: Channel, streams: list[Stream]) -> list[Segment]:
    """The read-to-read spans that the channel's streams give now."""
    name = channel.definition.channel
    return [s for stream in streams for s in stream.segments if s.span.role == SPANS and s.span.channel == name]
