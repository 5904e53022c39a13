"""state/intervals.py: judging one interval, from arrival to verdict, placement, adjustment and watermark.

What is refused for a rare reason is left to the scalar step: nothing has been touched then.
"""

from state.codes import ACTUAL, AHEAD_MS, ESTIMATED, FUTURE_TOLERANCE_MS, MISSING, NONE, NOTHING, SOURCE
from state.columnar.channel import put, slot_at
from state.columnar.checks import value_checks
from state.columnar.evidence import ACCEPTED, CONFLICTING, CORRECTED, REJECTED, verdict_on
from state.columnar.grid import floor_to_window, slot_of, start_ms
from state.columnar.hardening import follow
from state.columnar.layout import (
    CAPACITY,
    CONFLICTING_READ,
    EVIDENCE_ROWS,
    FINDING_ROWS,
    NIL,
    NULL_READ,
    ONE,
    ZERO_RUN,
    Emitted,
    Held,
    Records,
    Row,
    Unit,
    World,
)
from state.columnar.rooms import has_pages, has_room
from state.columnar.settlement import settle
from state.compiling import compiled_in_place, compiled_inside

DONE, ODD, FULL, CROWDED, CRAMPED = range(5)
"""How a unit ended: processed; left to the scalar step; left until there is more room for rows, for the reads of its register, or
for pages of its rings. Only the first has touched anything."""


@compiled_in_place
def judge_interval(
    world: World,
    lane: Row,
    arriving: tuple[int, int, int, int, bool, int, int],
    unit: Unit,
    out: Emitted,
) -> int:
    """Process one arriving interval; returns how that ended.

    `arriving`: (start, length in ms, version, quantity before the multiplier, whether there is one, quality, time of receipt).
    """
    begin_ms, length_ms, version, delivered_nano, is_number, quality, received_ms = arriving
    at = _route_at(world.routes, lane, begin_ms)
    if at < 0:
        return ODD
    route = world.routes[at]
    channel = world.channels[route.channel]
    if channel.is_plain == 0:
        return ODD
    end_ms = begin_ms + length_ms
    is_null = not is_number or quality == MISSING
    if not is_null:
        if not _is_sound(channel, route, begin_ms, length_ms, delivered_nano):
            return ODD
        if end_ms > received_ms + FUTURE_TOLERANCE_MS:
            return ODD
        if begin_ms < channel.base_ms or begin_ms >= channel.watermark_ms + AHEAD_MS:
            return ODD
    if channel.is_checked and _needs_brackets(world, channel, begin_ms, end_ms, 0 if is_null else quality):
        return ODD
    if not has_room(channel, end_ms, ONE, out):
        return FULL
    if not has_pages(world.rings.pools, channel, end_ms, ONE):
        return CRAMPED
    if is_null:
        emit_evidence(unit, route.channel, NIL, False, NIL + REJECTED, NIL + (1 << NULL_READ), NIL, out)
        emit_finding(unit, route.channel, NIL + NULL_READ, (begin_ms, end_ms), (NIL, NIL), out)
    else:
        _take(world, route, (begin_ms, end_ms), (version, quality, delivered_nano * route.multiplier), unit, out)
    follow(world, route.channel, unit, out)
    return DONE


@compiled_inside
def _needs_brackets(world: World, channel: Row, begin_ms: int, end_ms: int, quality: int) -> bool:
    """True if register reads may have a say: brackets are open, or W may rise over a hole that one may fill. `quality` 0: of a null."""
    if channel.has_brackets:
        return True
    latest_ms = max(channel.latest_end_ms, end_ms) if quality > ESTIMATED else channel.latest_end_ms
    target_ms = min(latest_ms - channel.allowance_ms, channel.complete_through_ms)
    if target_ms <= channel.watermark_ms:
        return False
    own = slot_of(channel, begin_ms)
    for slot in range(slot_of(channel, channel.watermark_ms), slot_of(channel, floor_to_window(channel, target_ms))):
        if (slot != own or quality == 0) and slot_at(world, channel, slot).quality == NOTHING:
            return True
    return False


