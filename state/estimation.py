"""Filling a hole: the first rule that gives a value (docs/rules.md section 7). An estimate is not evidence."""

from typing import Final, NamedTuple

from state.channel import Channel
from state.codes import (
    ESTIMATED,
    INTERPOLATED,
    LIKE_DAY,
    NO_REASON,
    NO_REFERENCE,
    POLICY_REFUSES,
    REGISTER_BRACKETED,
)
from state.registers import Segment


class Estimate(NamedTuple):
    """A value for a hole, or None with the reason there is none."""

    slot: int
    quantity_nano: int | None
    method: int
    reason: int


Bracket = tuple[int, int, int, int, str]
"""(start, end, total, nano per count, device) of a check segment whose both ends are grid points."""
Shares = dict[Bracket, dict[int, int] | None]

NO_SHARES: Final[Shares] = {}


def as_bracket(channel: Channel, segment: Segment) -> Bracket | None:
    """The segment as a bracket of the channel, None if an end is off the native grid."""
    native = channel.definition.native
    for at in (segment.start_ms, segment.end_ms):
        if native.start_ms(native.slot_of(at)) != at:
            return None
    return segment.start_ms, segment.end_ms, segment.total_nano, segment.span.nano_per_count, segment.span.device


def estimate(channel: Channel, hole: int, brackets: list[Bracket], rising_to_ms: int, shares: Shares) -> Estimate:
    """Estimate one slot; `shares` keeps what brackets of this rise have already been worked out to."""
    bracketed = _register_bracketed(channel, hole, brackets, rising_to_ms, shares)
    if bracketed is not None:
        return Estimate(hole, bracketed, REGISTER_BRACKETED, NO_REASON)
    interpolated = _interpolated(channel, hole)
    if interpolated is not None:
        return Estimate(hole, interpolated, INTERPOLATED, NO_REASON)
    like = like_day(channel, hole)
    if like is not None:
        return Estimate(hole, like, LIKE_DAY, NO_REASON)
    return Estimate(hole, None, 0, POLICY_REFUSES if channel.definition.policy.like_days is None else NO_REFERENCE)


def place(channel: Channel, found: Estimate) -> None:
    """Put an estimate, or an explicit MISSING, into its slot."""
    channel.touch(found.slot)
    if found.quantity_nano is None:
        channel.slots.put_missing(found.slot, found.reason)
    else:
        channel.slots.put(found.slot, found.quantity_nano, ESTIMATED, found.method, evidence=0)


# -- between two registers ------------------------------------------------------------------------------------------


def _register_bracketed(
    channel: Channel, hole: int, brackets: list[Bracket], rising_to_ms: int, shares: Shares
) -> int | None:
    start_ms = channel.definition.native.start_ms(hole)
    around = [
        bracket
        for bracket in brackets
        if bracket[0] <= start_ms < bracket[1] <= rising_to_ms and bracket[0] >= channel.reference_ms
    ]
    if not around:
        return None
    bracket = max(around, key=lambda item: (item[0], -item[1]))
    if bracket not in shares:
        shares[bracket] = share_out(channel, bracket)
    found = shares[bracket]
    return None if found is None else found.get(hole)


def share_out(channel: Channel, bracket: Bracket) -> dict[int, int] | None:
    """What is left of a bracket's total after its evidence, handed out to its holes so that it adds up exactly.

    None if a slot of it is not expected, the evidence exceeds the total, or a share leaves the bound.
    """
    native = channel.definition.native
    slots = range(native.slot_of(bracket[0]), native.slot_of(bracket[1]))
    if not all(channel.expects(slot) for slot in slots):
        return None
    contents = {slot: channel.slots.get(slot) for slot in slots}
    holes = [slot for slot, content in contents.items() if not content.evidence]
    left = bracket[2] - sum(content.quantity_nano for content in contents.values() if content.evidence)
    if left < 0:
        return None
    found = _by_weight(left, holes, _weights(channel, holes))
    return found if all(channel.fits(share) for share in found.values()) else None


def _weights(channel: Channel, holes: list[int]) -> list[int]:
    like = [like_day(channel, hole) for hole in holes]
    known = [weight for weight in like if weight is not None and weight >= 0]
    return known if len(known) == len(holes) and sum(known) > 0 else [1] * len(holes)


def _by_weight(total: int, holes: list[int], weights: list[int]) -> dict[int, int]:
    """Cumulative floor: the i-th share is total × P(i+1) // P − total × P(i) // P."""
    whole, before = sum(weights), 0
    found = {}
    for hole, weight in zip(holes, weights, strict=True):
        found[hole] = total * (before + weight) // whole - total * before // whole
        before += weight
    return found


# -- between two neighbours -----------------------------------------------------------------------------------------


def _interpolated(channel: Channel, hole: int) -> int | None:
    longest_s = channel.definition.policy.interpolate_max_s
    if longest_s is None:
        return None
    most = longest_s * 1000 // channel.definition.native.nominal_ms
    first = _edge_of_run(channel, hole, -1, most)
    last = _edge_of_run(channel, hole, 1, most)
    length = last - first + 1
    if length > most or not (channel.holds(first - 1, ESTIMATED) and channel.holds(last + 1, ESTIMATED)):
        return None
    before, after = channel.slots.get(first - 1).quantity_nano, channel.slots.get(last + 1).quantity_nano
    return before + (after - before) * (hole - first + 1) // (length + 1)


def _edge_of_run(channel: Channel, hole: int, step: int, most: int) -> int:
    """The last slot of the run in one direction; looking further than `most` slots is no use."""
    slot = hole
    for _ in range(most):
        beyond = slot + step
        if beyond < channel.reference_slot or channel.slots.get(beyond).evidence:
            break
        if channel.definition.native.start_ms(beyond) >= channel.ahead_ms or not channel.expects(beyond):
            break
        slot = beyond
    return slot


# -- as on days like this one ---------------------------------------------------------------------------------------


def like_day(channel: Channel, hole: int) -> int | None:
    """The mean, by floor, of the same wall time on the nearest earlier days of the same type; None without any."""
    wanted = channel.definition.policy.like_days
    if wanted is None:
        return None
    found: list[int] = []
    for slot in _same_time_on_like_days(channel, hole):
        if channel.holds(slot, ESTIMATED):
            found.append(channel.slots.get(slot).quantity_nano)
            if len(found) == wanted:
                break
    return sum(found) // len(found) if found else None


def _same_time_on_like_days(channel: Channel, hole: int) -> list[int]:
    definition = channel.definition
    calendar, native = definition.calendar, definition.native
    start_ms = native.start_ms(hole)
    today = calendar.local_day(start_ms)
    kind = calendar.day_type(today)
    found = []
    for days_back in range(1, definition.horizon_days + 1):
        if calendar.day_type(today - days_back) != kind:
            continue
        at = calendar.same_wall_time(start_ms, days_back)
        if definition.interval_s == "LOCAL_DAY":
            found.append(hole - days_back)
        elif at is not None and native.start_ms(native.slot_of(at)) == at:
            found.append(native.slot_of(at))
    return found
