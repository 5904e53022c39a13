"""state/checks.py: validation of a value that is in force. Outcomes are bits: check number n is 1 << n."""

from state.checks import SPIKE_DAYS, SPIKE_REFERENCES
from state.codes import ESTIMATED
from state.columnar.channel import slot_at, slots_of
from state.columnar.layout import CAPACITY, NEGATIVE, NO_LIMIT, SPIKE, ZERO_RUN, Ints, Row, World
from state.columnar.ring_pages import contents
from state.compiling import compiled_in_place, compiled_inside

_DAYS = len(SPIKE_DAYS)
_VALUES_AT, _DISTANCES_AT = 0, _DAYS
"""Where the references of a spike and their distances from the median lie in the scratch."""


@compiled_in_place
def value_checks(world: World, channel: Row, slot: int, capacity_nano: int) -> tuple[int, int]:
    """(checks that failed, checks that could not run)."""
    quantity_nano = slot_at(world, channel, slot).quantity_nano
    failed, not_run = 0, 0
    if capacity_nano == NO_LIMIT:
        not_run |= 1 << CAPACITY
    elif abs(quantity_nano) > capacity_nano:
        failed |= 1 << CAPACITY
    if channel.signed:
        not_run |= 1 << NEGATIVE
    elif quantity_nano < 0:
        failed |= 1 << NEGATIVE
    number = _references(world, channel, slot) if channel.spike_factor else 0
    if number < SPIKE_REFERENCES:
        not_run |= 1 << SPIKE
    elif _is_spike(world.scratch, number, quantity_nano, channel.spike_factor):
        failed |= 1 << SPIKE
    if channel.zero_run == 0:
        not_run |= 1 << ZERO_RUN
    elif quantity_nano == 0 and _zeros(world, channel, slot) == channel.zero_run:
        failed |= 1 << ZERO_RUN
    return failed, not_run


@compiled_in_place
def _references(world: World, channel: Row, slot: int) -> int:
    """Gather in the scratch what the same slots of earlier days hold; returns how many."""
    step = channel.slots_per_day
    ring, at = slots_of(channel), slot % channel.slots_length
    number = 0
    for days in range(1, _DAYS + 1):
        if slot - days * step < channel.reference_slot:
            break
        at -= step
        if at < 0:
            at += channel.slots_length
        held = contents(world.rings, ring, at)
        if held.evidence != 0 and held.quality > ESTIMATED:
            world.scratch[_VALUES_AT + number] = held.quantity_nano
            number += 1
    return number


@compiled_in_place
def _is_spike(scratch: Ints, number: int, quantity_nano: int, factor: int) -> bool:
    median = _lower_median(scratch, _VALUES_AT, number)
    distance = abs(quantity_nano - median)
    if distance <= abs(median):
        return False
    for at in range(number):
        scratch[_DISTANCES_AT + at] = abs(scratch[_VALUES_AT + at] - median)
    deviation = _lower_median(scratch, _DISTANCES_AT, number)
    return (distance - 1) // factor >= deviation  # distance > factor × deviation, without the product


@compiled_inside
def _lower_median(scratch: Ints, first: int, number: int) -> int:
    """Sort some numbers of the scratch where they lie; returns the one at (n − 1) // 2."""
    for at in range(first + 1, first + number):
        value, free = scratch[at], at
        while free > first and scratch[free - 1] > value:
            scratch[free] = scratch[free - 1]
            free -= 1
        scratch[free] = value
    return scratch[first + (number - 1) // 2]


@compiled_in_place
def _zeros(world: World, channel: Row, slot: int) -> int:
    """How many slots that end with this one hold evidence of zero, looking one further than the check wants at most."""
    first = max(slot - channel.zero_run, channel.reference_slot)
    run = 0
    for earlier in range(slot, first - 1, -1):
        held = slot_at(world, channel, earlier)
        if held.evidence == 0 or held.quantity_nano != 0:
            break
        run += 1
    return run
