"""Grids: the numbered slots of time that quantities are counted in."""

from typing import Final, Protocol

from state.calendar import Calendar
from state.codes import DAY_MS

LOCAL_DAY: Final = "LOCAL_DAY"
Length = int | str
"""A grid's slot length: seconds, or LOCAL_DAY."""


class Grid(Protocol):
    """Slots numbered so that slot n ends where slot n + 1 starts."""

    nominal_ms: int

    def slot_of(self, instant_ms: int) -> int:
        """The slot that contains an instant."""
        ...

    def start_ms(self, slot: int) -> int:
        """The slot's first instant, which is the end of the slot before."""
        ...


class FixedGrid:
    """Slots of one length, counted from an anchor."""

    __slots__ = ("anchor_ms", "nominal_ms")

    def __init__(self, length_s: int, anchor_s: int) -> None:
        self.nominal_ms = length_s * 1000
        self.anchor_ms = anchor_s * 1000

    def slot_of(self, instant_ms: int) -> int:
        return (instant_ms - self.anchor_ms) // self.nominal_ms

    def start_ms(self, slot: int) -> int:
        return slot * self.nominal_ms + self.anchor_ms


class LocalDayGrid:
    """Slots from local midnight to local midnight: 23, 24 or 25 hours."""

    __slots__ = ("_calendar", "_starts", "nominal_ms")

    def __init__(self, calendar: Calendar) -> None:
        self.nominal_ms = DAY_MS
        self._calendar = calendar
        self._starts: dict[int, int] = {}

    def slot_of(self, instant_ms: int) -> int:
        return self._calendar.local_day(instant_ms)

    def start_ms(self, slot: int) -> int:
        start = self._starts.get(slot)
        if start is None:
            start = self._starts[slot] = self._calendar.midnight_ms(slot)
        return start


class NoSuchGrid(ValueError):
    """The grid cannot be laid over the site's local midnights."""


def make_grid(length: Length, calendar: Calendar) -> Grid:
    """The grid of a length whose slots begin at every local midnight of the calendar; `NoSuchGrid` if there is none."""
    if length == LOCAL_DAY:
        return LocalDayGrid(calendar)
    seconds = int(length)
    if not 60 <= seconds <= 3600 or 3600 % seconds:
        raise NoSuchGrid(f"an interval of {seconds} s: it must divide the hour and be at least a minute")
    anchors = {-offset % seconds for offset in calendar.offsets_s}
    if len(anchors) != 1:
        raise NoSuchGrid(f"{seconds} s intervals cannot begin at every local midnight of {calendar.site}")
    return FixedGrid(seconds, anchors.pop())
