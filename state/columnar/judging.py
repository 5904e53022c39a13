"""Rows 9 to 17 of the verdicts and the watermark, in columns: how far each channel's units are clean.

Mirrors state/intervals.py, evidence.py and the order of a unit in hardening.py. A channel's *clean prefix* are its next
units as long as each is either

- new: above every new one before it, into an empty slot not before W, or
- a duplicate of what the slot holds;

and as long as W, rising behind them, meets neither a hole nor anything but ACTUAL reads nor the end of the coverage. In a
clean prefix nothing can depend on the order of steps within a unit, so that it may be carried out rule by rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from state.channel import Channel
from state.codes import ACTUAL, AHEAD_MS, NONE, NOTHING
from state.columnar.lanes import NO_LIMIT, Program
from state.columnar.units import Flags, Ints, Units
from state.supply_point import SupplyPoint

_SLOT_BITS = 32
"""Room for a slot, counted from the earliest of the batch, below its channel in one sortable number."""


@dataclass(slots=True)
class Standing:
    """Where each channel stands before its units: W, its base, and what it can rise over."""

    slot_row: Ints
    window_row: Ints
    watermark_ms: Ints
    base_ms: Ints
    latest_end_ms: Ints
    allowance_ms: Ints
    complete_through_ms: Ints
    covered_from_ms: Ints
    covered_to_ms: Ints


@dataclass(slots=True)
class Judged:
    """The units of a round with what was decided of them; `taken` marks the clean prefixes.

    `reached`: per channel the position after its prefix. `is_odd`: whether the unit there is for the scalar step (else it is
    clean too, once the prefix has been carried out).
    """

    units: Units
    channel: Ints
    """Position in Standing, of each unit."""
    slot: Ints
    is_new: Flags
    taken: Flags
    before_ms: Ints
    """W before each unit."""
    after_ms: Ints
    reached: Ints
    is_odd: Flags
    latest_end_ms: Ints


def standing_of(channels: Sequence[tuple[SupplyPoint, Channel]]) -> Standing:
    """Gather what the columns need to know of some channels."""
    rows = []
    for point, channel in channels:
        span = channel.span_expecting(channel.watermark_ms)
        covered = (span.from_ms, span.to_ms) if span is not None else (channel.watermark_ms, channel.watermark_ms)
        complete_ms = point.complete_through_of(channel)
        rows.append(
            (channel.slots.row, channel.windows.row, channel.watermark_ms, channel.base_ms, channel.latest_end_ms,
             channel.definition.allowance_s * 1000, NO_LIMIT if complete_ms is None else complete_ms, *covered)
        )  # fmt: skip
    return Standing(*np.array(rows, np.int64).T)


def floor_to_window(program: Program, instant_ms: Ints) -> Ints:
    """The window boundary at or before each instant."""
    anchor = program.window_anchor_ms
    floored: Ints = anchor + (instant_ms - anchor) // program.window_ms * program.window_ms
    return floored


def judge(program: Program, standing: Standing, units: Units, channel: Ints, first: Ints) -> Judged:
    """Find the clean prefix of each channel; `first` is the position of each channel's first unit."""
    ahead_ms = standing.watermark_ms[channel] + AHEAD_MS
    is_ahead = units.sound & (units.start_ms >= ahead_ms)
    usable = units.sound & (units.start_ms >= standing.base_ms[channel]) & ~is_ahead
    slot = (units.start_ms - program.anchor_ms) // program.native_ms
    is_same, is_empty = _compare_with_slots(program, standing, units, channel, slot, usable)
    earliest = int(slot[usable].min()) if usable.any() else 0
    key = channel << _SLOT_BITS | np.where(usable, slot - earliest + 1, 0)
    is_new, repeats, out_of_order = _in_order(units, key, is_empty)

    latest = _running_latest(program, standing, channel, key, is_new, earliest)
    target = np.minimum(latest - standing.allowance_ms[channel], standing.complete_through_ms[channel])
    after = np.maximum(standing.watermark_ms[channel], floor_to_window(program, target))
    before = np.concatenate([after[:1], after[:-1]])
    before[first] = standing.watermark_ms[channel[first]]

    is_duplicate = is_same | repeats
    is_late = is_new & (units.start_ms < before)
    is_beyond = is_duplicate & (units.start_ms < floor_to_window(program, before - program.memory_ms))
    waits = out_of_order | is_ahead  # clean, or not, once what is before it has been carried out
    stops = ~(is_new | is_duplicate) | is_late | is_beyond | waits
    end = np.concatenate([first[1:], [len(units)]])
    reached = _first_of(stops, channel, end)
    within = np.minimum(reached, len(units) - 1)
    is_odd = (reached < end) & ~(waits[within] & (reached > first))

    bound = _can_rise_to(program, standing, slot, is_new, channel, reached, first, after)
    blocked = _first_of(after > bound[channel], channel, end)
    is_odd = np.where(blocked < reached, True, is_odd)
    reached = np.minimum(reached, blocked)
    taken = np.arange(len(units)) < reached[channel]
    return Judged(units, channel, slot, is_new & taken, taken, before, after, reached, is_odd, latest)


