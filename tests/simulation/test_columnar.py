"""The batch fold against the scalar step: the same rows and the same state, whatever the stream and wherever it is cut."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import COLUMNS, Outputs
from state.ring_pages import PAGE_SHIFT
from state.snapshot import restore, snapshot
from tests.simulation.columns import Columns
from tests.simulation.orderly import orderly_stream
from tests.simulation.rough import page_shift, rough_stream
from tests.simulation.streams import make_stream

Record = dict[str, Any]
ORDERLY = range(4)
UNRULY = range(1)
ROUGH = range(6)
LONG = range(1_000, 3_000)


def units(records: list[Record]) -> int:
    """How many units the records are."""
    return sum(len(record.get("quantities_nano", (0,))) for record in records)


def cut(records: list[Record], rng: Random) -> Iterator[list[Record]]:
    """The records in batches of random size. Some end inside a list: its first elements, then all of it with the next batch."""
    held: list[Record] = []
    left = rng.choice([1, 5, 60, 900])
    for record in records:
        number = len(record.get("quantities_nano", ()))
        left -= 1
        if left <= 0 and number > 1 and rng.random() < 0.5:
            yield [*held, {**record, "quantities_nano": record["quantities_nano"][: rng.randrange(1, number)]}]
            held = []
        held.append(record)
        if left <= 0:
            yield held
            held, left = [], rng.choice([1, 5, 60, 900])
    yield held


def compare(records: list[Record], seed: int, name: str, shift: int = PAGE_SHIFT) -> int:
    """Both folds over the same batches, the batch fold's pages of 2 to `shift` slots; returns how many units array code took."""
    rng = Random(seed)
    scalar, columnar, columns = Fold(0), BatchFold(Fold(0)), Columns()
    in_columns = 0
    for number, given in enumerate(cut(records, rng)):
        expected, got = Outputs(), Outputs()
        for record in given:
            scalar.apply(record, record["curated_offset"], record["append_ms"], expected)
        with page_shift(shift):
            columnar.apply_batch(columns.batch(given), got)
        in_columns += len(got.rows("evidence")) - len(got.evidence)
        scalar.ledger_rows(expected)
        columnar.fold.ledger_rows(got)
        for stream in COLUMNS:
            assert sorted(map(repr, got.rows(stream))) == sorted(map(repr, expected.rows(stream))), (
                name,
                number,
                stream,
            )
        if rng.random() < 0.2:
            state = snapshot(scalar)
            assert snapshot(columnar.fold) == state, (name, number, "state")
            with page_shift(shift):
                columnar = BatchFold(restore(state))
    assert snapshot(columnar.fold) == snapshot(scalar), name
    return in_columns


def test_mostly_clean_streams(tell: Callable[[str], None]) -> None:
    taken = whole = 0
    for seed in ORDERLY:
        records = orderly_stream(seed, points=6, days=12)
        taken += compare(records, seed, f"orderly_stream({seed}, 6, 12)")
        whole += units(records)
    tell(f"{whole:,} units of {len(ORDERLY)} streams, {taken / whole:.0%} of them judged in columns")
    assert taken > 0.8 * whole, "the streams hardly exercise the array code"


@pytest.mark.long
def test_unruly_streams() -> None:
    assert sum(compare(make_stream(seed, 20).records, seed, f"make_stream({seed}, 20)") for seed in UNRULY)


@pytest.mark.parametrize(
    "shift", [3, pytest.param(4, marks=pytest.mark.long), pytest.param(PAGE_SHIFT, marks=pytest.mark.long)]
)
def test_rough_streams_on_small_pages(shift: int) -> None:
    """Pages of eight slots begin, are kept apart, widened, made narrow again and forgotten all the time."""
    for seed in ROUGH:
        assert compare(rough_stream(seed), seed, f"rough_stream({seed}), shift {shift}", shift)


@pytest.mark.long
def test_a_million_records(tell: Callable[[str], None]) -> None:
    taken = whole = records = 0
    for seed in LONG:
        stream = orderly_stream(seed, points=4, days=6) if seed % 20 else make_stream(seed, 20).records
        if seed % 3 == 0:
            stream = rough_stream(seed)
        taken += compare(stream, seed, f"seed {seed}", (3, 4, PAGE_SHIFT)[seed % 7 % 3])
        whole += units(stream)
        records += len(stream)
    tell(f"{records:,} records, {whole:,} units of {len(LONG)} streams, {taken / whole:.0%} judged in columns")
