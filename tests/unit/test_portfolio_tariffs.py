"""Tariffs: every minute of every kind of day has one price, and numbers are those that were written."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterfold.portfolio import Portfolio, load_text
from meterfold.portfolio.bands import applies, band_of, day_types, describe_unpriced, unused_bands
from meterfold.portfolio.model_tariffs import Band, Tariff
from meterfold.portfolio.records_tariffs import decimal_text
from meterfold.portfolio.units import DIMENSIONS, conversion
from meterfold.portfolio.written import DAY_TYPES

HEAD = "legal_entities: { LE: { name: L, currency: EUR } }\ntariffs:\n  T:\n    versions:\n      effective_from: 2026-01-01\n"


def tariff(energy: str) -> Tariff:
    portfolio = load_text(f"{HEAD}      energy: {energy}\n")
    assert isinstance(portfolio, Portfolio), portfolio
    return portfolio.tariffs["T"]


def bands(energy: str) -> tuple[Band, ...]:
    return tariff(energy).versions[0].energy[0].bands


def test_one_number_prices_all_times() -> None:
    [band] = bands("{ E1: 0.2845 }")
    assert (band.name, band.rate, band.months, band.days) == ("flat", Decimal("0.2845"), None, None)
    assert bands("{ E1: { unit: MWh, rate: 284.5 } }")[0].rate == Decimal("284.5")


def test_ranges_go_over_the_end_of_the_week_and_the_year() -> None:
    first = bands(
        "{ E1: { bands: [{ name: a, rate: 1, months: 10-3, days: [sat-mon, holiday] }, { name: b, rate: 2 }] } }"
    )[0]
    assert first.months == (1, 2, 3, 10, 11, 12)
    assert first.days == ("mon", "sat", "sun", "holiday")


def test_a_band_may_pass_midnight() -> None:
    night, _ = bands("{ E1: { bands: [{ name: night, rate: 1, from: 22:00, to: 06:00 }, { name: day, rate: 2 }] } }")
    assert [minute for minute in (0, 359, 360, 1319, 1320, 1439) if applies(night, 1, "mon", minute)] == [
        0,
        359,
        1320,
        1439,
    ]
    late, _ = bands(
        "{ E1: { bands: [{ name: late, rate: 1, from: 22:00, to: 00:00, days: fri }, { name: day, rate: 2 }] } }"
    )
    assert (late.from_minute, late.to_minute) == (1320, 1440)


def test_a_holiday_keeps_its_weekday_unless_a_band_names_holidays() -> None:
    week = "{ E1: { bands: [{ name: week, rate: 1, days: mon-fri }, { name: weekend, rate: 2, days: [sat, sun%s] }] } }"
    assert day_types(bands(week % "")) == DAY_TYPES[:7]
    named = bands(week % ", holiday")
    assert day_types(named) == DAY_TYPES
    assert band_of(named, 12, "holiday", 0) == 1


def test_holidays_without_a_price_are_found() -> None:
    problems = load_text(
        HEAD
        + "      energy: { E1: { bands: [{ name: h, rate: 1, days: holiday }, { name: w, rate: 2, days: mon-sat }] } }"
    )
    assert isinstance(problems, list)
    assert [problem.wrong for problem in problems] == ["no band prices sun 00:00–24:00"]


BANDS = st.builds(
    lambda months, days, edges: Band("b", Decimal(1), months, days, *edges),
    st.none() | st.sets(st.integers(1, 12), min_size=1).map(lambda found: tuple(sorted(found))),
    st.none() | st.sets(st.sampled_from(DAY_TYPES), min_size=1).map(tuple),
    st.tuples(st.sampled_from((0, 60, 90, 720, 1380)), st.sampled_from((30, 600, 1000, 1440))),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BANDS, min_size=1, max_size=5))
def test_gaps_and_unused_bands_are_those_that_a_walk_through_the_year_meets(found: list[Band]) -> None:
    reached, gap = set(), False
    for month in range(1, 13):
        for day in day_types(found):
            for minute in range(0, 1440, 10):
                position = band_of(found, month, day, minute)
                gap = gap or position is None
                reached.add(position)
    assert bool(describe_unpriced(found)) == gap
    assert unused_bands(found) == set(range(len(found))) - reached


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0.2845", "0.2845"),
        ("0.28450", "0.2845"),
        ("12", "12"),
        ("100", "100"),
        ("-0.05", "-0.05"),
        ("-0.0", "0"),
        ("0.1", "0.1"),
    ],
)
def test_a_rate_is_the_number_that_was_written(written: str, kept: str) -> None:
    assert decimal_text(bands(f"{{ E1: {written} }}")[0].rate) == kept


@settings(deadline=None)
@given(st.decimals(min_value=-999_999, max_value=999_999, places=9).filter(lambda number: number.is_finite()))
def test_no_rate_passes_through_a_float(number: Decimal) -> None:
    text = f"{number:f}"
    assert bands(f"{{ E1: {text} }}")[0].rate == number
    assert bands(f"{{ E1: '{text}' }}")[0].rate == number


def test_versions_come_in_order_and_number_themselves() -> None:
    versions = tariff("{ E1: 1 }\n    ".rstrip()).versions
    assert [(version.version, version.effective_from) for version in versions] == [(1, date(2026, 1, 1))]


def test_units_convert_exactly_within_what_they_measure() -> None:
    assert conversion("MJ", "kWh") == pytest.approx(1 / 3.6)
    assert conversion("MJ", "kWh") * 18 == 5  # type: ignore[operator]
    assert conversion("gal", "L") * 1_000_000_000 == 3_785_411_784  # type: ignore[operator]
    assert conversion("m3", "kWh") is None
    assert conversion("unspecified", "kWh") is None
    for unit in DIMENSIONS:
        for other in DIMENSIONS:
            there, back = conversion(unit, other), conversion(other, unit)
            assert (there is None) == (back is None) == (DIMENSIONS[unit] != DIMENSIONS[other])
            assert there is None or back is None or there * back == 1
