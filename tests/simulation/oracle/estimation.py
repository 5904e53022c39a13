"""What stands in a hole: the first rule that gives a value (rules, section 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.simulation.oracle.model import Channel, Segment, Stream, SupplyPoint, Value

Shares = dict[int, int]  # slot start -> quantity


class Estimator:
    """Estimates holes of one channel in one rise of its watermark, or in one settling, up to an instant."""

    def __init__(self, point: SupplyPoint, channel: Channel, until: int) -> None:
        self.channel = channel
        self.brackets = [bracket for _, bracket in brackets_of(point, channel) if bracket.end <= until]
        self._shares: dict[Segment, Shares | None] = {}

    def estimate(self, start: int) -> Value:
        """The value of one expected slot without evidence."""
        rules: tuple[tuple[str, Callable[[int], int | None]], ...] = (
            ("REGISTER_BRACKETED", self.bracketed),
            ("INTERPOLATED", self.interpolated),
            ("LIKE_DAY", self.like_day),
        )
        for method, rule in rules:
            quantity = rule(start)
            if quantity is not None:
                return Value(quantity, "ESTIMATED", method, is_evidence=False)
        reason = "POLICY_REFUSES" if self.channel.definition.like_days is None else "NO_REFERENCE"
        return Value(0, "MISSING", "NONE", is_evidence=False, missing_reason=reason)

    # --- rule 1

    def bracketed(self, start: int) -> int | None:
        """The slot's share of a known total around it: of the latest-starting, then the shortest."""
        base = _known(self.channel.base)
        around = [bracket for bracket in self.brackets if base <= bracket.start <= start < bracket.end]
        if not around:
            return None
        bracket = max(around, key=lambda bracket: (bracket.start, -bracket.end))
        if bracket not in self._shares:
            self._shares[bracket] = self.shares_of(bracket)
        shares = self._shares[bracket]
        return None if shares is None else shares[start]

    def shares_of(self, bracket: Segment) -> Shares | None:
        """What is left of a bracket's total, over its slots without evidence, so that the parts add up to it exactly."""
        slots = list(self.channel.slots.starts(bracket.start, bracket.end))
        rest = rest_of(self.channel, bracket)
        if rest < 0 or not all(self.channel.expects(slot) for slot in slots):
            return None
        empty = [slot for slot in slots if self.channel.evidence(slot) is None]
        shares = apportion(rest, empty, self.weights(empty))
        return shares if all(self.channel.definition.is_within(share) for share in shares.values()) else None

    def weights(self, slots: list[int]) -> list[int]:
        """Like-day values if every slot has one and they can serve as weights; else all the same."""
        likely = [self.like_day(slot) for slot in slots]
        known = [quantity for quantity in likely if quantity is not None and quantity >= 0]
        return known if len(known) == len(slots) and sum(known) > 0 else [1] * len(slots)

    # --- rule 2

    def interpolated(self, start: int) -> int | None:
        """On the straight line between the firm values on both sides of a short run of holes."""
        limit = self.channel.definition.interpolate_max_ms
        if limit is None:
            return None
        grid = self.channel.slots
        before = self._first_firm_end(start, -1, limit // grid.length)
        after = self._first_firm_end(start, 1, limit // grid.length)
        if before is None or after is None:
            return None
        run = before[0] + after[0] - 1
        if run * grid.length > limit:
            return None
        return before[1] + (after[1] - before[1]) * before[0] // (run + 1)

    def _first_firm_end(self, start: int, step: int, most: int) -> tuple[int, int] | None:
        """How many steps away the run of holes ends, and the firm quantity there; None if there is none in reach."""
        slot = start
        for distance in range(1, most + 1):
            slot = self.channel.slots.after(slot, step)
            if not self._is_hole(slot):
                quantity = self.channel.firm(slot)
                return None if quantity is None else (distance, quantity)
        return None

    def _is_hole(self, slot: int) -> bool:
        channel = self.channel
        return slot >= _known(channel.base) and channel.expects(slot) and channel.evidence(slot) is None

    # --- rule 3

    def like_day(self, start: int) -> int | None:
        """The mean of the nearest earlier days of the same type at the same wall time."""
        wanted = self.channel.definition.like_days
        if wanted is None:
            return None
        found: list[int] = []
        for slot in self._like_slots(start):
            quantity = self.channel.firm(slot) if slot >= _known(self.channel.base) else None
            if quantity is not None:
                found.append(quantity)
            if len(found) == wanted:
                break
        return sum(found) // len(found) if found else None

    def _like_slots(self, start: int) -> Iterable[int]:
        """The same wall time on earlier days of the same type, nearest first."""
        grid, calendar = self.channel.slots, self.channel.slots.calendar
        today = calendar.day_of(start)
        for back in range(1, self.channel.definition.horizon_days + 1):
            if calendar.day_type(today - back) != calendar.day_type(today):
                continue
            slot = grid.after(start, -back) if grid.local_day else calendar.same_wall_time(start, back)
            if slot is not None:
                yield slot


def apportion(total: int, slots: list[int], weights: list[int]) -> Shares:
    """Differences of the floored cumulative shares: they add up to the total."""
    shares: Shares = {}
    whole, running = sum(weights), 0
    for slot, weight in zip(slots, weights, strict=True):
        shares[slot] = total * (running + weight) // whole - total * running // whole
        running += weight
    return shares


def rest_of(channel: Channel, bracket: Segment) -> int:
    """What a bracket's total leaves for its slots without evidence."""
    evidence = [channel.evidence(slot) for slot in channel.slots.starts(bracket.start, bracket.end)]
    return bracket.total - sum(value.quantity for value in evidence if value is not None)


def brackets_of(point: SupplyPoint, channel: Channel) -> list[tuple[Stream, Segment]]:
    """The segments of check registers whose ends are both native grid points, and the streams they are of."""
    return [
        (stream, segment)
        for stream in point.streams_of(channel, "check")
        for segment in stream.segments
        if is_bracket(channel, segment)
    ]


def is_bracket(channel: Channel, segment: Segment) -> bool:
    if segment.span.channel != channel.name or segment.span.role != "check":
        return False
    return channel.slots.is_point(segment.start) and channel.slots.is_point(segment.end)


def _known(base: int | None) -> int:
    """The base of a channel that has one: nothing is estimated in a channel that never expected anything."""
    assert base is not None
    return base
