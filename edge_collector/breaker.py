"""Whether a unit is worth asking: so that a dead one costs its line one timeout a probe. Pure.

closed --failures in a row--> open --its time comes--> half open --answer--> closed
                                ^------------------------no answer, twice as long--'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class BreakerState(StrEnum):
    CLOSED = "closed"
    """The unit is asked at every boundary."""
    OPEN = "open"
    """The unit is dead, and left alone."""
    HALF_OPEN = "half_open"
    """The unit is dead, and its next request is a probe."""


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """Spans of the monotonic clock, in ms."""

    failures_to_open: int = 3
    first_probe_ms: float = 60_000
    longest_probe_ms: float = 3_600_000


DEFAULT: Final = BreakerRules()


class Breaker:
    """One unit's. Times are ms of the monotonic clock, and never fall."""

    __slots__ = ("_failures", "_probe_after_ms", "_rules", "_wait_ms")

    def __init__(self, rules: BreakerRules = DEFAULT) -> None:
        self._rules = rules
        self._failures = 0
        self._wait_ms = 0.0
        self._probe_after_ms: float | None = None

    def state(self, now_ms: float) -> BreakerState:
        if self._probe_after_ms is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if now_ms >= self._probe_after_ms else BreakerState.OPEN

    @property
    def is_closed(self) -> bool:
        return self._probe_after_ms is None

    @property
    def is_suspect(self) -> bool:
        """The last request was not answered."""
        return self._failures > 0

    @property
    def probe_after_ms(self) -> float | None:
        """From when on a dead unit may be asked; null for a living one."""
        return self._probe_after_ms

    def succeeded(self) -> None:
        """The unit answered, if only with an exception."""
        self._failures = 0
        self._wait_ms = 0
        self._probe_after_ms = None

    def failed(self, now_ms: float) -> None:
        """One request to the unit was not answered; of a dead unit, its probe."""
        self._failures += 1
        if self._probe_after_ms is None and self._failures < self._rules.failures_to_open:
            return
        doubled = 2 * self._wait_ms or self._rules.first_probe_ms
        self._wait_ms = min(doubled, self._rules.longest_probe_ms)
        self._probe_after_ms = now_ms + self._wait_ms
