"""What a column may be given as, and how what does not fit is refused."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from state.outputs import Words


class ValueOutOfRange(ValueError):
    """A value that the column cannot hold exactly, or a NULL where none may be. Nothing of the insert was stored."""


class Slices(NamedTuple):
    """A String column cut out of one buffer: `data[start[i]:end[i]]`, UTF-8, is the value in row i. Slices may overlap."""

    data: bytes | memoryview
    start: NDArray[np.int64]
    end: NDArray[np.int64]


class Lists(NamedTuple):
    """A column of lists: `lengths[i]` elements belong to row i; they stand one row after the other."""

    lengths: NDArray[np.int64]
    elements: Column


Column = Sequence[Any] | NDArray[Any] | Words | Slices | Lists
"""What a column may be given as: a sequence (None = NULL), a numpy array (masked = NULL), Words, Slices or Lists."""


def rows_of(column: Column) -> int:
    """How many rows a column has."""
    if isinstance(column, Words):
        return len(column.codes)
    if isinstance(column, Lists):
        return len(column.lengths)
    return len(column.start) if isinstance(column, Slices) else len(column)


def elements_of(column: Column) -> int:
    """How many values a column has: as many as rows, or as its lists have elements."""
    return rows_of(column.elements if isinstance(column, Lists) else column)


def codes_of(name: str, words: Words) -> NDArray[np.intp]:
    """The codes of Words. Raises IndexError when one of them stands for no value, TypeError when they are not integers."""
    codes = np.asarray(words.codes)
    if len(codes) and codes.dtype.kind not in "iu":
        raise TypeError(f"{name}: the codes of Words are integers, not {codes.dtype}")
    if len(codes) and not (codes.min() >= 0 and codes.max() < len(words.values)):
        raise IndexError(f"{name} has codes {codes.min()} … {codes.max()} for {len(words.values)} values")
    return codes.astype(np.intp, copy=False)


def listed(name: str, column: Column) -> list[Any]:
    """An array or a sequence as a list of Python values, None where masked. Raises TypeError for Slices, which are text, and Lists."""
    if isinstance(column, Slices):
        raise TypeError(f"{name} was given Slices, which are for text")
    if isinstance(column, Lists):
        raise TypeError(f"{name} was given Lists, which are for arrays")
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def refuse_nulls(name: str, is_null: NDArray[np.bool_]) -> None:
    """Raises ValueOutOfRange when any row is NULL."""
    if is_null.any():
        raise ValueOutOfRange(f"{name} may not be NULL ({np.count_nonzero(is_null)} of {len(is_null)} values are)")


def joined(name: str, columns: Sequence[Column]) -> Sequence[Column]:
    """The same rows as one column where all are lists, all Words, or all arrays of one type; or else as they are.

    Many small columns cost by the column, one large one by the row. Raises what `codes_of` does.
    """
    if len(columns) == 1 or len(set(map(type, columns))) != 1:
        return columns
    if words := [column for column in columns if isinstance(column, Words)]:
        return [joined_words(name, words)]
    if lists := [column for column in columns if isinstance(column, list)]:
        return [list(chain.from_iterable(lists))]
    arrays = [column for column in columns if type(column) is np.ndarray]
    return [np.concatenate(arrays)] if len({(array.dtype, array.ndim) for array in arrays}) == 1 else columns


def joined_words(name: str, parts: Sequence[Words]) -> Words:
    """The rows of all parts. Values stand once for all parts that share one tuple of them. Raises what `codes_of` does."""
    codes: list[NDArray[np.intp]] = []
    values: list[Any] = []
    first: dict[int, int] = {}
    for part in parts:
        if id(part.values) not in first:
            first[id(part.values)] = len(values)
            values += part.values
        codes.append(codes_of(name, part) + first[id(part.values)])
    return Words(np.concatenate(codes), tuple(values))
