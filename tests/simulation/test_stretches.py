"""Rows as stretches: whichever way they were folded they are cut alike, and spelled out they are the rows again."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connectors.clickhouse_columns import Lists
from dataflows.stretches import in_stretches
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import Block, Outputs, Words, plain
from tests.simulation.columns import Columns
from tests.simulation.orderly import orderly_stream
from tests.simulation.rough import rough_stream
from tests.simulation.streams import make_stream

Record = dict[str, Any]
Row = dict[str, Any]
STREAMS: dict[str, Callable[[], list[Record]]] = {
    "orderly": lambda: orderly_stream(5, points=4, days=8),
    "rough": lambda: rough_stream(3),
    "unruly": lambda: make_stream(2, 20).records,
}
COUNTED = {"evidence": ("raw_sub", "origin_sub"), "determinants": ()}
GATHERED = {
    "evidence": {"quantities_nano": "quantity_nano"},
    "determinants": {"quantities_nano": "quantity_nano", "cause_subs": "cause_sub"},
}


def listed(column: Any) -> list[Any]:
    """A column of what goes into the store as a list."""
    if not isinstance(column, Lists):
        return plain(column)
    values = iter(listed(column.elements))
    return [[next(values) for _ in range(number)] for number in column.lengths.tolist()]


def rows_of(blocks: Sequence[Any]) -> list[Row]:
    return [
        dict(zip(block, row, strict=True)) for block in blocks for row in zip(*map(listed, block.values()), strict=True)
    ]


def stretches(stream: str, blocks: list[Block]) -> list[Row]:
    return rows_of(in_stretches(stream, blocks)[1]) if blocks else []


def spelled_out(stream: str, stretch: Row) -> list[Row]:
    """The rows of a stretch, as the views give them."""
    gathered, rows = GATHERED[stream], []
    for at in range(len(stretch["quantities_nano"])):
        row = {name: value for name, value in stretch.items() if name not in (*gathered, "length_ms")}
        row |= {name: stretch[list_][at] for list_, name in gathered.items()}
        row |= {name: row[name] + at for name in COUNTED[stream]}
        row["start_ms"] = stretch["start_ms"] + at * stretch["length_ms"]
        row["end_ms"] = row["start_ms"] + stretch["length_ms"]
        rows.append(row)
    return rows


def texts(rows: list[Row]) -> list[str]:
    return sorted(
        repr(sorted((name, list(value) if isinstance(value, tuple) else value) for name, value in row.items()))
        for row in rows
    )


@pytest.mark.parametrize("name", STREAMS)
def test_both_ways_of_folding_give_the_same_stretches(name: str) -> None:
    records = STREAMS[name]()
    scalar, columnar, columns = Fold(0), BatchFold(Fold(0)), Columns()
    rows_in = stretches_out = 0
    for first in range(0, len(records), 700):
        given = records[first : first + 700]
        expected, got = Outputs(), Outputs()
        for record in given:
            scalar.apply(record, record["curated_offset"], record["append_ms"], expected)
        columnar.apply_batch(columns.batch(given), got)
        for stream in GATHERED:
            made, rows = stretches(stream, got.blocks(stream)), rows_of(expected.blocks(stream))
            assert texts(made) == texts(stretches(stream, expected.blocks(stream)))
            assert texts([row for stretch in made for row in spelled_out(stream, stretch)]) == texts(rows)
            rows_in += len(rows)
            stretches_out += len(made)
    assert 0 < stretches_out < rows_in


def test_a_record_folded_both_ways_is_put_together() -> None:
    """Every third row of a batch came from the scalar step, the others as columns."""
    records = orderly_stream(5, points=4, days=8)
    whole, columns, batches = Outputs(), Columns(), BatchFold(Fold(0))
    batches.apply_batch(columns.batch(records), whole)
    for stream in GATHERED:
        split, blocks = Outputs(), whole.blocks(stream)
        for block in blocks:
            rows = zip(*map(plain, block.values()), strict=True)
            getattr(split, stream).extend(row for at, row in enumerate(rows) if at % 3 == 0)
        kept = [{name: without_every(3, column) for name, column in block.items()} for block in blocks]
        assert texts(stretches(stream, [*kept, *split.blocks(stream)])) == texts(stretches(stream, blocks))


def without_every(step: int, column: Any) -> Any:
    """A column without the values at 0, `step` and so on."""
    if isinstance(column, Words):
        return Words(without_every(step, column.codes), column.values)
    places = [at for at in range(len(column)) if at % step]
    return [column[at] for at in places] if isinstance(column, list) else column[places]
