"""What a scrape finds."""

from __future__ import annotations

import socket
from urllib.request import urlopen

from edge_collector.breaker import BreakerState
from edge_collector.metrics import Metrics, OutboxDepth
from edge_collector.reading import ClockQuality


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scraped(metrics: Metrics) -> dict[str, float]:
    port = free_port()
    stop = metrics.serve(port, "127.0.0.1")
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            lines = page.read().decode().splitlines()
    finally:
        stop()
    return {
        name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if not line.startswith("#"))
    }


def test_everything_that_is_told_can_be_scraped() -> None:
    metrics = Metrics()
    metrics.answered("riser", "M-1", 20)
    metrics.answered("riser", "M-1", 700)
    metrics.failed("riser", "M-2", "no_answer")
    metrics.retried("riser", "M-2")
    metrics.guarded("riser", "wrong_length")
    metrics.breaker("riser", "M-2", BreakerState.OPEN)
    metrics.skewed("riser", 40)
    metrics.polled("riser", 900_000)
    metrics.clock(ClockQuality(True, -30, 5))
    metrics.stepped()
    metrics.published("reads.raw", 12)
    metrics.refused("reads.raw", "no route")
    metrics.watch_outbox(lambda: OutboxDepth(7, 90.5))
    found = scraped(metrics)
    of_m1, of_m2, of_riser = 'link="riser",device="M-1"', 'link="riser",device="M-2"', 'link="riser"'
    expected = {
        f"reads_total{{{swapped(of_m1)}}}": 2,
        f'failures_total{{{swapped(of_m2)},reason="no_answer"}}': 1,
        f"retries_total{{{swapped(of_m2)}}}": 1,
        f'latency_seconds_bucket{{le="0.025",{of_riser}}}': 1,
        f'latency_seconds_bucket{{le="1.0",{of_riser}}}': 2,
        'guard_total{kind="wrong_length",link="riser"}': 1,
        f"breaker{{{swapped(of_m2)}}}": 2,
        f'boundary_skew_seconds_bucket{{le="0.05",{of_riser}}}': 1,
        f"boundary_timestamp_seconds{{{of_riser}}}": 900,
        "clock_synchronised": 1,
        "clock_offset_seconds": -0.03,
        "clock_steps_total": 1,
        'published_total{topic="reads.raw"}': 12,
        'publish_failures_total{topic="reads.raw"}': 1,
        "outbox_entries": 7,
        "outbox_age_seconds": 90.5,
    }
    assert {name: found.get(f"meterfold_edge_{name}") for name in expected} == expected


def swapped(labels: str) -> str:
    """As the page orders them, by name."""
    return ",".join(sorted(labels.split(",")))


def test_collectors_in_one_process_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.stepped()
    assert other.registry.get_sample_value("meterfold_edge_clock_steps_total") == 0


def test_a_unit_that_left_has_no_breaker() -> None:
    metrics = Metrics()
    metrics.breaker("riser", "M-2", BreakerState.OPEN)
    metrics.forget("riser", "M-2")
    assert metrics.registry.get_sample_value("meterfold_edge_breaker", {"link": "riser", "device": "M-2"}) is None
    metrics.forget("riser", "never-polled")
