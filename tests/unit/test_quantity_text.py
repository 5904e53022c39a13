"""Number text to integers: every digit kept, nothing guessed, limits where the contract has them."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.dead_letter import UnableToInterpret
from connectors.quantity_text import NanoByText, canonical_unit, count_of, nano_of


@given(st.integers(-(10**18) + 1, 10**18 - 1), st.integers(0, 9))
@example(10**18 - 1, 9)
@example(0, 0)
def test_every_quantity_within_bounds_comes_back_exactly(nano: int, dropped: int) -> None:
    exact = Decimal(nano).scaleb(-9)
    assert nano_of(f"{exact:f}") == nano
    assert nano_of(f"{exact:E}") == nano
    coarse = abs(nano) // 10**dropped * 10**dropped
    assert nano_of(f"{Decimal(coarse).scaleb(-9):f}".rstrip("0") or "0") == coarse


@given(st.from_regex(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})([eE][+-]?\d{1,2})?", fullmatch=True))
def test_any_number_is_exact_or_refused(text: str) -> None:
    if not text.isascii():
        with pytest.raises(UnableToInterpret):
            nano_of(text)
        return
    nano = Decimal(text).scaleb(9)
    fits = nano == nano.to_integral_value() and abs(nano) < 10**18
    try:
        assert nano_of(text) == nano and fits
    except UnableToInterpret:
        assert not fits


@pytest.mark.parametrize(
    ("text", "nano"),
    [(".005", 5_000_000), ("5.", 5 * 10**9), ("-1.5", -1_500_000_000), ("1.5000000000000", 1_500_000_000)],
)
def test_ways_to_write_a_number(text: str, nano: int) -> None:
    assert nano_of(text) == nano


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (text, "not_a_number")
        for text in ("", ".", "-", "1,5", "1_000", "NaN", "inf", "0x1", "1 2", "٣", "²", "1e", "1" * 65)
    ]
    + [(text, "out_of_range") for text in ("1000000000", "-1e9", "1e9999", "999999999999", "0.1e12")]
    + [(text, "too_fine") for text in ("0.0000000001", "1e-10", "1e-9999", "999999999.9999999999")],
)
def test_what_is_no_quantity(text: str, reason: str) -> None:
    with pytest.raises(UnableToInterpret) as refusal:
        nano_of(text)
    assert refusal.value.reason == reason
    assert refusal.value.message.endswith(".") and refusal.value.remedy.endswith(".")


def test_lookup_gives_the_same_and_stays_bounded() -> None:
    numbers = NanoByText()
    assert numbers[" 1.5 "] == numbers["1.5"] == nano_of("1.5")
    with pytest.raises(UnableToInterpret):
        numbers["x"]
    assert "x" not in numbers
    numbers.update({str(n): n for n in range(NanoByText.LIMIT)})
    numbers.trim()
    assert not numbers


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 18))
def test_a_register_total_keeps_its_own_last_digit(count: int, decimals: int) -> None:
    assert count_of(f"{Decimal(count).scaleb(-decimals):f}") == (count, decimals)


@given(st.decimals(-(10**12), 10**12, places=9), st.integers(0, 6))
def test_a_stated_resolution_rounds_once_half_even(total: Decimal, decimals: int) -> None:
    rounded = total.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    assert count_of(str(total), decimals) == (int(rounded.scaleb(decimals)), decimals)


@pytest.mark.parametrize(
    ("text", "resolution", "count", "decimals"),
    [
        ("139968", None, 139968, 0),
        ("146129.015", None, 146129015, 3),
        ("1.50", None, 150, 2),
        ("-7.068193740872921e-3", None, -7068193740872921, 18),
        ("-7.068193740872921e-3", 3, -7, 3),
        ("56842157.90797222", 3, 56842157908, 3),
        ("0.125", 2, 12, 2),
        ("0.135", 2, 14, 2),
        ("0.12500000000000000001", 2, 13, 2),
        ("1e3", None, 1000, 0),
        ("9223372036854775807", None, 2**63 - 1, 0),
    ],
)
def test_register_totals(text: str, resolution: int | None, count: int, decimals: int) -> None:
    assert count_of(text, resolution) == (count, decimals)


@pytest.mark.parametrize(
    ("text", "resolution", "reason"),
    [
        ("1.832278249396618e21", None, "out_of_range"),
        ("1.832278249396618e21", 3, "out_of_range"),
        ("9223372036854775808", None, "out_of_range"),
        ("1e9999", 0, "out_of_range"),
        ("0.0000000000000000001", None, "too_fine"),
        ("nan", None, "not_a_number"),
        ("", None, "not_a_number"),
    ],
)
def test_what_is_no_register_total(text: str, resolution: int | None, reason: str) -> None:
    with pytest.raises(UnableToInterpret) as refusal:
        count_of(text, resolution)
    assert refusal.value.reason == reason


def test_units_have_one_spelling() -> None:
    assert [
        canonical_unit(text)
        for text in ("KWH", "kwh", " kWh ", "KVARH", "kVArh", "VArh", "wh", "M3", "m³", "furlong", "")
    ] == [
        *["kWh"] * 3,
        *["kvarh"] * 2,
        "varh",
        "Wh",
        *["m3"] * 2,
        "furlong",
        "unspecified",
    ]
