"""state/hardening.py: raising a channel's watermark, where no register stream has a say."""

from state.codes import NOTHING
from state.columnar.channel import expects, set_watermark, slot_at
from state.columnar.estimation import estimate, place
from state.columnar.grid import floor_to_window, slot_of, start_ms, window_at, window_start_ms
from state.columnar.layout import FINDING_ROWS, MISSING_READS, NIL, Emitted, Row, Unit, World
from state.columnar.settlement import harden_window
from state.compiling import compiled_in_place, compiled_inside

_FIELDS = 5
"""Of a hole in the scratch: its slot, and the four of an estimate."""
_HOLES_AT = 4096
"""Where holes begin in the scratch; what is before belongs to the estimate that is being made, a number a day of the horizon."""


@compiled_in_place
def follow(world: World, number: int, unit: Unit, out: Emitted) -> None:
    """Raise W to its target: min(latest accepted end − allowance, complete-through of the current device)."""
    channel = world.channels[number]
    target_ms = min(channel.latest_end_ms - channel.allowance_ms, channel.complete_through_ms)
    if target_ms > channel.watermark_ms:
        rise(world, number, target_ms, unit, out)


@compiled_inside
def rise(world: World, number: int, target_ms: int, unit: Unit, out: Emitted) -> None:
    """Harden everything expected before the target, window by window; W never goes back."""
    channel = world.channels[number]
    target_ms = floor_to_window(channel, target_ms)
    first, last = NIL, NIL - 1
    while channel.watermark_ms < target_ms:
        window = window_at(channel, _next_expected(world, channel, target_ms))
        begin_ms = window_start_ms(channel, window)
        if begin_ms > channel.watermark_ms:
            set_watermark(world, channel, min(begin_ms, target_ms))
            continue
        holes = _estimate_holes(world, channel, window)
        for at in range(holes):
            held = world.scratch[_HOLES_AT + at * _FIELDS : _HOLES_AT + (at + 1) * _FIELDS]
            place(world, channel, held[0], (held[1], held[2], held[3], held[4]))
            if last >= first and held[0] != last + 1:
                _report_missing(channel, number, first, last, unit, out)
                first = held[0]
            elif last < first:
                first = held[0]
            last = held[0]
        if harden_window(world, number, window, unit, out):
            channel.hardened_any = 1
        set_watermark(world, channel, window_start_ms(channel, window + 1))
    if last >= first:
        _report_missing(channel, number, first, last, unit, out)


@compiled_in_place
def _estimate_holes(world: World, channel: Row, window: int) -> int:
    """Estimate all holes of a window before any is placed; returns how many."""
    first = slot_of(channel, window_start_ms(channel, window))
    number = 0
    for slot in range(first, first + channel.slots_per_window):
        if slot_at(world, channel, slot).quality == NOTHING and expects(world.spans, channel, slot):
            quantity_nano, quality, method, reason = estimate(world, channel, slot)
            at = _HOLES_AT + number * _FIELDS
            world.scratch[at] = slot
            world.scratch[at + 1] = quantity_nano
            world.scratch[at + 2] = quality
            world.scratch[at + 3] = method
            world.scratch[at + 4] = reason
            number += 1
    return number


@compiled_in_place
def _next_expected(world: World, channel: Row, target_ms: int) -> int:
    """W if its window may expect something; else the next instant that does, at most the target."""
    watermark_ms = channel.watermark_ms
    window_end_ms = window_start_ms(channel, window_at(channel, watermark_ms) + 1)
    nearest = target_ms
    for at in range(channel.spans_at, channel.spans_at + channel.spans_number):
        span = world.spans[at]
        if span.to_ms > watermark_ms and span.from_ms < target_ms:
            nearest = min(nearest, max(span.from_ms, watermark_ms))
    return watermark_ms if nearest < window_end_ms else nearest


@compiled_inside
def _report_missing(channel: Row, number: int, first: int, last: int, unit: Unit, out: Emitted) -> None:
    """The finding of one stretch of consecutive holes."""
    row = out.findings[out.number[FINDING_ROWS]]
    row.record = unit.record
    row.element = unit.element
    row.start_ms = start_ms(channel, first)
    row.end_ms = start_ms(channel, last + 1)
    row.first = last - first + 1
    row.channel = number
    row.check = MISSING_READS
    out.number[FINDING_ROWS] += 1
