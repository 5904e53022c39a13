"""Columns of lists, taken apart into the length of each list and the elements of all."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Column, Lists, codes_of, listed, refuse_nulls
from state.outputs import Words


def as_lists(name: str, column: Column) -> Lists:
    """A column of lists. Raises ValueOutOfRange for None, TypeError for text and what else is no list, IndexError for Words."""
    if isinstance(column, Lists):
        return column
    if isinstance(column, Words):
        lengths, elements = _of_values(name, column.values)
        codes = codes_of(name, column)
        first, lengths = (np.cumsum(lengths) - lengths)[codes], lengths[codes]
        behind = first - (np.cumsum(lengths) - lengths)
        return Lists(lengths, Words(np.arange(lengths.sum()) + np.repeat(behind, lengths), tuple(elements)))
    return Lists(*_of_values(name, listed(name, column)))


def _of_values(name: str, values: list[Any] | tuple[Any, ...]) -> tuple[NDArray[np.int64], list[Any]]:
    refuse_nulls(name, np.array([value is None for value in values], np.bool_))
    others = sorted(found.__name__ for found in set(map(type, values)) if not issubclass(found, list | tuple))
    if others:
        raise TypeError(f"{name} was given {', '.join(others)}; it takes lists")
    return np.array([len(value) for value in values], np.int64), list(chain.from_iterable(values))
