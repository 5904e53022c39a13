"""Time: a site's calendar, and the grids of slots and windows that lie on it (rules, section 2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from typing import Any

LOCAL_DAY = "LOCAL_DAY"
DAY_S = 86_400
DAY_MS = 86_400_000
THURSDAY = 3  # 1970-01-01, counted from Monday


class Calendar:
    """The offsets and holidays of a site. A *day* is a number: days since 1970-01-01 of the local date."""

    def __init__(self, calendar: dict[str, Any]) -> None:
        self.site: str = calendar["site"]
        rows = sorted((from_ms, offset_s * 1000) for from_ms, offset_s in calendar["utc_offsets"])
        self.since = [from_ms for from_ms, _ in rows]
        self.offsets = [offset_ms for _, offset_ms in rows]
        self.holidays = {(date.fromisoformat(text) - date(1970, 1, 1)).days for text in calendar["holidays"]}
        self._midnights: dict[int, int] = {}

    def offset(self, instant: int) -> int:
        """Milliseconds that local time is ahead of UTC at an instant."""
        return self.offsets[max(bisect_right(self.since, instant) - 1, 0)]

    def day_of(self, instant: int) -> int:
        return (instant + self.offset(instant)) // DAY_MS

    def midnight(self, day: int) -> int:
        """The instant at which a local day begins."""
        if day not in self._midnights:
            self._midnights[day] = self._find_midnight(day)
        return self._midnights[day]

    def _find_midnight(self, day: int) -> int:
        candidates = [day * DAY_MS - offset for offset in self.offsets]
        right = [u for u in candidates if u + self.offset(u) == day * DAY_MS]
        if right:
            return min(right)
        return min(since for since in self.since if self.day_of(since) == day)  # midnight itself was skipped

    def day_type(self, day: int) -> str:
        """Weekday, Saturday or Sunday; a holiday counts as a Sunday."""
        weekday = (day + THURSDAY) % 7
        if weekday == 6 or day in self.holidays:
            return "sunday"
        return "saturday" if weekday == 5 else "weekday"

    def same_wall_time(self, instant: int, days_back: int) -> int | None:
        """The instant of the same local wall time some days earlier; None where that day has no such time."""
        offset = self.offset(instant)
        local = instant + offset - days_back * DAY_MS
        there = local - offset
        if self.offset(there) == offset:
            return there
        other = self.offset(there)
        there = local - other
        return there if self.offset(there) == other else None


class Grid:
    """Half-open stretches of equal length (or local days), such that every local midnight is a grid point."""

    def __init__(self, length: int | str, calendar: Calendar) -> None:
        self.calendar = calendar
        self.local_day = length == LOCAL_DAY
        self.length = DAY_MS if length == LOCAL_DAY else int(length) * 1000
        self.anchor = 0 if self.local_day else -calendar.offsets[0] % self.length

    def floor(self, instant: int) -> int:
        """The start of the stretch that contains the instant."""
        if self.local_day:
            return self.calendar.midnight(self.calendar.day_of(instant))
        return (instant - self.anchor) // self.length * self.length + self.anchor

    def ceiling(self, instant: int) -> int:
        """The first grid point at or after the instant."""
        start = self.floor(instant)
        return start if start == instant else self.after(start)

    def is_point(self, instant: int) -> bool:
        return self.floor(instant) == instant

    def after(self, start: int, steps: int = 1) -> int:
        """The start of the stretch `steps` later (negative: earlier) than the one that starts at `start`."""
        if self.local_day:
            return self.calendar.midnight(self.calendar.day_of(start) + steps)
        return start + steps * self.length

    def starts(self, first: int, end: int) -> Iterator[int]:
        """Every grid point in [first, end)."""
        start = self.ceiling(first)
        while start < end:
            yield start
            start = self.after(start)


def most_slots(interval_s: int | str, grid_s: int | str) -> int:
    """The most native slots that a window can hold; the longest local day has 25 hours."""
    if interval_s == LOCAL_DAY:
        return 1
    window_s = 25 * 3600 if grid_s == LOCAL_DAY else int(grid_s)
    return max(window_s // int(interval_s), 1)


def is_possible(length: int | str, calendar: Calendar) -> bool:
    """Whether every local midnight can be a point of such a grid."""
    if length == LOCAL_DAY:
        return True
    if not isinstance(length, int) or length <= 0 or DAY_S % length != 0:
        return False
    return len({-offset % (length * 1000) for offset in calendar.offsets}) == 1
