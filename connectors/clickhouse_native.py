"""Rows in ClickHouse's Native format, the one in which it keeps columns itself: it copies them and parses nothing.

Chosen over Arrow after measuring evidence: Words go in as a dictionary and a byte a row, numbers as the bytes of their array, where
Arrow had a string a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Column, Slices, joined, joined_words, refuse_nulls, rows_of
from connectors.clickhouse_lists import as_lists
from connectors.clickhouse_native_text import DICTIONARY_VERSION, by_dictionary, in_full
from connectors.clickhouse_numbers import numbers
from connectors.clickhouse_pieces import Piece
from connectors.clickhouse_text import as_text, as_words
from connectors.clickhouse_types import ColumnType, column_type


class NativeColumn(NamedTuple):
    """A column as it is sent. `type` may lack the table's dictionary, which ClickHouse then makes; `prefix` stands before all values."""

    type: str
    prefix: bytes
    values: list[Piece]


def native_block(
    table: str, types: Mapping[str, str], blocks: Sequence[Mapping[str, Column]]
) -> tuple[int, list[Piece]]:
    """(rows, their bytes): blocks of the same columns as one. `types` are ClickHouse's, by column; no bytes for no rows.

    Raises what `native_column` does, and ValueError when the columns of a block differ in length, or the blocks in their columns.
    """
    rows = sum(_rows(table, block) for block in blocks)
    names = list(blocks[0]) if blocks else []
    if any(set(block) != set(names) for block in blocks):
        raise ValueError(f"the blocks for {table} are not all of the columns {', '.join(names)}")
    pieces: list[Piece] = [_varint(len(names)), _varint(rows)]
    for name in names:
        column = native_column(f"{table}.{name}", column_type(types[name]), [block[name] for block in blocks])
        pieces += [_word(name), _word(column.type), column.prefix, *column.values]
    return rows, pieces if rows else []


def native_column(name: str, kind: ColumnType, columns: Sequence[Column]) -> NativeColumn:
    """The rows of all `columns` as one column. `name` is table.column.

    Raises ValueOutOfRange, TypeError, and IndexError for Words and Slices that point nowhere.
    """
    if kind.element is not None:
        lists = [as_lists(name, column) for column in joined(name, columns)]
        inner = native_column(name, kind.element, [elements for _, elements in lists])
        ends = np.cumsum(np.concatenate([lengths for lengths, _ in lists])).astype("<u8")
        return NativeColumn(f"Array({inner.type})", inner.prefix, [ends, *inner.values])
    if kind.bare == "String":
        return _text(name, kind, joined(name, columns))
    found = [numbers(name, kind, column) for column in joined(name, columns)]
    return _plain(name, kind, [data for data, _ in found], [is_null for _, is_null in found])


def _text(name: str, kind: ColumnType, columns: Sequence[Column]) -> NativeColumn:
    """By dictionary where the table has one, but for Slices alone, which ClickHouse is quicker to look up."""
    if kind.has_dictionary and not all(isinstance(column, Slices) for column in columns):
        words = joined_words(name, [as_words(name, column) for column in columns])
        written = "LowCardinality(Nullable(String))" if kind.is_nullable else "LowCardinality(String)"
        return NativeColumn(written, DICTIONARY_VERSION, by_dictionary(name, words, kind.is_nullable))
    texts = [as_text(name, column) for column in columns]
    return _plain(name, kind, [in_full(slices) for slices, _ in texts], [is_null for _, is_null in texts])


def _plain(name: str, kind: ColumnType, values: Sequence[Piece], is_null: Sequence[NDArray[np.bool_]]) -> NativeColumn:
    """Values without a dictionary. Where they may be NULL, a byte a row before them says which are."""
    if kind.is_nullable:
        return NativeColumn(f"Nullable({kind.bare})", b"", [*is_null, *values])
    for found in is_null:
        refuse_nulls(name, found)
    return NativeColumn(kind.bare, b"", [*values])


def _rows(table: str, block: Mapping[str, Column]) -> int:
    lengths = {name: rows_of(column) for name, column in block.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns for {table} differ in length: {lengths}")
    return max(lengths.values(), default=0)


def _word(text: str) -> bytes:
    return _varint(len(text.encode())) + text.encode()


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all but the last byte have the eighth."""
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])
