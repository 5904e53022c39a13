"""Decimals as ClickHouse stores them: integers of 4 to 32 bytes that count units of the last place."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import ValueOutOfRange


def stored_decimals(name: str, precision: int, places: int, values: Iterable[Decimal | str | int]) -> NDArray[Any]:
    """Exact numbers as stored in `Decimal(precision, places)`. Raises ValueOutOfRange for one that has more digits."""
    width = next(width for width, digits in ((4, 9), (8, 18), (16, 38), (32, 76)) if precision <= digits)
    counts = (_units(name, precision, places, value) for value in values)
    return np.frombuffer(b"".join(count.to_bytes(width, "little", signed=True) for count in counts), f"V{width}")


def _units(name: str, precision: int, places: int, value: Decimal | str | int) -> int:
    """`value` in units of the last place, by its digits alone: arithmetic would round to the 28 of the decimal context."""
    try:
        sign, digits, exponent = Decimal(value).as_tuple()
    except InvalidOperation as error:
        raise ValueOutOfRange(f"{name}: {value!r} is no number") from error
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not isinstance(exponent, int):
        raise ValueOutOfRange(f"{name}: {value} is no number")
    last = exponent + len(text) - len(significant)  # the power of ten of the last significant digit
    if significant and (last < -places or exponent + len(text) > precision - places):
        raise ValueOutOfRange(
            f"{name} holds {precision - places} digits before the point and {places} after; {value} does not fit"
        )
    if not significant:
        return 0
    count = int(significant + "0" * (last + places))
    return -count if sign else count
