"""The values of charges as they are written: bounds, shares, factors, what money is rounded to. Exact, with nine decimals at most."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import PlainValidator

from connectors.quantity_text import canonical_unit
from meterfold.portfolio.written import bad, read_decimal, read_rate, read_text

_BILLED_UNIT: Final = re.compile(r"(?=.*[^\W\d_])[\w³/·. -]{1,16}")
_STEPS_OF_MONEY: Final = frozenset({"1", "2", "5", "25"})


def within(fits: Callable[[Decimal], bool], is_not: str, do: str) -> PlainValidator:
    """A reader of decimal numbers that fit; `is_not` completes "`5` is not …"."""

    def read(value: Any) -> Decimal:
        number = read_decimal(value)
        if number != round(number, 9) or not fits(number):
            raise bad(f"`{value}` is not {is_not}, with at most nine decimals", do)
        return number

    return PlainValidator(read)


def read_billed_unit(value: Any) -> str:
    """A unit in its one spelling; or, since `steps` may end in any unit, another short word such as therm or ccf."""
    unit = canonical_unit(read_text(value))
    if not _BILLED_UNIT.fullmatch(unit):
        raise bad(f"`{value}` is no unit", "write a short word, such as kWh, m3 or therm")
    return unit


def read_percentage(value: Any) -> Decimal:
    """A share of other charges, negative for a discount; not 5 for five per cent."""
    number = read_rate(value)
    if number == 0 or not -1 <= number < 2:
        do = "write 5 % as 0.05, and a discount of 5 % as -0.05"
        raise bad(f"`{value}` is no share from -1 to below 2, or is 0", do)
    return number


def read_round_to(value: Any) -> Decimal:
    """1, 2, 5 or 25 times a power of ten, from 10⁻⁹ to 10⁶: 0.01, 0.05, 0.25, 1, 10."""
    number = read_decimal(value)
    digits = f"{number:f}".replace(".", "").strip("0")
    if digits not in _STEPS_OF_MONEY or number != round(number, 9) or not 0 < number <= 10**6:
        do = "write 1, 2, 5 or 25 times a power of ten: 0.01, 0.05, 1, 10"
        raise bad(f"`{value}` is nothing that is rounded to", do)
    return number


def read_step(value: Any) -> int:
    """Minutes that divide the hour, or whole hours up to a day, in seconds."""
    text = read_text(value)
    minutes = int(text) if re.fullmatch(r"\d{1,4}", text, re.ASCII) else 0
    if not minutes or (60 % minutes and (minutes % 60 or 1440 % minutes)):
        raise bad(f"`{text}` is no step of time", "write minutes: 15, 30 or 60")
    return minutes * 60


BilledUnit = Annotated[str, PlainValidator(read_billed_unit)]
StepLength = Annotated[int, PlainValidator(read_step)]
PercentageShare = Annotated[Decimal, PlainValidator(read_percentage)]
RoundTo = Annotated[Decimal, PlainValidator(read_round_to)]
Bound = Annotated[Decimal, within(lambda n: 0 < n < 10**12, "above zero and below 10¹²", "write a quantity")]
Share = Annotated[Decimal, within(lambda n: 0 < n <= 10, "a share above 0 and up to 10", "write 92 % as 0.92")]
RatchetShare = Annotated[Decimal, within(lambda n: 0 < n <= 1, "a share above 0 and up to 1", "write 80 % as 0.8")]
Factor = Annotated[Decimal, within(lambda n: 0 < n < 10**6, "above zero and below a million", "write a factor")]
NumberOf = Annotated[Decimal, within(lambda n: 0 <= n < 10**9, "from zero to below 10⁹", "write a number")]
Amount = Annotated[Decimal, within(lambda n: 0 < n < 10**9, "above zero and below 10⁹", "write an amount of money")]
AtLeast = Annotated[Decimal, within(lambda n: 0 <= n < 10**9, "from zero to below 10⁹", "write a quantity per hour")]
