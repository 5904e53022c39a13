"""The breaker, by tables of events."""

from __future__ import annotations

import pytest

from edge_collector.breaker import Breaker, BreakerRules, BreakerState

RULES = BreakerRules(failures_to_open=3, first_probe_ms=100, longest_probe_ms=500)
CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


@pytest.mark.parametrize(
    "events",
    [
        [("ask", 0, CLOSED), ("fail", 0, CLOSED), ("fail", 1, CLOSED), ("fail", 2, OPEN), ("ask", 101, OPEN), ("ask", 102, HALF_OPEN)],
        [("fail", 0, CLOSED), ("fail", 1, CLOSED), ("answer", 2, CLOSED), ("fail", 3, CLOSED), ("fail", 4, CLOSED), ("fail", 5, OPEN)],
        [("fail", 0, CLOSED), ("fail", 0, CLOSED), ("fail", 0, OPEN), ("answer", 100, CLOSED), ("fail", 101, CLOSED)],
    ],
)  # fmt: skip
def test_states(events: list[tuple[str, float, BreakerState]]) -> None:
    breaker = Breaker(RULES)
    for event, at_ms, expected in events:
        if event == "fail":
            breaker.failed(at_ms)
        elif event == "answer":
            breaker.succeeded()
        assert breaker.state(at_ms) is expected, (event, at_ms)


def test_probes_become_rarer_up_to_a_bound_and_begin_anew_after_an_answer() -> None:
    breaker, at_ms, waits = Breaker(RULES), 0.0, []
    for _ in range(3):
        breaker.failed(at_ms)
    for _ in range(5):
        assert breaker.probe_after_ms is not None
        waits.append(breaker.probe_after_ms - at_ms)
        at_ms = breaker.probe_after_ms
        breaker.failed(at_ms)
    assert waits == [100, 200, 400, 500, 500]
    breaker.succeeded()
    assert breaker.is_closed
    for _ in range(3):
        breaker.failed(at_ms)
    assert breaker.probe_after_ms == at_ms + 100
