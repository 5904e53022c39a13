"""Text in whichever form it was given, as slices of one buffer or as codes of the different values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Column, Slices, codes_of, listed
from state.outputs import Words


class Text(NamedTuple):
    """Slices, and which of them stand for NULL; those are empty."""

    slices: Slices
    is_null: NDArray[np.bool_]


def as_text(name: str, column: Column) -> Text:
    """A column as slices. Raises TypeError for what is neither text nor bytes, IndexError for codes and places that are not there."""
    if isinstance(column, Slices):
        return Text(_checked(name, column), np.zeros(len(column.start), np.bool_))
    if isinstance(column, Words):
        (data, start, end), is_null = as_text(name, column.values)
        codes = codes_of(name, column)
        return Text(Slices(data, start[codes], end[codes]), is_null[codes])
    values = listed(name, column)
    _refuse_others(name, values)
    texts = [value.encode() if isinstance(value, str) else value or b"" for value in values]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    end = np.cumsum(lengths)
    is_null = np.fromiter((value is None for value in values), np.bool_, len(values))
    return Text(Slices(b"".join(texts), end - lengths, end), is_null)


def as_words(name: str, column: Column) -> Words:
    """A column as codes of the different values. Raises what `as_text` does."""
    if isinstance(column, Words):
        return column
    if isinstance(column, Slices):
        data, start, end = _checked(name, column)
        values: list[Any] = [bytes(data[a:b]) for a, b in zip(start.tolist(), end.tolist(), strict=True)]
    else:
        values = listed(name, column)
        _refuse_others(name, values)
    different = dict.fromkeys(values)
    code_of = dict(zip(different, range(len(different)), strict=True))
    return Words(np.fromiter(map(code_of.__getitem__, values), np.int64, len(values)), tuple(different))


def _refuse_others(name: str, values: Sequence[Any]) -> None:
    taken = (str, bytes, type(None))
    others = sorted(found.__name__ for found in set(map(type, values)) if not issubclass(found, taken))
    if others:
        raise TypeError(f"{name} was given {', '.join(others)}; it takes text or bytes")


def _checked(name: str, slices: Slices) -> Slices:
    data, start, end = slices.data, np.asarray(slices.start, np.int64), np.asarray(slices.end, np.int64)
    if start.shape != end.shape:
        raise ValueError(f"{name} was given Slices of {len(start)} starts and {len(end)} ends")
    if len(start) and (start.min() < 0 or (end < start).any() or end.max() > len(data)):
        raise IndexError(f"{name} was given Slices that are not within their buffer of {len(data)} bytes")
    return Slices(data, start, end)
