"""Stamps: what they say, what they cannot say, and the repeated hour of a clock change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dead_letter import Problem, UnableToInterpret
from connectors.local_stamps import Reading, RepeatedHour, instants_of, zone_of

LONDON = "Europe/London"


def ms(stamp: str) -> int:
    return (datetime.fromisoformat(stamp) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo(LONDON), ZoneInfo("Asia/Kathmandu")])))
def test_a_stamp_with_offset_is_its_instant(stamp: datetime) -> None:
    if stamp.utcoffset() % timedelta(minutes=1):  # type: ignore[operator] # local mean time of the 19th century
        return
    stamp = stamp.replace(microsecond=stamp.microsecond // 1000 * 1000)
    assert instants_of(stamp.isoformat(), None) == (ms(stamp.isoformat()),)


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2012-10-12 00:30:00", "UTC", "2012-10-12T00:30:00+00:00"),
        ("2012-10-12T00:30", "+10:00", "2012-10-11T14:30:00+00:00"),
        ("2012-10-12T00:30", "-0330", "2012-10-12T04:00:00+00:00"),
        ("2025-07-01", "Europe/Berlin", "2025-06-30T22:00:00+00:00"),
        ("2025-07-01T00:00:00Z", "Europe/Berlin", "2025-07-01T00:00:00+00:00"),
        ("2025-07-01T00:00:00.250000000Z", "", "2025-07-01T00:00:00.250+00:00"),
        ("2025-07-01 00:00:00+01:00", "", "2025-06-30T23:00:00+00:00"),
    ],
)
def test_stamps(text: str, zone: str, utc: str) -> None:
    assert instants_of(text, zone_of(zone) if zone else None) == (ms(utc),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2025-03-01 00:00", "no_time_zone"),
        ("", "not_a_stamp"),
        ("01/03/2025 00:00", "not_a_stamp"),
        ("2025-02-30T00:00Z", "not_a_stamp"),
        ("2025-W09-6T00:00Z", "not_a_stamp"),
        ("20250301T0000Z", "not_a_stamp"),
        ("2025-03-01T24:00Z", "not_a_stamp"),
        ("1740787200", "not_a_stamp"),
        ("2025-03-01x00:00", "not_a_stamp"),
        ("2025-03-01T00:00:00.0001Z", "too_fine"),
        ("2025-03-01T00:00:00.0000001Z", "too_fine"),
    ],
)
def test_what_is_no_stamp(text: str, reason: str) -> None:
    with pytest.raises(UnableToInterpret) as refusal:
        instants_of(text, None)
    assert refusal.value.reason == reason


@pytest.mark.parametrize("text", ["Mars/Olympus", "", "../etc/passwd", "Europe", "+99:00", "+1"])
def test_what_is_no_time_zone(text: str) -> None:
    with pytest.raises(UnableToInterpret, match="is not a time zone"):
        zone_of(text)


def test_the_clock_change_forward_has_no_such_time() -> None:
    with pytest.raises(UnableToInterpret, match="does not exist in Europe/London"):
        instants_of("2025-03-30 01:30", zone_of(LONDON))


def test_the_clock_change_back_has_it_twice() -> None:
    assert instants_of("2025-10-26 01:30", zone_of(LONDON)) == (
        ms("2025-10-26T00:30+00:00"),
        ms("2025-10-26T01:30+00:00"),
    )


# ---- the repeated hour ----


def decide(*stamps: str, zone: str = LONDON) -> list[str]:
    """The UTC times that come out ("?" for a problem), in the order of the lines. A stamp is `register day time`."""
    readings = []
    for line, stamp in enumerate(stamps, 2):
        register, text = stamp.split(" ", 1)
        readings.append(Reading("f", line, "d", register, text, instants_of(text, zone_of(zone)), None))
    out: dict[int, str] = {}
    for item in RepeatedHour().decide(readings):
        if isinstance(item, Problem):
            assert item.reason == "ambiguous_stamp"
            out[item.line] = "?"
        else:
            assert len(item.instants) == 1
            out[item.line] = f"{datetime(1970, 1, 1) + timedelta(milliseconds=item.instant_ms):%H:%M}"
    return [out[line] for line in sorted(out)]


def night(*times: str, register: str = "E") -> list[str]:
    return [f"{register} 2025-10-26 {time}" for time in times]


def test_both_passes_in_order_are_decided() -> None:
    assert decide(*night("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")) == [
        "23:30",
        "00:00",
        "00:30",
        "01:00",
        "01:30",
        "02:00",
    ]


def test_the_ends_of_the_file_are_no_obstacle() -> None:
    assert decide(*night("01:00", "01:30", "01:00", "01:30")) == ["00:00", "00:30", "01:00", "01:30"]


def test_a_gap_within_the_hour_is_no_obstacle() -> None:
    assert decide(*night("00:30", "01:00", "01:30", "01:00", "02:00")) == ["23:30", "00:00", "00:30", "01:00", "02:00"]


@pytest.mark.parametrize(
    "times",
    [
        ("00:30", "01:00", "01:30", "02:00"),  # one pass only: which?
        ("00:30", "01:00", "01:00", "01:30", "01:30", "02:00"),  # side by side
        ("02:00", "01:30", "01:00", "01:30", "01:00", "00:30"),  # newest first
        ("02:00", "01:00", "01:30", "01:00", "01:30", "00:30"),  # not in time order around it
    ],
)
def test_what_the_order_does_not_decide_is_a_problem(times: tuple[str, ...]) -> None:
    undecided = decide(*night(*times))
    assert [out == "?" for out in undecided] == [time.startswith("01") for time in times]


def test_registers_are_decided_each_by_itself() -> None:
    e, b = night("01:00", "01:00", "02:00"), night("01:00", "02:00", register="B")
    assert decide(e[0], b[0], e[1], b[1], e[2]) == ["00:00", "?", "01:00", "02:00", "02:00"]


def test_two_years_are_two_nights() -> None:
    assert decide("E 2024-10-27 01:00", "E 2024-10-27 01:00", "E 2025-10-26 01:00", "E 2025-10-26 01:00") == [
        "00:00",
        "01:00",
        "00:00",
        "01:00",
    ]


def test_half_hour_changes_are_understood() -> None:
    howe = [f"E 2025-04-06 {time}" for time in ("01:15", "01:30", "01:45", "01:30", "01:45", "02:00")]
    assert decide(*howe, zone="Australia/Lord_Howe") == ["14:15", "14:30", "14:45", "15:00", "15:15", "15:30"]
