"""A curated record of intervals as its elements: a `day` of 48 values is exactly its 48 singles, in order."""

from collections.abc import Mapping
from typing import Any

from state.codes import MISSING, QUALITY_OF
from state.grid import LOCAL_DAY, LocalDayGrid
from state.intervals import judge_interval
from state.judging import Arrival
from state.supply_point import SupplyPoint
from state.unit import Unit


class IntervalList:
    """The elements of one record, for one supply point as it is configured now."""

    __slots__ = ("_first_sub", "_interval_s", "_origin", "_point", "_qualities", "_quantities", "_record", "_starts")

    def __init__(self, point: SupplyPoint, record: Mapping[str, Any]) -> None:
        self._point = point
        self._record = record
        self._quantities = record["quantities_nano"]
        self._interval_s = record["interval_s"]
        self._first_sub = int(record.get("sub") or 0)
        self._qualities = spread_qualities(record)
        self._origin = tuple(map(int, record.get("origin") or (*record["raw"], self._first_sub)))
        self._starts = self._element_starts(int(record["start_ms"]))

    def __len__(self) -> int:
        return len(self._quantities)

    def judge(self, at: int, unit: Unit) -> str:
        """Process one element, as the unit with its coordinates; returns its verdict."""
        record = self._record
        unit.sub = self._first_sub + at
        arrival = Arrival(
            supply_point=self._point.name, device=str(record["device"]), register=str(record["register"]),
            kind="interval", start_ms=self._starts[at], end_ms=self._starts[at + 1], quality=self._qualities[at],
            version=int(record["version"]), origin=(self._origin[0], self._origin[1], self._origin[2] + at),
        )  # fmt: skip
        return judge_interval(self._point, arrival, self._interval_s, str(record["unit"]), self._quantities[at], unit)

    def _element_starts(self, start_ms: int) -> list[int]:
        """The start of each element and the end of the last, in ms."""
        number = len(self._quantities)
        if self._interval_s != LOCAL_DAY:
            return [start_ms + at * int(self._interval_s) * 1000 for at in range(number + 1)]
        calendar = self._point.calendar_of(str(self._record["device"]), str(self._record["register"]))
        if calendar is None:
            return [start_ms] * (number + 1)
        days = LocalDayGrid(calendar)
        first = days.slot_of(start_ms)
        return [start_ms, *(days.start_ms(first + at) for at in range(1, number + 1))]


def spread_qualities(record: Mapping[str, Any]) -> list[int]:
    """The quality of each element: the record's, overridden by its ranges."""
    number = len(record["quantities_nano"])
    found = [QUALITY_OF.get(str(record["quality"]), MISSING)] * number
    for item in record.get("ranges") or ():
        for at in range(max(int(item["first"]), 0), min(int(item["last"]) + 1, number)):
            found[at] = QUALITY_OF.get(str(item["quality"]), MISSING)
    return found
