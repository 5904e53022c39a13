"""state/settlement.py: determinants when windows harden, an adjustment for what changes afterwards."""

from state.codes import ACTUAL, CALCULATED, ESTIMATED, MISSING, NOTHING, SUBSTITUTED
from state.columnar.channel import slot_at, stand, standing_of
from state.columnar.grid import slot_of, start_ms, window_at, window_start_ms
from state.columnar.layout import (
    ADJUSTMENT_ROWS,
    CORRECTED_READ,
    DETERMINANT_ROWS,
    ESTIMATE_REPLACED,
    LATE_READ,
    ONE,
    Emitted,
    Row,
    Unit,
    World,
)
from state.compiling import compiled_in_place, compiled_inside


@compiled_in_place
def content_of(world: World, channel: Row, window: int, into: Row) -> int:
    """Add up a window's slots: returns the sum, counts go `into` a row."""
    total, actual, calculated, substituted, estimated, missing = 0, 0, 0, 0, 0, 0
    methods, reason, worst = 0, 0, ACTUAL + 1
    first = slot_of(channel, window_start_ms(channel, window))
    for slot in range(first, first + channel.slots_per_window):
        held = slot_at(world, channel, slot)
        quality = held.quality
        if quality == NOTHING:
            continue
        actual += quality == ACTUAL
        calculated += quality == CALCULATED
        substituted += quality == SUBSTITUTED
        estimated += quality == ESTIMATED
        missing += quality == MISSING
        worst = min(worst, quality)
        total += held.quantity_nano
        methods |= 1 << held.method
        if reason == 0:
            reason = held.reason
    into.n_actual = actual
    into.n_calculated = calculated
    into.n_substituted = substituted
    into.n_estimated = estimated
    into.n_missing = missing
    into.quality = 0 if worst > ACTUAL else worst
    into.methods = methods & ~1
    into.missing_reason = reason
    return total


@compiled_in_place
def _place_row(row: Row, channel: Row, number: int, window: int, unit: Unit) -> None:
    row.record = unit.record
    row.element = unit.element
    row.start_ms = window_start_ms(channel, window)
    row.end_ms = row.start_ms + channel.window_ms
    row.config_version = channel.config_version
    row.channel = number


@compiled_in_place
def harden_window(world: World, number: int, window: int, unit: Unit, out: Emitted) -> bool:
    """Emit the determinant of a window, if it expects anything; its quantity stands from now on."""
    channel = world.channels[number]
    row = out.determinants[out.number[DETERMINANT_ROWS]]
    quantity_nano = content_of(world, channel, window, row)
    if row.quality == NOTHING:
        return False
    stand(world, channel, window, quantity_nano, ONE)
    _place_row(row, channel, number, window, unit)
    row.quantity_nano = quantity_nano
    row.cause = unit.cause
    out.number[DETERMINANT_ROWS] += 1
    return True


@compiled_in_place
def settle(world: World, number: int, slot: int, before: tuple[int, int, int], unit: Unit, out: Emitted) -> None:
    """Compare the window of the one slot that the unit touched with what stands, if it has hardened, and adjust it.

    `before`: (quantity, quality, evidence) of the slot before it was touched.
    """
    channel = world.channels[number]
    if is_settled(world, channel, slot, before):
        window = window_at(channel, start_ms(channel, slot))
        settle_window(world, number, window, reason_for(before), unit, out)


@compiled_in_place
def is_settled(world: World, channel: Row, slot: int, before: tuple[int, int, int]) -> bool:
    """True if a slot has hardened and is changed."""
    if start_ms(channel, slot) >= channel.watermark_ms or slot < channel.base_slot:
        return False
    held = slot_at(world, channel, slot)
    return before[0] != held.quantity_nano or before[1] != held.quality


@compiled_inside
def settle_window(world: World, number: int, window: int, reason: int, unit: Unit, out: Emitted) -> None:
    """Compare a window with what stands; a window that never had a determinant gets one."""
    channel = world.channels[number]
    old, emitted = standing_of(world, channel, window)
    if emitted == 0:
        if harden_window(world, number, window, unit, out):
            channel.hardened_any = 1
        return
    row = out.adjustments[out.number[ADJUSTMENT_ROWS]]
    new = content_of(world, channel, window, row)
    if new == old:
        return
    _place_row(row, channel, number, window, unit)
    row.revision = emitted
    row.old_nano = old
    row.new_nano = new
    row.cause = reason
    stand(world, channel, window, new, emitted + 1)
    out.number[ADJUSTMENT_ROWS] += 1


@compiled_inside
def reason_for(before: tuple[int, int, int]) -> int:
    """The reason of an adjustment that a read causes, from what its slot held before."""
    _, quality, evidence = before
    if evidence and quality > ESTIMATED:
        return CORRECTED_READ
    return ESTIMATE_REPLACED if quality == ESTIMATED else LATE_READ
