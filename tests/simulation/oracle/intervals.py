"""Interval reads: verdict, placement and value checks (rules, section 3)."""

from __future__ import annotations

from tests.simulation.oracle.grid import DAY_MS, DAY_S
from tests.simulation.oracle.hardening import advance, may_place, note_end
from tests.simulation.oracle.model import (
    HOUR_MS,
    RANK,
    RING_MS,
    TOLERANCE_MS,
    Channel,
    Span,
    SupplyPoint,
    Value,
    is_firm,
)
from tests.simulation.oracle.rows import Book, Unit
from tests.simulation.oracle.settle import settle

Judgement = tuple[str, str]  # verdict, check id or ""
QUARANTINED = ("unconfigured", "beyond_horizon", "ahead_of_ring")
WON = ("ACCEPTED", "CORRECTED")


def interval_span(point: SupplyPoint, device: str, register: str, instant: int) -> Span | None:
    """The span that lets an interval in, if one does."""
    spans = [span for span in point.device(device).spans if span.register == register and span.role == "intervals"]
    return next((span for span in spans if span.contains(instant)), None)


def reject(check: str) -> Judgement:
    return ("REJECTED", check)


def process_interval(point: SupplyPoint, unit: Unit, delivered: int | None, interval_s: int | str, book: Book) -> str:
    """One delivered interval, from verdict to watermark. Returns the verdict."""
    span = interval_span(point, unit.device, unit.register, unit.start)
    if span is None:
        return turn_away(unit, reject("unconfigured"), book)
    channel = point.channels[span.channel]
    unit.channel = channel.name
    refused = _refuse_by_shape(channel, span, unit, delivered, interval_s)
    if refused:
        turn_away(unit, refused, book)
        advance(point, channel, unit.cause, book)
        return refused[0]
    assert delivered is not None
    unit.quantity = delivered * span.multiplier
    refused = _refuse_by_time(point, channel, unit, book)
    verdict, check = refused or evidence_order(channel.evidence(unit.start), unit, unit.quantity)
    if verdict not in WON:
        turn_away(unit, (verdict, check), book)
    else:
        method = "NONE" if unit.quality == "ACTUAL" else "SOURCE"
        value = Value(unit.quantity, unit.quality, method, True, unit.version, unit.device, unit.register)
        channel.put(unit.start, value)
        settle(point, channel, unit.cause, book)
        report_value_checks(channel, span, unit, verdict, book)
        if is_firm(unit.quality):
            note_end(channel, unit.end)
    advance(point, channel, unit.cause, book)
    return verdict


def turn_away(unit: Unit, judgement: Judgement, book: Book) -> str:
    """Record a unit that changes nothing."""
    verdict, check = judgement
    book.evidence(unit, verdict, [check] if check else [], [])
    if check:
        book.unit_finding(check, "reject", unit)
    if check in QUARANTINED:
        book.quarantine(unit, check)
    return verdict


# --- the verdict


def _refuse_by_shape(
    channel: Channel, span: Span, unit: Unit, delivered: int | None, interval_s: int | str
) -> Judgement | None:
    """Rows 2 to 7: what is wrong with the read as such. `unit.unit` is compared by the caller's channel."""
    if delivered is None or unit.quality == "MISSING":
        return reject("null_read")
    if unit.measure != channel.definition.unit:
        return reject("unknown_unit")
    if interval_s != channel.definition.interval_s:
        return reject("length_mismatch")
    if not channel.slots.is_point(unit.start):
        return reject("misaligned")
    if unit.end > span.to_ms:
        return reject("overlap")
    if not channel.definition.is_within(delivered * span.multiplier):
        return reject("out_of_range")
    return None


def _refuse_by_time(point: SupplyPoint, channel: Channel, unit: Unit, book: Book) -> Judgement | None:
    """Rows 8 to 10: what is wrong with its time."""
    if unit.end > unit.received + TOLERANCE_MS:
        return reject("future")
    assert channel.base is not None and channel.watermark is not None
    if unit.start < channel.base:
        return ("BEYOND_HORIZON", "beyond_horizon")
    if unit.start >= channel.watermark + RING_MS and not may_place(point, channel, unit, book, moves=True):
        return reject("ahead_of_ring")
    return None


