"""When a line is polled, and in which order. Pure.

Boundaries are absolute: whole intervals counted from the epoch, the same for every collector. Units on a line are asked one after the
other in a fixed order, so that each is as far from the boundary every time and its intervals keep their length.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from edge_collector.breaker import Breaker, BreakerState

SHORTEST_INTERVAL_S: Final = 60
LONGEST_INTERVAL_S: Final = 3600
REMEMBERED_BOUNDARIES: Final = 1500
"""More than a day of minutes: a clock that is set back further than this polls again, and the reads are told apart by their id."""

MOST_PROBES: Final = 3
"""Dead units asked at one boundary of a line; the others wait for the next."""

STEP_MS: Final = 500
SLEW: Final = 0.001
"""Wall and monotonic clock may drift apart so far in so long, by rounding and by slewing, before it is called a step."""


def boundary_before(now_ms: int, interval_ms: int) -> int:
    """The last boundary at or before an instant."""
    return now_ms - now_ms % interval_ms


@dataclass(frozen=True, slots=True)
class Due:
    """A boundary to poll now. `skipped`: (first, last) of earlier ones that never will be; null when there are none."""

    boundary_ms: int
    skipped: tuple[int, int] | None


class Boundaries:
    """What has been polled of one line.

    A clock that is set back comes to boundaries again: those that were polled are not polled twice, those that a leap forward had passed
    over are polled when their time comes after all.
    """

    def __init__(self, interval_ms: int, polled_ms: int | None = None) -> None:
        """`polled_ms`: the last boundary polled before a restart."""
        self.interval_ms = interval_ms
        self._last_ms = polled_ms
        self._polled = deque([] if polled_ms is None else [polled_ms], REMEMBERED_BOUNDARIES)
        self._passed_over: int | None = None

    @property
    def last_ms(self) -> int | None:
        """The boundary that was polled last, which a step of the clock may have left in the future."""
        return self._last_ms

    def next_ms(self, now_ms: int) -> int:
        """The next boundary to wait for, after `now_ms`."""
        candidate = boundary_before(now_ms, self.interval_ms) + self.interval_ms
        while self._is_done(candidate):
            candidate += self.interval_ms
        return candidate

    def pass_over(self, now_ms: int) -> None:
        """It is too late for the boundary before this instant; with the next one it will be said to be skipped."""
        self._passed_over = boundary_before(now_ms, self.interval_ms)

    def due(self, now_ms: int) -> Due | None:
        """What is to be polled at this instant, which is then polled; null when that was done."""
        boundary_ms = boundary_before(now_ms, self.interval_ms)
        if self._is_done(boundary_ms):
            return None
        skipped = self._skipped_before(boundary_ms)
        self._polled.append(boundary_ms)
        self._last_ms = boundary_ms
        return Due(boundary_ms, skipped)

    def _is_done(self, boundary_ms: int) -> bool:
        return boundary_ms == self._passed_over or boundary_ms in self._polled

    def _skipped_before(self, boundary_ms: int) -> tuple[int, int] | None:
        if self._last_ms is None:
            return None
        first_ms = boundary_before(self._last_ms, self.interval_ms) + self.interval_ms
        if boundary_ms - first_ms > REMEMBERED_BOUNDARIES * self.interval_ms:
            return first_ms, boundary_ms - self.interval_ms
        missing = [at_ms for at_ms in range(first_ms, boundary_ms, self.interval_ms) if at_ms not in self._polled]
        return (missing[0], missing[-1]) if missing else None


@dataclass(frozen=True, slots=True)
class ClockMark:
    """Both clocks at one instant."""

    wall_ms: int
    monotonic_ms: float

    def stepped_ms(self, later: ClockMark) -> int:
        """How far the wall clock was moved in between, forward above zero; 0 for what slewing does."""
        passed_ms = later.monotonic_ms - self.monotonic_ms
        step_ms = later.wall_ms - self.wall_ms - passed_ms
        return round(step_ms) if abs(step_ms) >= STEP_MS + SLEW * passed_ms else 0


class HasBreaker(Protocol):
    """A unit as far as its turn is concerned."""

    @property
    def breaker(self) -> Breaker: ...


_Unit = TypeVar("_Unit", bound=HasBreaker)


def living(units: Sequence[_Unit]) -> list[_Unit]:
    """Who is asked for billing blocks, in the order of the site; those that failed last time come last, as they may cost a timeout."""
    return sorted((unit for unit in units if unit.breaker.is_closed), key=lambda unit: unit.breaker.is_suspect)


def to_probe(units: Sequence[_Unit], now_ms: float) -> list[_Unit]:
    """Which dead units are asked at this boundary, after the living: who waits longest first."""
    half_open = [unit for unit in units if unit.breaker.state(now_ms) is BreakerState.HALF_OPEN]
    return sorted(half_open, key=lambda unit: unit.breaker.probe_after_ms or 0)[:MOST_PROBES]
