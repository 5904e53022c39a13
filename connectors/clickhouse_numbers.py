"""Columns whose values all have one width: integers, Bool, Date and Decimal, as the arrays that ClickHouse stores."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Column, codes_of, listed
from connectors.clickhouse_decimals import stored_decimals
from connectors.clickhouse_integers import stored_array, stored_list
from connectors.clickhouse_types import ColumnType
from state.outputs import Words

_EPOCH: Final = date(1970, 1, 1)
_INTEGERS: Final = frozenset({int, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64})


class Numbers(NamedTuple):
    """A column as stored, and in which rows it is NULL. What `data` has in place of a NULL means nothing."""

    data: NDArray[Any]
    is_null: NDArray[np.bool_]


def numbers(name: str, kind: ColumnType, column: Column) -> Numbers:
    """A column as a type of one width stores it.

    Raises ValueOutOfRange, TypeError for floats and whatever else is not of the type, IndexError for Words that point nowhere.
    """
    if isinstance(column, Words):
        few, codes = numbers(name, kind, column.values), codes_of(name, column)
        return Numbers(few.data[codes], few.is_null[codes] if few.is_null.any() else np.zeros(len(codes), np.bool_))
    if isinstance(column, np.ndarray) and column.dtype.kind in "iubf" and not kind.decimal:
        unmasked = column.filled(0) if isinstance(column, np.ma.MaskedArray) else column
        return Numbers(stored_array(name, kind.bare, unmasked), np.ma.getmaskarray(column))
    values = listed(name, column)
    is_null = np.fromiter((value is None for value in values), np.bool_, len(values))
    present = _stored(name, kind, [value for value in values if value is not None])
    data = np.zeros(len(values), present.dtype)
    data[~is_null] = present
    return Numbers(data, is_null)


def _stored(name: str, kind: ColumnType, values: list[Any]) -> NDArray[Any]:
    if kind.decimal:
        _refuse_others(name, kind, values, frozenset({Decimal, str, int}))
        return stored_decimals(name, *kind.decimal, values)
    if kind.bare == "Date":
        _refuse_others(name, kind, values, frozenset({date}))
        return stored_list(name, kind.bare, [(value - _EPOCH).days for value in values])
    _refuse_others(name, kind, values, frozenset({bool, np.bool_}) if kind.bare == "Bool" else _INTEGERS)
    return stored_list(name, kind.bare, values)


def _refuse_others(name: str, kind: ColumnType, values: list[Any], taken: frozenset[type]) -> None:
    """Python would make integers of floats, numbers of truths and days of instants; none of them is what was given."""
    others = sorted(found.__name__ for found in set(map(type, values)) - taken)
    if others:
        takes = ", ".join(sorted(found.__name__ for found in taken if found.__module__ != "numpy"))
        raise TypeError(f"{name} ({kind.bare}) was given {', '.join(others)}; it takes {takes}")
