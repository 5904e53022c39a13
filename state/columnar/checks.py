"""The value checks of state/checks.py over columns. They look back only, so they may run when all are in their slots."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from state.checks import SPIKE_DAYS, SPIKE_REFERENCES
from state.codes import DAY_MS, ESTIMATED
from state.columnar.judging import Judged, Standing, floor_to_window
from state.columnar.lanes import NO_LIMIT, Program
from state.columnar.units import Flags, Ints, Steps

CHECKS: Final = ("capacity", "negative", "spike", "zero_run")
"""Sorted, as they are listed; a check's bit in a mask is its position."""
WORDS: Final = tuple(tuple(name for bit, name in enumerate(CHECKS) if mask >> bit & 1) for mask in range(16))
"""The names in a mask."""
_BIGGEST: Final = np.iinfo(np.int64).max


@dataclass(slots=True)
class Outcome:
    """Per unit a mask of the checks that failed and of those that could not run."""

    failed: Ints
    not_run: Ints


def value_checks(program: Program, standing: Standing, steps: Steps, judged: Judged, at: Ints) -> Outcome:
    """Check the new units at some positions."""
    slot, channel = judged.slot[at], judged.channel[at]
    quantity = judged.units.quantity[at]
    row = standing.slot_row[channel]
    reference_ms = floor_to_window(program, judged.before_ms[at] - program.horizon_ms)
    reference = (reference_ms - program.anchor_ms) // program.native_ms
    lanes = steps.lane[judged.units.step[at]]
    capacity = np.array([lane.capacity_nano for lane in steps.lanes], np.int64)[lanes]
    off = np.zeros(len(at), bool)
    outcomes = (
        ((capacity != NO_LIMIT) & (np.abs(quantity) > capacity), capacity == NO_LIMIT),
        (off, ~off) if program.signed else (quantity < 0, off),
        (off, ~off) if program.spike_factor is None else _spike(program, row, slot, reference, quantity),
        (off, ~off) if program.zero_run is None else (_zero_run(program, row, slot, reference, quantity), off),
    )
    failed, not_run = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    for bit, (fired, could_not) in enumerate(outcomes):
        failed |= fired.astype(np.int64) << bit
        not_run |= could_not.astype(np.int64) << bit
    return Outcome(failed, not_run)


def _spike(program: Program, row: Ints, slot: Ints, reference: Ints, quantity: Ints) -> tuple[Flags, Flags]:
    """(fired, could not run)."""
    assert program.spike_factor is not None
    arrays, length = program.slots.arrays, program.slots.length
    earlier = slot[:, None] - SPIKE_DAYS * (DAY_MS // program.native_ms)
    rows, at = row[:, None], earlier % length
    counts = (earlier >= reference[:, None]) & (arrays["evidence"][rows, at] != 0)
    counts &= arrays["quality"][rows, at] > ESTIMATED
    number = counts.sum(axis=1)
    values = arrays["quantity_nano"][rows, at]
    median = _lower_median(values, counts, number)
    deviation = _lower_median(np.abs(values - median[:, None]), counts, number)
    distance = np.abs(quantity - median)
    enough = number >= SPIKE_REFERENCES
    # distance > factor × deviation, without the product
    fired = enough & ((distance - 1) // program.spike_factor >= deviation) & (distance > np.abs(median))
    return fired, ~enough


def _lower_median(values: Ints, counts: Flags, number: Ints) -> Ints:
    """Of each row's values that count, the one at (n − 1) // 2 in order; whatever where none does."""
    ordered = np.sort(np.where(counts, values, _BIGGEST), axis=1)
    found: Ints = np.where(number > 0, ordered[np.arange(len(number)), np.maximum(number - 1, 0) // 2], 0)
    return found


def _zero_run(program: Program, row: Ints, slot: Ints, reference: Ints, quantity: Ints) -> Flags:
    assert program.zero_run is not None
    fired = np.zeros(len(slot), bool)
    zeros = np.flatnonzero(quantity == 0)
    if not len(zeros):
        return fired
    arrays, length = program.slots.arrays, program.slots.length
    back = slot[zeros, None] - np.arange(program.zero_run + 1)  # the slot itself, then those before it
    rows, at = row[zeros, None], back % length
    is_zero = (arrays["evidence"][rows, at] != 0) & (arrays["quantity_nano"][rows, at] == 0)
    is_zero &= back >= reference[zeros, None]
    run = np.where(is_zero.all(axis=1), program.zero_run + 1, np.argmin(is_zero, axis=1))
    fired[zeros] = run == program.zero_run
    return fired
