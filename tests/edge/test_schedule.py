"""Boundaries under clocks that run, leap and fall; and the order of units."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_collector.breaker import Breaker, BreakerRules
from edge_collector.schedule import MOST_PROBES, Boundaries, ClockMark, Due, boundary_before, living, to_probe

INTERVAL_MS = 900_000
START_MS = 1_767_225_600_000

passing = st.lists(
    st.one_of(st.integers(0, 2 * INTERVAL_MS), st.integers(-20 * INTERVAL_MS, 20 * INTERVAL_MS)), max_size=60
)
"""How far the wall clock moves between one look and the next: on, or by a step."""


def at(number: float) -> int:
    return START_MS + round(number * INTERVAL_MS)


@given(passing)
def test_no_boundary_is_polled_twice_however_the_clock_moves(moves: list[int]) -> None:
    boundaries, now_ms, polled = Boundaries(INTERVAL_MS), START_MS, []
    for move in moves:
        now_ms += move
        if due := boundaries.due(now_ms):
            assert due.boundary_ms == boundary_before(now_ms, INTERVAL_MS)
            polled.append(due.boundary_ms)
    assert len(polled) == len(set(polled))


@given(st.lists(st.integers(1, 3 * INTERVAL_MS), max_size=60))
def test_every_boundary_of_a_clock_that_only_runs_is_polled_or_said_to_be_skipped(moves: list[int]) -> None:
    boundaries, now_ms = Boundaries(INTERVAL_MS), START_MS
    seen: list[int] = []
    for move in [0, *moves]:
        now_ms += move
        if due := boundaries.due(now_ms):
            if due.skipped:
                seen += range(due.skipped[0], due.skipped[1] + 1, INTERVAL_MS)
            seen.append(due.boundary_ms)
    assert seen == list(range(START_MS, now_ms + 1, INTERVAL_MS))


@given(passing, st.integers(0, 50 * INTERVAL_MS))
def test_the_next_boundary_is_ahead_and_was_not_polled(moves: list[int], later: int) -> None:
    boundaries, now_ms = Boundaries(INTERVAL_MS), START_MS
    for move in moves:
        now_ms += move
        boundaries.due(now_ms)
    now_ms += later - 25 * INTERVAL_MS
    next_ms = boundaries.next_ms(now_ms)
    assert next_ms > now_ms
    assert next_ms % INTERVAL_MS == 0
    due = boundaries.due(next_ms)
    assert due is not None
    assert due.boundary_ms == next_ms


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        ([0.1, 0.9, 1.0], [Due(at(0), None), None, Due(at(1), None)]),
        ([0.0, 3.2], [Due(at(0), None), Due(at(3), (at(1), at(2)))]),
        ([5.0, 4.0, 5.5, 6.0], [Due(at(5), None), Due(at(4), None), None, Due(at(6), None)]),
        ([1.0, 9.0, 2.0, 3.0], [Due(at(1), None), Due(at(9), (at(2), at(8))), Due(at(2), None), Due(at(3), None)]),
    ],
)
def test_by_example(looks: list[float], expected: list[Due | None]) -> None:
    boundaries = Boundaries(INTERVAL_MS)
    assert [boundaries.due(at(look)) for look in looks] == expected


def test_a_restart_knows_what_was_polled_and_says_what_was_missed() -> None:
    assert Boundaries(INTERVAL_MS, at(4)).due(at(4.9)) is None
    late = Boundaries(INTERVAL_MS, at(4))
    late.pass_over(at(6.5))
    assert late.due(at(6.9)) is None
    assert late.due(at(7)) == Due(at(7), (at(5), at(6)))


@pytest.mark.parametrize(
    ("wall_ms", "monotonic_ms", "step_ms"),
    [
        (900_000, 900_000, 0),
        (900_450, 900_000, 0),
        (1_020_000, 900_000, 120_000),
        (-100, 20_000, -20_100),
        (20_400, 20_000, 0),
    ],
)
def test_a_step_is_what_slewing_does_not_explain(wall_ms: int, monotonic_ms: float, step_ms: int) -> None:
    start = ClockMark(START_MS, 5_000)
    assert start.stepped_ms(ClockMark(START_MS + wall_ms, 5_000 + monotonic_ms)) == step_ms


@dataclass
class Unit:
    name: str
    breaker: Breaker = field(default_factory=lambda: Breaker(BreakerRules(1, 100, 1000)))


@given(st.lists(st.one_of(st.none(), st.integers(0, 500)), max_size=12), st.integers(0, 700))
def test_the_living_keep_their_order_and_few_of_the_dead_are_asked_oldest_first(
    died_at: list[int | None], now_ms: int
) -> None:
    units = [Unit(str(number)) for number in range(len(died_at))]
    for unit, at_ms in zip(units, died_at, strict=True):
        if at_ms is not None:
            unit.breaker.failed(at_ms)
    assert [unit.name for unit in living(units)] == [unit.name for unit in units if unit.breaker.is_closed]
    probed = to_probe(units, now_ms)
    ready = sorted(at_ms for at_ms in died_at if at_ms is not None and at_ms + 100 <= now_ms)
    assert [unit.breaker.probe_after_ms for unit in probed] == [at_ms + 100 for at_ms in ready[:MOST_PROBES]]


def test_who_failed_last_time_is_asked_last() -> None:
    units = [Unit(name, Breaker(BreakerRules(3, 100, 1000))) for name in "abcd"]
    for unit in units[::2]:
        unit.breaker.failed(0)
    assert [unit.name for unit in living(units)] == ["b", "d", "a", "c"]
    units[0].breaker.succeeded()
    assert [unit.name for unit in living(units)] == ["a", "b", "d", "c"]
