"""Judging one interval: from arrival to verdict, placement, adjustment and watermark (docs/rules.md sections 3 to 5)."""

from state.channel import Channel
from state.checks import value_checks
from state.codes import ACTUAL, ESTIMATED, FUTURE_TOLERANCE_MS, MISSING, NONE, SOURCE, WINS
from state.configuration import INTERVALS, RegisterSpan
from state.evidence import verdict_on
from state.grid import LOCAL_DAY
from state.judging import Arrival
from state.settlement import settle
from state.supply_point import SupplyPoint
from state.unit import READ, Unit

_ROLES = frozenset({INTERVALS})


def judge_interval(
    point: SupplyPoint, arrival: Arrival, interval_s: int | str, unit_name: str, delivered_nano: int | None, unit: Unit
) -> str:
    """Process one arriving interval; `delivered_nano` is before the multiplier. Returns its verdict."""
    span = point.span_for(arrival.device, arrival.register, arrival.start_ms, _ROLES)
    if span is None:
        if interval_s == LOCAL_DAY:
            arrival.end_ms = arrival.start_ms  # nobody knows whose day
        arrival.refuse("unconfigured", unit)
        return arrival.emit(unit)
    arrival.channel = span.channel
    channel = point.channels[span.channel]
    quantity = _measured(channel, span, arrival, interval_s, unit_name, delivered_nano, unit)
    if quantity is not None and _fits_in_time(point, channel, arrival, unit):
        _take(channel, span, quantity, arrival, unit)
    arrival.emit(unit)
    point.follow(channel, READ, unit)
    return arrival.verdict


def _measured(
    channel: Channel,
    span: RegisterSpan,
    arrival: Arrival,
    interval_s: int | str,
    unit_name: str,
    delivered_nano: int | None,
    unit: Unit,
) -> int | None:
    """The quantity in the channel's terms, or None after refusing (rows 2 to 8)."""
    definition = channel.definition
    if delivered_nano is None or arrival.quality == MISSING:
        arrival.refuse("null_read", unit)
        return None
    quantity = delivered_nano * span.multiplier
    if unit_name != definition.unit:
        arrival.refuse("unknown_unit", unit, got=unit_name, expected=definition.unit)
    elif interval_s != definition.interval_s:
        arrival.refuse("length_mismatch", unit, interval_s=interval_s, expected=definition.interval_s)
    elif definition.native.start_ms(definition.native.slot_of(arrival.start_ms)) != arrival.start_ms:
        arrival.refuse("misaligned", unit)
    elif arrival.end_ms > span.to_ms:
        arrival.refuse("overlap", unit, device_ends_ms=span.to_ms)
    elif not channel.fits(quantity):
        arrival.refuse("out_of_range", unit)
    else:
        arrival.quantity_nano = quantity
        if arrival.end_ms <= unit.received_ms + FUTURE_TOLERANCE_MS:
            return quantity
        arrival.refuse("future", unit, received_ms=unit.received_ms)
    return None


def _fits_in_time(point: SupplyPoint, channel: Channel, arrival: Arrival, unit: Unit) -> bool:
    """Rows 9 and 10: neither older than the horizon nor too far ahead of W."""
    if arrival.start_ms < channel.base_ms:
        arrival.beyond_horizon(unit)
    elif not point.make_room(channel, arrival.start_ms, unit, may_move=arrival.quality > ESTIMATED):
        arrival.refuse("ahead_of_ring", unit)
    else:
        return True
    return False


def _take(channel: Channel, span: RegisterSpan, quantity: int, arrival: Arrival, unit: Unit) -> None:
    """Put the arrival in force if it wins."""
    slot = channel.definition.native.slot_of(arrival.start_ms)
    _decide(channel, slot, quantity, arrival, unit)
    if arrival.verdict not in WINS:
        return
    method = NONE if arrival.quality == ACTUAL else SOURCE
    put_evidence(channel, slot, span, (quantity, arrival.quality, method, arrival.version), arrival, unit)
    if arrival.quality > ESTIMATED:
        channel.latest_end_ms = max(channel.latest_end_ms, arrival.end_ms)


def _decide(channel: Channel, slot: int, quantity: int, arrival: Arrival, unit: Unit) -> None:
    """Rows 11 to 17: the evidence order."""
    held = channel.slots.get(slot)
    incumbent = (held.version, held.quality, held.quantity_nano) if held.evidence else None
    verdict = verdict_on(incumbent, (arrival.version, arrival.quality, quantity))
    arrival.decide(verdict, unit, incumbent_nano=held.quantity_nano, arriving_nano=quantity)


def put_evidence(
    channel: Channel,
    slot: int,
    span: RegisterSpan,
    content: tuple[int, int, int, int],
    arrival: Arrival,
    unit: Unit,
) -> None:
    """Put (quantity, quality, method, version) in force, settle its window, check its value."""
    quantity, quality, method, version = content
    channel.touch(slot)
    device = channel.device_number(span.device)
    channel.slots.put(slot, quantity, quality, method, evidence=1, version=version, device=device)
    settle(channel, unit)
    failed, arrival.not_run = value_checks(channel, slot, span)
    for check_id in failed:
        arrival.failed.append(check_id)
        arrival.finding(check_id, "warn", unit, quantity_nano=quantity)
