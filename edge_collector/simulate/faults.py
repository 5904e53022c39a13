"""What goes wrong in a simulated building: faults by name, each on a unit or a whole line, for a span of true time.

True time is the monotonic clock's; a stepped wall clock does not move it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge_collector.clock import Clock


class FaultKind(StrEnum):
    """The names."""

    LATE_ANSWER = "late_answer"
    """Answered `late_s` after the request, to whoever is connected by then; on MBAP to the one who asked."""
    ZERO_TRANSACTION = "zero_transaction"
    """MBAP answers with transaction id 0."""
    BUSY = "busy"
    """Exception 6."""
    HALF_OPEN = "half_open"
    """Connections are accepted, and what comes is swallowed."""
    DEAD_UNIT = "dead_unit"
    """No answer."""
    GARBLED = "garbled"
    """One byte of the answer is wrong; the checksum tells, where there is one."""
    TRANSIENT_ZERO = "transient_zero"
    """Totals show zero."""
    ALL_FF = "all_ff"
    """All words show 0xFFFF."""
    POWER_CUT = "power_cut"
    """No answer, and nothing is metered; the totals are kept."""
    SWAPPED_METER = "swapped_meter"
    """From then on another meter answers, with another serial number and its own total."""
    RESET = "reset"
    """All totals begin again at zero."""
    ROLLOVER = "rollover"
    """The first integer total goes on from its highest count."""
    CLOCK_STEP = "clock_step"
    """The collector's wall clock moves by `step_ms`."""


EVENTS: Final = frozenset(
    {FaultKind.POWER_CUT, FaultKind.SWAPPED_METER, FaultKind.RESET, FaultKind.ROLLOVER, FaultKind.CLOCK_STEP}
)
"""These happen at `from_ms`; the others hold while their span lasts."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`line` and `unit` null: every one. `every`: only each n-th request that it meets. `late_s` is the world's time, as timeouts are."""

    kind: FaultKind
    from_ms: int
    until_ms: int
    line: str | None = None
    unit: int | None = None
    every: int = 1
    late_s: float = 0.3
    step_ms: int = 0

    def meets(self, line: str, unit: int | None, at_ms: int) -> bool:
        return (
            self.from_ms <= at_ms < self.until_ms
            and self.line in (None, line)
            and (self.unit is None or self.unit == unit)
        )


class Faults:
    """Those of one building. More can be added while it runs; `clear` ends all."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._met: dict[Fault, int] = {}

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    def hit(self, line: str, unit: int | None, at_ms: int) -> dict[FaultKind, Fault]:
        """What this request meets; it counts for those that hit each n-th only."""
        found: dict[FaultKind, Fault] = {}
        for fault in self._faults:
            if fault.kind not in EVENTS and fault.meets(line, unit, at_ms):
                self._met[fault] = self._met.get(fault, 0) + 1
                if self._met[fault] % fault.every == 0:
                    found[fault.kind] = fault
        return found

    def events(self) -> list[Fault]:
        """Those that happen at an instant, in order of time."""
        return sorted((fault for fault in self._faults if fault.kind in EVENTS), key=lambda fault: fault.from_ms)


class TrueTime:
    """The time that meters live by: what the clock showed at the beginning, and what has passed since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at_zero_ms = clock.now_ms() - clock.monotonic_ms()

    def now_ms(self) -> int:
        return int(self._at_zero_ms + self._clock.monotonic_ms())
