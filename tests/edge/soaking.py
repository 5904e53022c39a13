"""A building, its collector and everything that goes wrong, in one process that may be killed: python -m … FOLDER DATA START_MS.

Virtual time goes on from START_MS; the meters are functions of time, so that a next process finds them as they would be. What each meter
answered goes to FOLDER/journal, the virtual time to FOLDER/progress.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from edge_collector.entry import Entry
from edge_collector.publishing import UnableToPublish
from edge_collector.simulate.building import LinePlan, draw_building
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.faults import Fault, FaultKind
from edge_collector.simulate.journal import Journal
from edge_collector.simulate.rehearsal import Rehearsal, rehearse
from edge_collector.to_file_log import ToFileLog

HOUR: Final = 3_600_000
BEGIN_MS: Final = 1_767_225_600_000
UNTIL_MS: Final = BEGIN_MS + 36 * HOUR
INTERVAL_S: Final = 1800
PROFILES: Final = ("eastron_sdm630", "schneider_iem3155", "abb_b23", "inepro_pro380")
LINES: Final[tuple[LinePlan, ...]] = draw_building(7, 2, 6, PROFILES)
OUTAGE: Final = (BEGIN_MS + 9 * HOUR, BEGIN_MS + 15 * HOUR)
"""When the log takes nothing."""
STEP: Final = (BEGIN_MS + 20 * HOUR + 300_000, 90_000)
"""When the collector's wall clock is moved, and by how much."""

_RTU, _TCP = (line.name for line in LINES)


def _fault(kind: FaultKind, hour: float, hours: float, line: str, unit: int | None = None, every: int = 1) -> Fault:
    from_ms = BEGIN_MS + int(hour * HOUR)
    return Fault(kind, from_ms, from_ms + int(hours * HOUR), line, unit, every, late_s=0.13)


FAULTS: Final = (
    _fault(FaultKind.LATE_ANSWER, 0, 36, _RTU, every=7),
    _fault(FaultKind.ZERO_TRANSACTION, 2, 10, _TCP),
    _fault(FaultKind.LATE_ANSWER, 4, 4, _TCP, every=5),
    _fault(FaultKind.BUSY, 1, 3, _TCP, 2, every=3),
    _fault(FaultKind.GARBLED, 3, 2, _RTU, every=4),
    _fault(FaultKind.TRANSIENT_ZERO, 5.4, 0.2, _RTU, 1),
    _fault(FaultKind.ALL_FF, 7.4, 0.7, _TCP, 1),
    _fault(FaultKind.DEAD_UNIT, 16, 5, _RTU, 2),
    _fault(FaultKind.HALF_OPEN, 24, 2, _TCP),
    _fault(FaultKind.POWER_CUT, 27.2, 3, _RTU, 3),
    _fault(FaultKind.SWAPPED_METER, 22.1, 0, _TCP, 3),
    _fault(FaultKind.RESET, 31.3, 0, _RTU, 1),
    _fault(FaultKind.ROLLOVER, 12.2, 0, _TCP, 2),
    Fault(FaultKind.CLOCK_STEP, STEP[0], STEP[0], step_ms=STEP[1]),
)


class _Unreliable:
    """The file log, but for the outage."""

    def __init__(self, log: ToFileLog, time_ms: Path) -> None:
        self._log, self._time_ms = log, time_ms

    async def publish(self, entries: Sequence[Entry]) -> None:
        if OUTAGE[0] <= int(self._time_ms.read_text()) < OUTAGE[1]:
            raise UnableToPublish("the log is down")
        await self._log.publish(entries)

    async def close(self) -> None:
        await self._log.close()


def main(folder: Path, data: Path, start_ms: int) -> None:
    progress, journal = folder / "progress", Journal(folder / "journal")
    progress.write_text(str(start_ms))
    stamp = SteppedClock(start_ms)  # for appends while nothing has been polled

    def note(device: str, answered: object) -> None:
        journal.note(device, answered)  # type: ignore[arg-type]
        at_ms = answered.at_ms  # type: ignore[attr-defined]
        progress.write_text(str(at_ms))
        stamp.step(at_ms - stamp.now_ms())

    play = Rehearsal(LINES, start_ms, UNTIL_MS, INTERVAL_S, FAULTS, timing_ms=(60, 10), installed_ms=BEGIN_MS - HOUR)
    asyncio.run(rehearse(play, folder, data, _Unreliable(ToFileLog(data, stamp.now_ms), progress), note=note))
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
