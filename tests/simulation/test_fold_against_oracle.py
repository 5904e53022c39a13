"""The fold against the independent oracle, over seeded streams of sixty days: every row of every stream, whatever the restarts.

A failing seed is run again by the command that its failure prints.
"""

from collections import Counter
from random import Random

import pytest

from state.fold import Fold
from state.outputs import Outputs
from state.snapshot import restore, snapshot
from tests.simulation.comparison import STREAMS, first_difference, fold_rows, oracle_rows
from tests.simulation.oracle import check_conservation
from tests.simulation.streams import Stream, make_stream

SHORT = range(5)
LONG = range(100, 200)


@pytest.fixture(scope="module")
def seeds(request: pytest.FixtureRequest) -> list[int]:
    """The seeds of this run: `--seed N` for one."""
    chosen: int | None = request.config.getoption("--seed")
    return list(SHORT) if chosen is None else [chosen]


def rerun(seed: int) -> str:
    """The one command that shows a failing seed again."""
    return f"rerun: .venv/bin/python -m pytest 'tests/simulation/test_fold_against_oracle.py' --seed {seed}"


@pytest.fixture(scope="module")
def streams() -> dict[int, Stream]:
    """Streams made once for all tests of this file."""
    return {}


def _stream(streams: dict[int, Stream], seed: int) -> Stream:
    if seed not in streams:
        streams[seed] = make_stream(seed)
    return streams[seed]


def _compare(stream: Stream) -> None:
    difference = first_difference(fold_rows(stream.records), oracle_rows(stream.oracle.rows))
    assert not difference, f"{difference}\n{rerun(stream.seed)}"


def test_invariant_1_conservation(streams: dict[int, Stream], seeds: list[int]) -> None:
    """Hardened quantity + adjustments = what a replay gives = what the oracle gives, exactly."""
    for seed in seeds:
        stream = _stream(streams, seed)
        _compare(stream)
        check_conservation(stream.oracle)


def test_invariant_2_determinism_over_restarts_and_repeats(streams: dict[int, Stream], seeds: list[int]) -> None:
    """Snapshots, restores and a log read twice change no row: what comes out is a function of the log alone."""
    for seed in seeds[:3]:
        records = _stream(streams, seed).records
        undisturbed = fold_rows(records)
        assert fold_rows(records, restarts=Random(seed)) == undisturbed, rerun(seed)
        half = len(records) // 2
        repeated = fold_rows([*records[:half], *records[half // 2 : half], *records[half:]])
        assert {name: repeated[name] for name in STREAMS} == {name: undisturbed[name] for name in STREAMS}, rerun(seed)


def test_invariant_3_every_input_has_one_verdict(streams: dict[int, Stream], seeds: list[int]) -> None:
    """The ledger counts what evidence lists, verdict by verdict; a row is given once."""
    for seed in seeds:
        rows = fold_rows(_stream(streams, seed).records)
        verdicts = Counter(dict(row)["verdict"] for row in rows["evidence"])
        ledger = {dict(row)["outcome"]: dict(row)["count"] for row in rows["ledger"]}
        assert {name: n for name, n in ledger.items() if not name.startswith("control:")} == verdicts, rerun(seed)


def test_invariant_8_snapshots_are_bounded_and_exact(streams: dict[int, Stream], seeds: list[int]) -> None:
    """A snapshot restores to the same bytes, and a second life of the same log gives the same bytes."""
    records = _stream(streams, seeds[0]).records
    folds = []
    for _ in range(2):
        fold, out = Fold(0), Outputs()
        for record in records:
            fold.apply(record, record["curated_offset"], record["append_ms"], out)
        folds.append(snapshot(fold))
    assert folds[0] == folds[1]
    assert snapshot(restore(folds[0])) == folds[0]


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG)
def test_a_hundred_more_streams(seed: int) -> None:
    _compare(make_stream(seed))