def _compare_with_slots(
    program: Program, standing: Standing, units: Units, channel: Ints, slot: Ints, usable: Flags
) -> tuple[Flags, Flags]:
    """Rows 11 and 16: whether a unit's slot holds the very same evidence, and whether it holds nothing."""
    arrays = program.slots.arrays
    row, at = standing.slot_row[channel], np.where(usable, slot % program.slots.length, 0)
    quality = arrays["quality"][row, at]
    is_same = usable & (quality == ACTUAL) & (arrays["evidence"][row, at] != 0)
    is_same &= (arrays["version"][row, at] == units.version) & (arrays["quantity_nano"][row, at] == units.quantity)
    return is_same, usable & (quality == NOTHING)


def _in_order(units: Units, key: Ints, is_empty: Flags) -> tuple[Flags, Flags, Flags]:
    """Of the units whose slot is empty: those above all before them, exact repeats of one of those, and those out of order."""
    none = np.zeros(len(units), bool)
    at = np.flatnonzero(is_empty)
    keys = key[at]
    if (keys[1:] > keys[:-1]).all():
        return is_empty, none, none
    highest = np.maximum.accumulate(keys)
    rises = np.concatenate([[True], keys[1:] > highest[:-1]])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    placer = at[first[inverse]]
    is_repeat = placer != at
    same = (units.version[placer] == units.version[at]) & (units.quantity[placer] == units.quantity[at])
    is_new, repeats, out_of_order = none.copy(), none.copy(), none.copy()
    is_new[at[rises]] = True
    repeats[at[is_repeat & same]] = True
    out_of_order[at[~rises & ~is_repeat]] = True
    return is_new, repeats, out_of_order


def _running_latest(
    program: Program, standing: Standing, channel: Ints, key: Ints, is_new: Flags, earliest: int
) -> Ints:
    """`latest_end` after each unit."""
    highest = np.maximum.accumulate(np.where(is_new, key, channel << _SLOT_BITS)) & ((1 << _SLOT_BITS) - 1)
    end_ms = (highest - 1 + earliest + 1) * program.native_ms + program.anchor_ms
    latest: Ints = np.where(
        highest > 0, np.maximum(end_ms, standing.latest_end_ms[channel]), standing.latest_end_ms[channel]
    )
    return latest


def _first_of(flags: Flags, channel: Ints, default: Ints) -> Ints:
    """Per channel the first position that is flagged."""
    found = default.copy()
    at = np.flatnonzero(flags)[::-1]
    found[channel[at]] = at
    return found


def _can_rise_to(
    program: Program,
    standing: Standing,
    slot: Ints,
    is_new: Flags,
    channel: Ints,
    reached: Ints,
    first: Ints,
    after: Ints,
) -> Ints:
    """Per channel how far W may rise over ACTUAL reads alone, within what is covered."""
    watermark = standing.watermark_ms
    wanted = np.where(reached > first, after[np.maximum(reached - 1, 0)], watermark)
    covered = np.where(standing.covered_from_ms <= watermark, standing.covered_to_ms, watermark)
    low = (watermark - program.anchor_ms) // program.native_ms
    number = (wanted - watermark) // program.native_ms
    offset = np.cumsum(number) - number
    owner = np.repeat(np.arange(len(number)), number)
    span = np.arange(len(owner)) - offset[owner] + low[owner]
    arrays, row, at = program.slots.arrays, standing.slot_row[owner], span % program.slots.length
    filled = (arrays["quality"][row, at] == ACTUAL) & (arrays["evidence"][row, at] != 0)
    filled &= arrays["method"][row, at] == NONE
    placed = np.flatnonzero(is_new & (np.arange(len(channel)) < reached[channel]))
    placed = placed[slot[placed] < (low + number)[channel[placed]]]
    filled[offset[channel[placed]] + slot[placed] - low[channel[placed]]] = True
    hole = _first_of(~filled, owner, offset + number) - offset + low
    until = floor_to_window(program, hole * program.native_ms + program.anchor_ms)
    bound: Ints = np.minimum(np.where(hole < low + number, until, wanted), covered)
    return bound
