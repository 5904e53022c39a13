"""What the collector tells Prometheus of itself. Its own registry, so that collectors in one process do not meet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from edge_collector.breaker import BreakerState
from edge_collector.reading import ClockQuality

_LATENCIES_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_SKEWS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BREAKER: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class OutboxDepth(NamedTuple):
    """Entries that wait for delivery, and how old the oldest of them is."""

    entries: int
    age_s: float


class Metrics:
    """One collector's. Labels are names from the site, of which there are as many as meters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        of_device, of_link = ("link", "device"), ("link",)
        self._reads = Counter(
            "meterfold_edge_reads", "Requests that a unit answered.", of_device, registry=self.registry
        )
        self._failures = Counter(
            "meterfold_edge_failures",
            "Requests that brought nothing, by reason.",
            (*of_device, "reason"),
            registry=self.registry,
        )
        self._retries = Counter(
            "meterfold_edge_retries", "Blocks that were asked for again.", of_device, registry=self.registry
        )
        self._latency = Histogram(
            "meterfold_edge_latency_seconds",
            "From request to answer.",
            of_link,
            buckets=_LATENCIES_S,
            registry=self.registry,
        )
        self._guard = Counter(
            "meterfold_edge_guard",
            "What the late-answer guard stopped or did, by kind.",
            (*of_link, "kind"),
            registry=self.registry,
        )
        self._breaker = Gauge(
            "meterfold_edge_breaker", "0 asked, 1 probed next, 2 left alone.", of_device, registry=self.registry
        )
        self._skew = Histogram(
            "meterfold_edge_boundary_skew_seconds",
            "From the boundary to the middle of a billing read.",
            of_link,
            buckets=_SKEWS_S,
            registry=self.registry,
        )
        self._boundary = Gauge(
            "meterfold_edge_boundary_timestamp_seconds", "The last boundary polled.", of_link, registry=self.registry
        )
        self._is_synchronised = Gauge(
            "meterfold_edge_clock_synchronised", "1: a time source holds the clock.", registry=self.registry
        )
        self._offset = Gauge(
            "meterfold_edge_clock_offset_seconds", "The clock minus its source; NaN: not known.", registry=self.registry
        )
        self._published = Counter(
            "meterfold_edge_published", "Entries that stand in the log.", ("topic",), registry=self.registry
        )
        self._refused = Counter(
            "meterfold_edge_publish_failures", "Batches the log refused.", ("topic",), registry=self.registry
        )
        self._steps = Counter("meterfold_edge_clock_steps", "Steps of the wall clock.", registry=self.registry)

    def answered(self, link: str, device: str, latency_ms: float) -> None:
        self._reads.labels(link, device).inc()
        self._latency.labels(link).observe(latency_ms / 1000)

    def failed(self, link: str, device: str, reason: str) -> None:
        self._failures.labels(link, device, reason).inc()

    def retried(self, link: str, device: str) -> None:
        self._retries.labels(link, device).inc()

    def guarded(self, link: str, kind: str) -> None:
        """The guard stopped an answer, or read around one that is owed."""
        self._guard.labels(link, kind).inc()

    def breaker(self, link: str, device: str, state: BreakerState) -> None:
        self._breaker.labels(link, device).set(_BREAKER[state])

    def polled(self, link: str, boundary_ms: int) -> None:
        self._boundary.labels(link).set(boundary_ms / 1000)

    def skewed(self, link: str, skew_ms: float) -> None:
        """A billing read stands so far from its boundary."""
        self._skew.labels(link).observe(max(skew_ms, 0) / 1000)

    def clock(self, quality: ClockQuality) -> None:
        self._is_synchronised.set(quality.is_synchronised)
        self._offset.set(float("nan") if quality.offset_ms is None else quality.offset_ms / 1000)

    def stepped(self) -> None:
        self._steps.inc()

    def watch_outbox(self, depth: Callable[[], OutboxDepth]) -> None:
        """Depth and age are asked for at each scrape."""
        entries = Gauge("meterfold_edge_outbox_entries", "Entries that wait for delivery.", registry=self.registry)
        age = Gauge("meterfold_edge_outbox_age_seconds", "Age of the oldest of them.", registry=self.registry)
        entries.set_function(lambda: depth().entries)
        age.set_function(lambda: depth().age_s)

    def published(self, topic: str, entries: int) -> None:
        """A batch stands in the log (`publishing.Watcher`)."""
        self._published.labels(topic).inc(entries)

    def refused(self, topic: str, reason: str) -> None:
        """A batch does not; the reason is logged and kept, there are too many to count by."""
        self._refused.labels(topic).inc()

    def forget(self, link: str, device: str) -> None:
        """A unit that left the site."""
        self._breaker.remove(link, device)

    def serve(self, port: int, address: str = "0.0.0.0") -> Callable[[], None]:
        """Answer scrapes on a port, from a thread of its own; what is returned ends that. OSError when the port is taken."""
        server, thread = start_http_server(port, address, self.registry)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return stop
