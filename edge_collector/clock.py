"""Time as an argument: the collector asks a clock, which in tests and demonstrations is not the world's."""

from typing import Protocol

from edge_collector.reading import ClockQuality


class Clock(Protocol):
    """Wall clock for stamps, monotonic clock for spans; the two drift apart when the wall clock is stepped."""

    def now_ms(self) -> int:
        """Milliseconds of UTC by the wall clock."""
        ...

    def monotonic_ms(self) -> float:
        """Milliseconds since some instant, never stepped."""
        ...

    async def sleep_until(self, at_ms: int) -> None:
        """Return when the wall clock shows `at_ms` or more; a stepped clock wakes the sleeper within a second."""
        ...

    async def sleep(self, span_ms: float) -> None:
        """Return after a span of the monotonic clock."""
        ...

    def quality(self) -> ClockQuality:
        """How well the wall clock is held by its time source now."""
        ...