def evidence_order(incumbent: object, unit: Unit, content: int) -> Judgement:
    """Rows 11 to 17. The incumbent is a slot's evidence or a stored read: version, quality and content decide."""
    if incumbent is None:
        return ("ACCEPTED", "")
    version, quality, held = describe(incumbent)
    if unit.version != version:
        return ("CORRECTED", "") if unit.version > version else ("SUPERSEDED", "")
    if unit.quality != quality:
        return ("CORRECTED", "") if RANK[unit.quality] < RANK[quality] else ("SUPERSEDED", "")
    return ("DUPLICATE", "") if content == held else ("CONFLICTING", "conflicting")


def describe(incumbent: object) -> tuple[int, str, int]:
    """Version, quality and content of what is held: a slot's value, or (version, quality, scaled count)."""
    if isinstance(incumbent, Value):
        return (incumbent.version, incumbent.quality, incumbent.quantity)
    assert isinstance(incumbent, tuple)
    return incumbent


# --- value checks


def report_value_checks(channel: Channel, span: Span, unit: Unit, verdict: str, book: Book) -> None:
    """The evidence row of a unit that won, and one finding for each value check that fires."""
    outcomes = value_checks(channel, span, unit)
    failed = [check for check, fired in outcomes.items() if fired]
    book.evidence(unit, verdict, failed, [check for check, fired in outcomes.items() if fired is None])
    for check in failed:
        book.unit_finding(check, "warn", unit)


def value_checks(channel: Channel, span: Span, unit: Unit) -> dict[str, bool | None]:
    """By check id: whether it fires; None if it could not run."""
    assert unit.quantity is not None
    return {
        "negative": None if channel.definition.signed else unit.quantity < 0,
        "capacity": _capacity(unit.quantity, unit.end - unit.start, span.max_nano_per_hour),
        "spike": _spike(channel, unit.start, unit.quantity),
        "zero_run": _zero_run(channel, unit.start, unit.quantity),
    }


def _capacity(quantity: int, length_ms: int, most: int | None) -> bool | None:
    return None if most is None else abs(quantity) * HOUR_MS > most * length_ms


def _spike(channel: Channel, start: int, quantity: int) -> bool | None:
    """Far from the median of the same time on the fourteen days before."""
    factor = channel.definition.spike_factor
    references = [channel.firm(earlier) for earlier in _earlier_days(channel, start)]
    known = [reference for reference in references if reference is not None]
    if factor is None or len(known) < 7:
        return None
    middle = median(known)
    spread = median([abs(reference - middle) for reference in known])
    distance = abs(quantity - middle)
    return distance > factor * spread and distance > abs(middle)


def _earlier_days(channel: Channel, start: int) -> list[int]:
    grid = channel.slots
    if grid.local_day:
        return [grid.after(start, -back) for back in range(1, 15)]
    return [start - back * DAY_MS for back in range(1, 15)]


def median(numbers: list[int]) -> int:
    """The lower of the two in the middle."""
    return sorted(numbers)[(len(numbers) - 1) // 2]


def _zero_run(channel: Channel, start: int, quantity: int) -> bool | None:
    """Whether this slot makes a run of zeros exactly as long as the policy says."""
    limit = channel.definition.zero_run_s
    if limit is None:
        return None
    if quantity != 0:
        return False
    length_s = DAY_S if channel.slots.local_day else channel.slots.length // 1000
    wanted = max(limit // length_s, 1)
    slot, run = start, 0
    while run <= wanted and _is_zero(channel, slot):
        slot, run = channel.slots.after(slot, -1), run + 1
    return run == wanted


def _is_zero(channel: Channel, slot: int) -> bool:
    value = channel.evidence(slot)
    return value is not None and value.quantity == 0
