"""Local time written out: the rows say what the time-zone database says, and local times become instants by the rows alone."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterfold.portfolio.calendar import (
    BEGINNING_MS,
    LAST_YEAR,
    fitting_minutes,
    grid_fault,
    local_date,
    offset_at,
    time_zones,
    to_instant,
    utc_offsets,
)
from meterfold.portfolio.problem import Fault
from meterfold.portfolio.written import read_moment

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/Sao_Paulo",  # changed at midnight
    "America/Havana",  # shows midnight twice
    "Africa/Casablanca",  # twice a year around Ramadan
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Pacific/Apia",  # skipped a day
    "UTC",
]


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone as the package has it: `ZoneInfo(name)` would take the machine's, which may be years older."""
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as handle:
        return ZoneInfo.from_file(handle, key=name)


def instant(text: str, zone: str) -> int | Fault:
    return to_instant(read_moment(text), utc_offsets(zone))


def utc(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Europe/Berlin", "2026-01-01", "2025-12-31T23:00:00Z"),
        ("Europe/Berlin", "2026-03-04 10:07", "2026-03-04T09:07:00Z"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"),
        ("Europe/Berlin", "2026-03-29 01:59:59", "2026-03-29T00:59:59Z"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29T01:00:00Z"),
        ("Europe/Berlin", "2026-10-25 01:59", "2026-10-24T23:59:00Z"),
        ("Europe/Berlin", "2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ("Europe/Berlin", "2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
        ("Europe/Berlin", "2026-03-04T09:07:00Z", "2026-03-04T09:07:00Z"),
        ("Australia/Lord_Howe", "2026-07-01 12:00", "2026-07-01T01:30:00Z"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"),  # the first of two midnights
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),  # the day began at one o'clock
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
    ],
)
def test_local_times_become_instants(zone: str, text: str, expected: str) -> None:
    assert instant(text, zone) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "text", "code"),
    [
        ("Europe/Berlin", "2026-03-29 02:00", "nonexistent_time"),
        ("Europe/Berlin", "2026-03-29 02:59:59", "nonexistent_time"),
        ("Europe/Berlin", "2026-10-25 02:00", "ambiguous_time"),
        ("Europe/Berlin", "2026-10-25 02:59", "ambiguous_time"),
        ("America/Havana", "2025-11-02 00:00", "ambiguous_time"),  # a day begins once, an instant was shown twice
        ("Australia/Lord_Howe", "2026-04-05 01:45", "ambiguous_time"),
        ("Pacific/Apia", "2011-12-30", "nonexistent_time"),
        ("Pacific/Apia", "2011-12-30 12:00", "nonexistent_time"),
        ("Europe/Berlin", "1999-12-31", "out_of_calendar"),
    ],
)
def test_what_no_clock_showed_once_is_refused(zone: str, text: str, code: str) -> None:
    fault = instant(text, zone)
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize("zone", ZONES)
@settings(deadline=None)
@given(second=st.integers(946_684_800, 2_398_377_599))
def test_the_rows_are_the_time_zone_database(zone: str, second: int) -> None:
    offset = datetime.fromtimestamp(second, zone_of(zone)).utcoffset()
    assert offset == timedelta(seconds=offset_at(second * 1000, utc_offsets(zone)))


@pytest.mark.parametrize("zone", ZONES)
@settings(deadline=None)
@given(day=st.dates(date(2000, 1, 2), date(LAST_YEAR, 12, 31)))
def test_a_day_begins_at_its_first_instant(zone: str, day: date) -> None:
    start, offsets = instant(day.isoformat(), zone), utc_offsets(zone)
    if isinstance(start, Fault):
        assert (zone, day) == ("Pacific/Apia", date(2011, 12, 30))
        return
    assert local_date(start, offsets) == day
    assert local_date(start - 1, offsets) < day


@pytest.mark.parametrize("zone", ZONES)
@settings(deadline=None)
@given(stamp=st.datetimes(datetime(2000, 1, 2), datetime(LAST_YEAR, 12, 31)))
def test_an_instant_shows_the_time_that_named_it(zone: str, stamp: datetime) -> None:
    found = instant(stamp.strftime("%Y-%m-%d %H:%M:%S"), zone)
    stamp = stamp.replace(microsecond=0)
    shown = {stamp.replace(tzinfo=zone_of(zone), fold=fold).astimezone(UTC) for fold in (0, 1)}
    real = {at for at in shown if at.astimezone(zone_of(zone)).replace(tzinfo=None) == stamp}
    if isinstance(found, Fault):
        assert found.code == ("ambiguous_time" if len(real) == 2 else "nonexistent_time")
        assert len(real) != 1
    else:
        assert {datetime.fromtimestamp(found / 1000, UTC)} == real


def test_rows_begin_at_the_beginning_and_change_at_each_row() -> None:
    for zone in sorted(time_zones())[::40]:
        rows = utc_offsets(zone)
        assert rows[0][0] == BEGINNING_MS
        assert all(before[0] < after[0] and before[1] != after[1] for before, after in pairwise(rows))


def test_a_site_may_say_from_which_year() -> None:
    assert to_instant(read_moment("1998-05-01"), utc_offsets("Europe/Berlin", 1990), 1990) == utc(
        "1998-04-30T22:00:00Z"
    )
    assert len(utc_offsets("America/Caracas")) == 3
    assert len(utc_offsets("America/Caracas", 2020)) == 1


def test_grids_must_fit_every_local_midnight() -> None:
    assert fitting_minutes(utc_offsets("Europe/Berlin")) == [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]
    assert fitting_minutes(utc_offsets("Asia/Kathmandu")) == [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]
    assert 60 not in fitting_minutes(utc_offsets("Australia/Lord_Howe"))
    assert 30 in fitting_minutes(utc_offsets("Australia/Lord_Howe"))
    assert grid_fault(60 * 60, utc_offsets("America/Caracas")) is not None  # half an hour off from 2007 to 2016
    assert grid_fault(60 * 60, utc_offsets("America/Caracas", 2020)) is None
