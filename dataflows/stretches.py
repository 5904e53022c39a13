"""Rows of the fold as stretches: those in a row that one record caused, alike but for their quantities, become one row of a table.

A day of half-hours arrives as one list, is mostly judged alike and hardens its windows alike; a row each was most of what the road
cost. Where a stretch ends follows from the rows of a record alone, so it is the same whatever batch the record came in, and whichever
way of folding took its parts: what a crash makes the flow repeat lands on itself. The views `evidence` and `determinants` spell the
stretches out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse_columns import Column, Lists
from state.outputs import COLUMNS, Block, Words, plain

_RECORD: Final = "curated_offset"


class _Shape(NamedTuple):
    """How rows of a stream become stretches. Columns that are not named are the same in all rows of a stretch."""

    table: str
    gathered: Mapping[str, str]
    """Column → that of the list of them all."""
    counted: tuple[str, ...]
    """Rise by one from row to row; the first one's stands."""
    key: tuple[str, ...]
    """What the rows of a record are put in order by."""


_SHAPES: Final = {
    "evidence": _Shape(
        "evidence_stretches", {"quantity_nano": "quantities_nano"}, ("raw_sub", "origin_sub"), ("raw_partition", "raw_offset", "raw_sub")
    ),
    "determinants": _Shape(
        "determinant_stretches", {"quantity_nano": "quantities_nano", "cause_sub": "cause_subs"}, (),
        ("supply_point", "channel", "start_ms"),
    ),
}  # fmt: skip


def in_stretches(stream: str, blocks: Sequence[Block]) -> tuple[str, list[dict[str, Column]]]:
    """The table that a stream goes into, and the blocks as it takes them. Each record's rows are all among them."""
    shape = _SHAPES.get(stream)
    if shape is None:
        return stream, [dict(block) for block in blocks]
    if len(blocks) == 1 and isinstance(blocks[0][_RECORD], np.ndarray):
        return shape.table, [_of_columns(shape, blocks[0])]
    split = _in_several(blocks)
    found = []
    rows: list[dict[str, Any]] = []
    for block in blocks:
        is_split = np.isin(np.asarray(block[_RECORD]), split)
        if not isinstance(block[_RECORD], np.ndarray):
            is_split[:] = True
        if not is_split.all():
            found.append(_of_columns(shape, _chosen(block, ~is_split) if is_split.any() else block))
        rows += _rows(_chosen(block, is_split)) if is_split.any() else []
    if rows:
        found.append(_of_rows(shape, stream, rows))
    return shape.table, found


def _in_several(blocks: Sequence[Block]) -> NDArray[np.int64]:
    """Records with rows in several blocks."""
    records, number = np.unique(
        np.concatenate([np.unique(np.asarray(block[_RECORD])) for block in blocks]), return_counts=True
    )
    return records[number > 1]


# -- row by row ---------------------------------------------------------------------------------------------------------


def _of_rows(shape: _Shape, stream: str, rows: list[dict[str, Any]]) -> dict[str, Column]:
    """Rows one by one: what `_of_columns` gives for the same rows."""
    rows.sort(key=lambda row: (row[_RECORD], *(row[name] for name in shape.key)))
    stretches = list(_cut(shape, rows))
    columns: dict[str, Column] = {}
    for name in COLUMNS[stream]:
        if name in shape.gathered:
            columns[shape.gathered[name]] = [[row[name] for row in stretch] for stretch in stretches]
        elif name == "end_ms":
            columns["length_ms"] = [stretch[0]["end_ms"] - stretch[0]["start_ms"] for stretch in stretches]
        else:
            columns[name] = [stretch[0][name] for stretch in stretches]
    return columns


def _cut(shape: _Shape, rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    stretch = rows[:1]
    for before, row in pairwise(rows):
        if _goes_on(shape, before, row):
            stretch.append(row)
        else:
            yield stretch
            stretch = [row]
    yield stretch


def _goes_on(shape: _Shape, before: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a row belongs to the stretch of the one before it."""
    return (
        row["start_ms"] == before["end_ms"]
        and row["end_ms"] - row["start_ms"] == before["end_ms"] - before["start_ms"]
        and all(row[name] == before[name] + 1 for name in shape.counted)
        and all(row[name] == before[name] for name in row if not _differs(shape, name))
    )


def _differs(shape: _Shape, name: str) -> bool:
    """Whether a column may differ within a stretch."""
    return name in shape.gathered or name in shape.counted or name in ("start_ms", "end_ms")


# -- in columns ---------------------------------------------------------------------------------------------------------


def _of_columns(shape: _Shape, block: Block) -> dict[str, Column]:
    """The rows of a block, those of each record together and in the order of the key."""
    start, end = np.asarray(block["start_ms"]), np.asarray(block["end_ms"])
    length = end - start
    begins = np.ones(len(start), bool)
    if len(start):
        begins[1:] = (start[1:] != end[:-1]) | (length[1:] != length[:-1])
    for name, column in block.items():
        if name in shape.counted:
            values = np.asarray(column)
            begins[1:] |= values[1:] != values[:-1] + 1
        elif not _differs(shape, name):
            _where_it_changes(column, begins)
    first = np.flatnonzero(begins)
    lengths = np.diff(first, append=len(start))
    columns: dict[str, Column] = {}
    for name, column in block.items():
        if name in shape.gathered:
            columns[shape.gathered[name]] = Lists(lengths, column)
        elif name == "end_ms":
            columns["length_ms"] = length[first]
        else:
            columns[name] = _taken(column, first)
    return columns


def _where_it_changes(column: Any, begins: NDArray[np.bool_]) -> None:
    """Mark the rows whose value is another than that before them. Words of several codes are several words."""
    values = column.codes if isinstance(column, Words) else column
    if isinstance(column, Words) and len(column.values) == 1:
        return
    if not isinstance(values, np.ma.MaskedArray):
        begins[1:] |= values[1:] != values[:-1]
        return
    data, is_null = np.ma.getdata(values), np.ma.getmaskarray(values)  # what lies under a NULL means nothing
    begins[1:] |= (is_null[1:] != is_null[:-1]) | ((data[1:] != data[:-1]) & ~is_null[1:])


def _taken(column: Any, places: NDArray[Any]) -> Column:
    if isinstance(column, Words):
        return Words(column.codes[places], column.values)
    taken: Column = column[places]
    return taken


def _chosen(block: Block, is_chosen: NDArray[np.bool_]) -> Block:
    """Some rows of a block."""
    places = np.flatnonzero(is_chosen)
    return {
        name: [column[at] for at in places.tolist()] if isinstance(column, list) else _taken(column, places)  # type: ignore[misc]
        for name, column in block.items()
    }


def _rows(block: Block) -> list[dict[str, Any]]:
    columns = [
        [tuple(value) if isinstance(value, list) else value for value in plain(column)] for column in block.values()
    ]
    return [dict(zip(block, row, strict=True)) for row in zip(*columns, strict=True)]
