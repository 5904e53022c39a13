"""Validation of a value that is in force: findings, the value untouched (docs/rules.md section 3)."""

from typing import Final

from state.channel import Channel
from state.codes import DAY_MS, ESTIMATED, HOUR_MS
from state.configuration import RegisterSpan
from state.grid import LOCAL_DAY

SPIKE_REFERENCES: Final = 7
"""The fewest references that a spike is judged against."""
SPIKE_DAYS: Final = range(1, 15)

FIRED, SILENT, COULD_NOT_RUN = "fired", "silent", "could_not_run"


def value_checks(channel: Channel, slot: int, span: RegisterSpan) -> tuple[list[str], list[str]]:
    """(ids of the checks that failed, ids of those that could not run), each sorted."""
    outcomes = {
        "capacity": _capacity(channel, slot, span),
        "negative": _negative(channel, slot),
        "spike": _spike(channel, slot),
        "zero_run": _zero_run(channel, slot),
    }
    failed = [check for check, outcome in outcomes.items() if outcome == FIRED]
    return failed, [check for check, outcome in outcomes.items() if outcome == COULD_NOT_RUN]


def _negative(channel: Channel, slot: int) -> str:
    if channel.definition.signed:
        return COULD_NOT_RUN
    return FIRED if channel.slots.get(slot).quantity_nano < 0 else SILENT


def _capacity(channel: Channel, slot: int, span: RegisterSpan) -> str:
    most = span.max_nano_per_hour
    if most is None:
        return COULD_NOT_RUN
    native = channel.definition.native
    length_ms = native.start_ms(slot + 1) - native.start_ms(slot)
    quantity = abs(channel.slots.get(slot).quantity_nano)
    return FIRED if quantity * HOUR_MS > most * length_ms else SILENT


def _spike(channel: Channel, slot: int) -> str:
    factor = channel.definition.policy.spike_factor
    if factor is None:
        return COULD_NOT_RUN
    step = 1 if channel.definition.interval_s == LOCAL_DAY else DAY_MS // channel.definition.native.nominal_ms
    first = channel.reference_slot
    earlier = [channel.slots.get(slot - days * step) for days in SPIKE_DAYS if slot - days * step >= first]
    references = [held.quantity_nano for held in earlier if held.evidence and held.quality > ESTIMATED]
    if len(references) < SPIKE_REFERENCES:
        return COULD_NOT_RUN
    median = _lower_median(references)
    deviation = _lower_median([abs(value - median) for value in references])
    distance = abs(channel.slots.get(slot).quantity_nano - median)
    return FIRED if distance > factor * deviation and distance > abs(median) else SILENT


def _lower_median(values: list[int]) -> int:
    return sorted(values)[(len(values) - 1) // 2]


def _zero_run(channel: Channel, slot: int) -> str:
    longest_s = channel.definition.policy.zero_run_s
    if longest_s is None:
        return COULD_NOT_RUN
    if channel.slots.get(slot).quantity_nano:
        return SILENT
    wanted = max(longest_s * 1000 // channel.definition.native.nominal_ms, 1)
    first = max(slot - wanted, channel.reference_slot)
    run = 0
    for earlier in range(slot, first - 1, -1):
        held = channel.slots.get(earlier)
        if not held.evidence or held.quantity_nano:
            break
        run += 1
    return FIRED if run == wanted else SILENT