@compiled_in_place
def _route_at(routes: Records, lane: Row, begin_ms: int) -> int:
    """Where an interval that begins then goes; -1: nowhere."""
    for at in range(lane.routes_at, lane.routes_at + lane.routes_number):
        if routes[at].from_ms <= begin_ms < routes[at].to_ms:
            return at
    return -1


@compiled_in_place
def _is_sound(channel: Row, route: Row, begin_ms: int, length_ms: int, delivered_nano: int) -> bool:
    """Rows 3 to 7: the quantity can be the channel's."""
    if route.unit_fits == 0 or length_ms != channel.native_ms:
        return False
    if start_ms(channel, slot_of(channel, begin_ms)) != begin_ms or begin_ms + length_ms > route.to_ms:
        return False
    return -route.most_delivered <= delivered_nano <= route.most_delivered


@compiled_in_place
def _take(
    world: World,
    route: Row,
    bounds_ms: tuple[int, int],
    arriving: tuple[int, int, int],
    unit: Unit,
    out: Emitted,
) -> None:
    """Rows 11 to 17: put the arrival in force if it wins. `arriving`: (version, quality, quantity)."""
    channel = world.channels[route.channel]
    slot = slot_of(channel, bounds_ms[0])
    held = slot_at(world, channel, slot)
    version, quality, quantity_nano = arriving
    verdict = ACCEPTED
    if held.evidence != 0:
        verdict = verdict_on((held.version, held.quality, held.quantity_nano), arriving)
    if verdict == CONFLICTING:
        emit_evidence(unit, route.channel, quantity_nano, True, verdict, NIL + (1 << CONFLICTING_READ), NIL, out)
        emit_finding(unit, route.channel, NIL + CONFLICTING_READ, bounds_ms, (held.quantity_nano, quantity_nano), out)
    elif verdict in (ACCEPTED, CORRECTED):
        before = (held.quantity_nano, held.quality, held.evidence)
        method = NONE if quality == ACTUAL else SOURCE
        put(world, channel, slot, Held(quantity_nano, version, route.device, quality, method, 0, 1))
        settle(world, route.channel, slot, before, unit, out)
        failed, not_run = value_checks(world, channel, slot, route.capacity_nano)
        for check in range(CAPACITY, ZERO_RUN + 1):
            if failed >> check & 1:
                emit_finding(unit, route.channel, check, bounds_ms, (quantity_nano, NIL), out)
        emit_evidence(unit, route.channel, quantity_nano, True, verdict, failed, not_run, out)
        if quality > ESTIMATED:
            channel.latest_end_ms = max(channel.latest_end_ms, bounds_ms[1])
    else:
        emit_evidence(unit, route.channel, quantity_nano, True, verdict, NIL, NIL, out)


@compiled_in_place
def emit_evidence(
    unit: Unit,
    number: int,
    quantity_nano: int,
    has_quantity: bool,
    verdict: int,
    failed: int,
    not_run: int,
    out: Emitted,
) -> None:
    """Write the evidence row, and count its verdict."""
    row = out.evidence[out.number[EVIDENCE_ROWS]]
    row.record = unit.record
    row.element = unit.element
    row.quantity_nano = quantity_nano
    row.channel = number
    row.has_quantity = has_quantity
    row.verdict = verdict
    row.failed = failed
    row.not_run = not_run
    out.number[EVIDENCE_ROWS] += 1
    out.verdicts[verdict] += 1


@compiled_inside
def emit_finding(
    unit: Unit, number: int, check: int, bounds_ms: tuple[int, int], detail: tuple[int, int], out: Emitted
) -> None:
    row = out.findings[out.number[FINDING_ROWS]]
    row.record = unit.record
    row.element = unit.element
    row.start_ms = bounds_ms[0]
    row.end_ms = bounds_ms[1]
    row.first = detail[0]
    row.second = detail[1]
    row.channel = number
    row.check = check
    out.number[FINDING_ROWS] += 1
