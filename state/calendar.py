"""A site's local time, written out in the log: offsets and holidays, no time-zone database."""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from state.codes import DAY_MS

_EPOCH: Final = date(1970, 1, 1)
_THURSDAY: Final = 3  # the weekday of the epoch, Monday = 0

WEEKDAY, SATURDAY, SUNDAY = range(3)


class Calendar:
    """Local time of one site.

    `utc_offsets` are rows (from_ms, offset in seconds east of UTC), ascending; before the first row its offset holds.
    """

    __slots__ = ("_from_ms", "_holidays", "_offset_ms", "_spread", "site", "source")

    def __init__(self, source: Mapping[str, Any]) -> None:
        self.source = dict(source)
        self.site = str(source["site"])
        rows = source["utc_offsets"]
        self._from_ms = [int(row[0]) for row in rows]
        self._offset_ms = [int(row[1]) * 1000 for row in rows]
        self._spread = (min(self._offset_ms), max(self._offset_ms))
        self._holidays = frozenset((date.fromisoformat(day) - _EPOCH).days for day in source.get("holidays", ()))

    @property
    def offsets_s(self) -> list[int]:
        """All offsets in use, in seconds."""
        return [offset // 1000 for offset in self._offset_ms]

    def clock(self) -> list[tuple[int, int]]:
        """Rows (from_ms, local time minus UTC in ms), ascending."""
        return list(zip(self._from_ms, self._offset_ms, strict=True))

    def holidays(self) -> list[int]:
        """Local days that count as Sundays, ascending."""
        return sorted(self._holidays)

    def offset_ms(self, instant_ms: int) -> int:
        """Local time minus UTC at an instant."""
        return self._offset_ms[max(bisect_right(self._from_ms, instant_ms) - 1, 0)]

    def local_day(self, instant_ms: int) -> int:
        """Days since 1970-01-01 of the local date."""
        return (instant_ms + self.offset_ms(instant_ms)) // DAY_MS

    def midnight_ms(self, local_day: int) -> int:
        """The first instant of a local day."""
        local_ms = local_day * DAY_MS
        # The day begins between the two instants that the extreme offsets name; try each offset in use there.
        candidates = {local_ms - offset for offset in self._offset_ms}
        exact = [at for at in candidates if at + self.offset_ms(at) == local_ms]
        if exact:
            return min(exact)
        # A clock change skipped midnight itself: the day begins at the change.
        low, high = local_ms - self._spread[1], local_ms - self._spread[0]
        return next(at for at in self._from_ms if low <= at <= high and self.local_day(at) >= local_day)

    def day_type(self, local_day: int) -> int:
        """WEEKDAY, SATURDAY or SUNDAY; a holiday counts as a Sunday."""
        if local_day in self._holidays:
            return SUNDAY
        weekday = (local_day + _THURSDAY) % 7
        return SATURDAY if weekday == 5 else SUNDAY if weekday == 6 else WEEKDAY

    def same_wall_time(self, instant_ms: int, days_back: int) -> int | None:
        """The instant that the wall clock showed the same time `days_back` days earlier; None if it never did."""
        offset = self.offset_ms(instant_ms)
        local = instant_ms + offset - days_back * DAY_MS
        found = local - offset
        other = self.offset_ms(found)
        if other == offset:
            return found
        found = local - other
        return found if self.offset_ms(found) == other else None

    def iso_day(self, local_day: int) -> str:
        """The date of a local day, for people."""
        return (_EPOCH + timedelta(days=local_day)).isoformat()
