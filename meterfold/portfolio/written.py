"""The small values of a portfolio as they are written: ids, numbers, dates, durations. Text in, exact values out.

Each reader raises pydantic's `PydanticCustomError` with a code of `problem.CODES`, what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import PlainValidator
from pydantic_core import PydanticCustomError

from connectors.quantity_text import canonical_unit
from meterfold.portfolio.calendar import EARLIEST_YEAR, LAST_YEAR, Moment
from meterfold.portfolio.problem import Fault
from meterfold.portfolio.units import DIMENSIONS

LOCAL_DAY: Final = "LOCAL_DAY"
DAY_TYPES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")
_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:*#+~()-]{0,63}", re.ASCII)
_SLASHED_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:*#+~()/-]{0,159}", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_DURATION: Final = re.compile(r"(\d{1,6}) ?(s|min|h|d)", re.ASCII)
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d)", re.ASCII)
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def refused(fault: Fault) -> PydanticCustomError:
    """A fault as the error that pydantic collects."""
    return PydanticCustomError(fault.code, "{wrong}", {"wrong": fault.wrong, "do": fault.do})


def bad(wrong: str, do: str) -> PydanticCustomError:
    """A `bad_value`."""
    return refused(Fault("bad_value", wrong, do))


def read_text(value: Any) -> str:
    """One line of text."""
    if not isinstance(value, str):
        given = "nothing" if value is None else "true or false" if isinstance(value, bool) else "more than one value"
        raise refused(Fault("wrong_shape", f"{given} where one value belongs", "write one value"))
    if not value.strip() or value != value.strip() or not value.isprintable() or len(value) > 200:
        raise bad(
            f"`{value[:40]}` is empty, has space around it or is longer than a line", "write a short line of text"
        )
    return value


def read_id(value: Any) -> str:
    """An id of ours: ASCII letters, digits and `_ . : * # + ~ ( ) -`, no spaces or slashes, at most 64."""
    if not _ID.fullmatch(read_text(value)):
        raise bad(f"`{value}` is no id", "use letters, digits and . _ : - without spaces, at most 64")
    return str(value)


def read_tenancy_id(value: Any) -> str:
    """As `read_id`, with slashes."""
    if not _SLASHED_ID.fullmatch(read_text(value)):
        raise bad(f"`{value}` is no id", "use letters, digits and . _ : / - without spaces")
    return str(value)


def read_party_id(value: Any) -> str:
    """An id that means nothing outside the party store; a name or an e-mail address does not pass."""
    if not _ID.fullmatch(read_text(value)):
        wrong = f"`{value}` is no party id"
        raise refused(Fault("personal_data", wrong, "write the id of the party store; names and addresses stay there"))
    return str(value)


def read_decimal(value: Any) -> Decimal:
    """A decimal number, exactly as written: at most 18 digits before and after the point."""
    text = read_text(value)
    if not _NUMBER.fullmatch(text):
        do = "write a point for the comma" if "," in text else "write digits and at most one point, such as 0.2845"
        raise bad(f"`{text}` is no decimal number", do)
    return Decimal(text)


def read_positive(value: Any) -> Decimal:
    """A decimal number above zero."""
    number = read_decimal(value)
    if number <= 0:
        raise bad(f"`{value}` is not above zero", "write a number above zero")
    return number


def read_money(value: Any) -> Decimal:
    """An amount; how many decimals it may have depends on its currency."""
    number = read_decimal(value)
    if abs(number) >= 10**12:
        raise bad(f"`{value}` is not below 10¹²", "check the amount")
    return number


def read_rate(value: Any) -> Decimal:
    """A price: at most nine decimals, below a million."""
    number = read_decimal(value)
    if number != round(number, 9) or abs(number) >= 10**6:
        raise bad(
            f"`{value}` has more than nine decimals, or is not below a million",
            "write a price in the main unit of money",
        )
    return number


def read_tax_rate(value: Any) -> Decimal:
    """A fraction in [0, 1)."""
    number = read_rate(value)
    if not 0 <= number < 1:
        raise bad(f"`{value}` is not a fraction from 0 to 1", "write 19 % as 0.19")
    return number


def integer(lowest: int, highest: int) -> Callable[[Any], int]:
    """A reader of whole numbers in [lowest, highest]."""

    def read(value: Any) -> int:
        text = read_text(value)
        if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII) or not lowest <= int(text) <= highest:
            raise bad(f"`{text}` is no whole number from {lowest:,} to {highest:,}", "write such a number")
        return int(text)

    return read


def read_flag(value: Any) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise bad(f"`{value}` is neither true nor false", "write true or false")
    return value


def read_date(value: Any) -> date:
    """A calendar day, `2026-01-31`."""
    text = read_text(value)
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST_YEAR <= day.year <= LAST_YEAR:
        years = f"{EARLIEST_YEAR} to {LAST_YEAR}"
        raise bad(f"`{text}` is no date in the years {years}", "write the date as 2026-01-31")
    return day


def read_moment(value: Any) -> Moment:
    """`2026-03-04` (the first instant of that local day), `2026-03-04 10:07` (local), or with seconds, `Z` or `+01:00`."""
    text = read_text(value)
    match = _MOMENT.fullmatch(text)
    try:
        stamp = datetime.fromisoformat(text) if match else None
    except ValueError:
        stamp = None
    if match is None or stamp is None or not EARLIEST_YEAR <= stamp.year <= LAST_YEAR:
        do = "write 2026-03-04, 2026-03-04 10:07 or 2026-03-04T10:07:00+01:00"
        raise bad(f"`{text}` is no date or time in the years {EARLIEST_YEAR} to {LAST_YEAR}", do)
    if stamp.tzinfo is not None:
        return Moment(text, stamp.astimezone(UTC).replace(tzinfo=None), in_utc=True)
    return Moment(text, stamp, whole_day=match[2] is None)


def read_duration(value: Any) -> int:
    """`90s`, `30min`, `2h`, `7d` or `0`, in seconds."""
    text = read_text(value)
    match = _DURATION.fullmatch(text)
    if text != "0" and match is None:
        raise bad(f"`{text}` is no duration", "write a number with its unit, such as 90s, 30min, 2h or 7d")
    return int(match[1]) * _SECONDS[match[2]] if match else 0


def read_grid(value: Any) -> int | str:
    """Whole minutes (`15` or `15min`) in seconds, or `local_day` as LOCAL_DAY."""
    text = read_text(value)
    if text == "local_day":
        return LOCAL_DAY
    minutes = text.removesuffix("min").strip()
    if not re.fullmatch(r"\d{1,4}", minutes, re.ASCII) or int(minutes) == 0:
        raise bad(f"`{text}` is no interval length", "write whole minutes, such as 15, or local_day")
    return int(minutes) * 60


def read_clock(value: Any) -> int:
    """`HH:MM`, 00:00 to 24:00, in minutes since local midnight."""
    match = _CLOCK.fullmatch(read_text(value))
    minute = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minute <= 1440:
        raise bad(f"`{value}` is no time of day", "write HH:MM, 00:00 to 24:00")
    return minute


def read_gate_at(value: Any) -> int:
    """As `read_clock`, below 24:00."""
    minute = read_clock(value)
    if minute == 1440:
        raise bad("`24:00` is the next day", "write 00:00 and one day more")
    return minute


def read_unit(value: Any) -> str:
    """A unit in the one spelling that the connectors deliver (`KWH` becomes kWh)."""
    unit = canonical_unit(read_text(value))
    if unit not in DIMENSIONS:
        raise refused(
            Fault("unknown_unit", f"`{value}` is no unit of a metered quantity", f"use one of {', '.join(DIMENSIONS)}")
        )
    return unit


def read_currency(value: Any) -> str:
    """Three capital letters, as ISO 4217."""
    if not re.fullmatch(r"[A-Z]{3}", read_text(value)):
        raise bad(f"`{value}` is no currency", "write its three letters, such as EUR")
    return str(value)


def ranged(names: tuple[str, ...], what: str, example: str) -> Callable[[Any], tuple[str, ...]]:
    """A reader of a list of names, or of ranges of them (`mon-fri`, `oct-mar`); the names come back once, in their own order."""

    def read(value: Any) -> tuple[str, ...]:
        chosen: set[str] = set()
        for item in value if isinstance(value, list) else [value]:
            first, _, last = read_text(item).lower().partition("-")
            last = last or first
            if first not in names or last not in names:
                raise bad(f"`{item}` is no {what}", f"write {example}")
            start, end = names.index(first), names.index(last)
            chosen.update(names[start : end + 1] if start <= end else names[start:] + names[: end + 1])
        if not chosen:
            raise bad(f"no {what} at all", f"write {example}, or leave the key out for all of them")
        return tuple(name for name in names if name in chosen)

    return read


_MONTHS: Final = ranged(tuple(str(month) for month in range(1, 13)), "month", "1 to 12, or a range such as 10-3")


def read_months(value: Any) -> tuple[int, ...]:
    """Months 1 to 12, ascending."""
    return tuple(int(month) for month in _MONTHS(value))


Text = Annotated[str, PlainValidator(read_text)]
Id = Annotated[str, PlainValidator(read_id)]
TenancyId = Annotated[str, PlainValidator(read_tenancy_id)]
PartyId = Annotated[str, PlainValidator(read_party_id)]
Currency = Annotated[str, PlainValidator(read_currency)]
Unit = Annotated[str, PlainValidator(read_unit)]
Positive = Annotated[Decimal, PlainValidator(read_positive)]
Money = Annotated[Decimal, PlainValidator(read_money)]
Rate = Annotated[Decimal, PlainValidator(read_rate)]
TaxRate = Annotated[Decimal, PlainValidator(read_tax_rate)]
Flag = Annotated[bool, PlainValidator(read_flag)]
Day = Annotated[date, PlainValidator(read_date)]
When = Annotated[Moment, PlainValidator(read_moment)]
Duration = Annotated[int, PlainValidator(read_duration)]
GridLength = Annotated[int | str, PlainValidator(read_grid)]
Clock = Annotated[int, PlainValidator(read_clock)]
GateAt = Annotated[int, PlainValidator(read_gate_at)]
Months = Annotated[tuple[int, ...], PlainValidator(read_months)]
Days = Annotated[
    tuple[str, ...], PlainValidator(ranged(DAY_TYPES, "day", "mon to sun, holiday, or a range such as mon-fri"))
]
