"""Time-of-use bands: which band prices a minute, and whether every minute of the year has one. A charge's `when` matches as a band does.

The rule, which `sql/billing/rated_windows.sql` follows: a minute belongs to the local date it lies on. When a band of the channel names
`holiday`, a holiday is that and no weekday; otherwise it keeps its weekday. Of the bands in the order written, the first that matches
prices the minute. A band whose end is before its beginning passes midnight.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise, product
from typing import Final

from meterfold.portfolio.model_tariffs import Band, When
from meterfold.portfolio.written import DAY_TYPES

_MONTHS: Final = range(1, 13)
_MONTH_NAMES: Final = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def applies(band: Band | When, month: int, day_type: str, minute: int) -> bool:
    """Whether a band matches a minute since local midnight, of a day of that type in that month."""
    in_months = band.months is None or month in band.months
    in_days = band.days is None or day_type in band.days
    after, before = minute >= band.from_minute, minute < band.to_minute
    in_time = (after and before) if band.from_minute < band.to_minute else (after or before)
    return in_months and in_days and in_time


def day_types(bands: Sequence[Band]) -> tuple[str, ...]:
    """What a day can be for these bands: a weekday, and a holiday if one of them names it."""
    return DAY_TYPES if any("holiday" in (band.days or ()) for band in bands) else DAY_TYPES[:7]


def band_of(bands: Sequence[Band], month: int, day_type: str, minute: int) -> int | None:
    """The position of the band that prices a minute."""
    return next((at for at, band in enumerate(bands) if applies(band, month, day_type, minute)), None)


def _cells(bands: Sequence[Band]) -> Iterator[tuple[int, str, int, int, int | None]]:
    """(month, day type, from minute, to minute, position of the band): the year in stretches that one band prices whole."""
    edges = sorted({0, 1440, *(edge for band in bands for edge in (band.from_minute, band.to_minute))})
    for month, day_type in product(_MONTHS, day_types(bands)):
        for start, end in pairwise(edges):
            yield month, day_type, start, end, band_of(bands, month, day_type, start)


def unused_bands(bands: Sequence[Band]) -> set[int]:
    """Positions of bands that price no minute."""
    return set(range(len(bands))) - {position for *_, position in _cells(bands) if position is not None}


def describe_unpriced(bands: Sequence[Band]) -> list[str]:
    """The minutes without a price, for people: `sat, sun 00:00–06:00 in Jan–Mar`; at most one entry for each set of times and months."""
    gaps: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for month, day_type, start, end, position in _cells(bands):
        if position is None:
            stretches = gaps[(month, day_type)]
            if stretches and stretches[-1][1] == start:
                start = stretches.pop()[0]
            stretches.append((start, end))
    months: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for (month, day_type), stretches in gaps.items():
        for start, end in stretches:
            months[(day_type, start, end)].append(month)
    days: dict[tuple[int, int, tuple[int, ...]], list[str]] = defaultdict(list)
    for (day_type, start, end), listed in months.items():
        days[(start, end, tuple(listed))].append(day_type)
    every = len(day_types(bands))
    return [_shown(*gap, "any day" if len(names) == every else ", ".join(names)) for gap, names in sorted(days.items())]


def _shown(start: int, end: int, months: tuple[int, ...], days: str) -> str:
    when = "" if len(months) == 12 else f" in {_ranges(months)}"
    return f"{days} {clock(start)}–{clock(end)}{when}"


def _ranges(months: tuple[int, ...]) -> str:
    shown = []
    for _, run in groupby(enumerate(months), key=lambda item: item[1] - item[0]):
        names = [_MONTH_NAMES[month - 1] for _, month in run]
        shown.append(names[0] if len(names) == 1 else f"{names[0]}–{names[-1]}")
    return ", ".join(shown)


def clock(minute: int) -> str:
    """`HH:MM` of a minute since midnight, 24:00 for the end of the day."""
    return f"{minute // 60:02}:{minute % 60:02}"
