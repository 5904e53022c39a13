"""Local time, written out: a zone's UTC offsets as rows, and local times turned into instants by those rows alone.

The rows come from the `tzdata` package, never from the machine, and go into the log: interpretation and rating use the rows, so a
time-zone database that changes later changes nothing that is not loaded again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from meterfold.portfolio.problem import Fault

EARLIEST_YEAR: Final = 1970
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2045
"""Calendars are written out from `FIRST_YEAR` (a site may say another, not before `EARLIEST_YEAR`) to the end of `LAST_YEAR`."""

BEGINNING_MS: Final = -62_135_596_800_000
"""0001-01-01T00:00:00Z: where the first row of every calendar begins."""

TZDATA_VERSION: Final = version("tzdata")
"""Of the package on PyPI: 2026.6 carries IANA's 2026f."""

DAY_MS: Final = 86_400_000

Offsets = Sequence[Sequence[int]]
"""Rows (from_ms, offset in seconds east of UTC), ascending; the first begins at `BEGINNING_MS`."""

_EPOCH: Final = datetime(1970, 1, 1)
_STEP_S: Final = 43_200  # no zone has changed its offset twice within twelve hours in these years


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as it was written. `stamp` is local to the site, or UTC if the text had an offset (`in_utc`)."""

    text: str
    stamp: datetime
    in_utc: bool = False
    whole_day: bool = False


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The names of the time-zone database."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split())


@lru_cache(maxsize=512)
def utc_offsets(time_zone: str, first_year: int = FIRST_YEAR) -> tuple[tuple[int, int], ...]:
    """The rows of a zone of `time_zones()` for `first_year` to `LAST_YEAR`. Times before have the first year's first offset."""
    source = files("tzdata") / "zoneinfo"
    with source.joinpath(*time_zone.split("/")).open("rb") as handle:
        zone = ZoneInfo.from_file(handle, key=time_zone)
    start = int(datetime(first_year, 1, 1, tzinfo=UTC).timestamp()) - 2 * _STEP_S
    end = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()) + 2 * _STEP_S
    rows = [(BEGINNING_MS, _offset_s(zone, start))]
    for second in range(start, end, _STEP_S):
        if _offset_s(zone, second + _STEP_S) != rows[-1][1]:
            change = _change(zone, second, second + _STEP_S)
            rows.append((change * 1000, _offset_s(zone, change)))
    return tuple(rows)


def _offset_s(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _change(zone: ZoneInfo, low: int, high: int) -> int:
    """The first second in (low, high] whose offset is not that of `low`."""
    before = _offset_s(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_s(zone, middle) == before else (low, middle)
    return high


def offset_at(instant_ms: int, offsets: Offsets) -> int:
    """Seconds east of UTC at an instant."""
    return offsets[max(bisect_right(offsets, instant_ms, key=lambda row: row[0]) - 1, 0)][1]


def local_date(instant_ms: int, offsets: Offsets) -> date:
    """The date that the site's clock shows."""
    return (_EPOCH + timedelta(milliseconds=instant_ms + offset_at(instant_ms, offsets) * 1000)).date()


def to_instant(moment: Moment, offsets: Offsets, first_year: int = FIRST_YEAR) -> int | Fault:
    """The instant in ms of what was written, or why there is not exactly one.

    A whole day means its first instant, which exists even where clocks change at midnight.
    """
    if not first_year <= moment.stamp.year:
        do = f"begin in {first_year}, or give the site `calendar_from_year: {moment.stamp.year}`"
        return Fault(
            "out_of_calendar", f"{moment.text} is before the site's calendar, which begins in {first_year}", do
        )
    clock_ms = (moment.stamp - _EPOCH) // timedelta(milliseconds=1)
    if moment.in_utc:
        return clock_ms
    instants = sorted({at for _, offset in offsets if offset_at(at := clock_ms - offset * 1000, offsets) == offset})
    if moment.whole_day:
        return _first_instant(moment, clock_ms, instants, offsets)
    if len(instants) == 1:
        return instants[0]
    if instants:
        choices = " or ".join(_with_offset(moment.stamp, at, clock_ms) for at in instants)
        return Fault("ambiguous_time", f"the clock showed {moment.text} twice", f"write {choices}")
    return Fault(
        "nonexistent_time",
        f"the clock was set forward over {moment.text}",
        "write a time that it showed, or one with an offset",
    )


def _first_instant(moment: Moment, clock_ms: int, instants: list[int], offsets: Offsets) -> int | Fault:
    if instants:
        return instants[0]
    # Midnight itself was skipped: the day begins at the change, unless the change skipped the day.
    near = (row[0] for row in offsets if abs(row[0] - clock_ms) <= 2 * DAY_MS)
    start = next((at for at in near if local_date(at, offsets) == moment.stamp.date()), None)
    if start is None:
        return Fault("nonexistent_time", f"the day {moment.text} was skipped there", "write the day before or after")
    return start


def _with_offset(stamp: datetime, instant_ms: int, clock_ms: int) -> str:
    east = (clock_ms - instant_ms) // 1000
    hours, minutes = divmod(abs(east) // 60, 60)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}{'+' if east >= 0 else '-'}{hours:02}:{minutes:02}"


def grid_fault(length_s: int, offsets: Offsets) -> str | None:
    """Why slots of this length cannot begin at every local midnight; None if they can. A slot divides the hour."""
    if length_s > 3600 or 3600 % length_s:
        return f"{length_s // 60} minutes does not divide the hour"
    anchors = {-offset % length_s: offset for _, offset in offsets}
    if len(anchors) > 1:
        shown = " and ".join(f"{offset // 60} min" for offset in sorted(anchors.values()))
        return f"slots of {length_s // 60} minutes cannot begin at every local midnight (UTC offsets {shown})"
    return None


def fitting_minutes(offsets: Offsets) -> list[int]:
    """The interval lengths that a site's calendar admits."""
    return [minutes for minutes in range(1, 61) if grid_fault(minutes * 60, offsets) is None]


def iso_utc(instant_ms: int) -> str:
    """`2026-03-04T09:07:00Z`, for people."""
    return (_EPOCH + timedelta(milliseconds=instant_ms)).isoformat(timespec="seconds") + "Z"
