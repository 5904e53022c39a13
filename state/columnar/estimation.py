"""state/estimation.py: filling a hole of a channel that no check register brackets."""

from state.codes import AHEAD_MS, ESTIMATED, INTERPOLATED, LIKE_DAY, MISSING, NO_REASON, NO_REFERENCE, POLICY_REFUSES
from state.columnar.calendar import NO_INSTANT, day_type, local_day, same_wall_time
from state.columnar.channel import expects, holds, put, slot_at
from state.columnar.exact import part
from state.columnar.grid import slot_of, start_ms
from state.columnar.layout import Held, Row, World
from state.compiling import compiled_inside


@compiled_inside
def estimate(world: World, channel: Row, hole: int) -> tuple[int, int, int, int]:
    """(quantity, quality, method, reason) for a hole: the first rule that gives a value, or MISSING."""
    is_found, quantity_nano = _interpolated(world, channel, hole)
    if is_found:
        return quantity_nano, ESTIMATED, INTERPOLATED, NO_REASON
    is_found, quantity_nano = like_day(world, channel, hole)
    if is_found:
        return quantity_nano, ESTIMATED, LIKE_DAY, NO_REASON
    return 0, MISSING, 0, POLICY_REFUSES if channel.like_days == 0 else NO_REFERENCE


@compiled_inside
def place(world: World, channel: Row, hole: int, found: tuple[int, int, int, int]) -> None:
    """Put an estimate, or an explicit MISSING, into its slot."""
    quantity_nano, quality, method, reason = found
    put(world, channel, hole, Held(quantity_nano, 0, 0, quality, method, reason, 0))


@compiled_inside
def _interpolated(world: World, channel: Row, hole: int) -> tuple[bool, int]:
    most = channel.interpolate_slots
    if most < 0:
        return False, 0
    first = _edge_of_run(world, channel, hole, -1, most)
    last = _edge_of_run(world, channel, hole, 1, most)
    length = last - first + 1
    if length > most:
        return False, 0
    if not (holds(world, channel, first - 1, ESTIMATED) and holds(world, channel, last + 1, ESTIMATED)):
        return False, 0
    before = slot_at(world, channel, first - 1).quantity_nano
    after = slot_at(world, channel, last + 1).quantity_nano
    return True, before + part(after - before, hole - first + 1, length + 1)


@compiled_inside
def _edge_of_run(world: World, channel: Row, hole: int, step: int, most: int) -> int:
    """The last slot of the run in one direction; looking further than `most` slots is no use."""
    slot = hole
    for _ in range(most):
        beyond = slot + step
        if beyond < channel.reference_slot or slot_at(world, channel, beyond).evidence != 0:
            break
        if start_ms(channel, beyond) >= channel.watermark_ms + AHEAD_MS:
            break
        if not expects(world.spans, channel, beyond):
            break
        slot = beyond
    return slot


@compiled_inside
def like_day(world: World, channel: Row, hole: int) -> tuple[bool, int]:
    """The mean, by floor, of the same wall time on the nearest earlier days of the same type; False without any."""
    if channel.like_days == 0:
        return False, 0
    calendar = world.calendars[channel.calendar]
    begin_ms = start_ms(channel, hole)
    today = local_day(world, calendar, begin_ms)
    kind = day_type(world, calendar, today)
    number = 0
    for days_back in range(1, channel.horizon_days + 1):
        if day_type(world, calendar, today - days_back) != kind:
            continue
        at_ms = same_wall_time(world, calendar, begin_ms, days_back)
        if at_ms == NO_INSTANT:
            continue
        slot = slot_of(channel, at_ms)
        if start_ms(channel, slot) == at_ms and holds(world, channel, slot, ESTIMATED):
            world.scratch[number] = slot_at(world, channel, slot).quantity_nano
            number += 1
            if number == channel.like_days:
                break
    return number > 0, _mean(world, number)


@compiled_inside
def _mean(world: World, number: int) -> int:
    """The sum of the first numbers of the scratch, divided by how many they are, by floor: without the sum."""
    whole, rest = 0, 0
    for at in range(number):
        whole += world.scratch[at] // number
        rest += world.scratch[at] % number
    return whole + rest // number if number else 0
