"""The fold against the independent oracle, over seeded streams of sixty days: every row of every stream, whatever the restarts.

A failing seed is run again by the command that its failure prints.
"""

import datetime
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, NoReturn

import numpy as np
import pytest

from state.fold import Fold
from state.outputs import Outputs
from state.rings import records_of
from state.snapshot import restore, snapshot
from tests.simulation import edges
from tests.simulation.comparison import STREAMS, Row, comparable, first_difference, fold_rows, oracle_rows
from tests.simulation.edges import EDGES, Edge
from tests.simulation.oracle import check_conservation
from tests.simulation.streams import Stream, make_stream

SHORT = range(1)
LONG = range(100, 200)
SHORTER = range(100)
"""Seeds of streams of twenty days: more beginnings, exchanges and contradictions for the same time."""
BOUND = 10**18
Key = tuple[str, ...]


@pytest.fixture(scope="module")
def seeds(request: pytest.FixtureRequest) -> list[int]:
    """The seeds of this run: `--seed N` for one."""
    chosen: int | None = request.config.getoption("--seed")
    return list(SHORT) if chosen is None else [chosen]


def rerun(seed: int) -> str:
    """The one command that shows a failing seed again."""
    return f"rerun: .venv/bin/python -m pytest 'tests/simulation/test_fold_against_oracle.py' --seed {seed}"


class Played:
    """Streams, and what the fold says of each undisturbed, made once for all tests of this file."""

    def __init__(self) -> None:
        self._streams: dict[int, Stream] = {}
        self._rows: dict[int, dict[str, list[Row]]] = {}

    def stream(self, seed: int) -> Stream:
        if seed not in self._streams:
            self._streams[seed] = make_stream(seed)
        return self._streams[seed]

    def rows(self, seed: int) -> dict[str, list[Row]]:
        if seed not in self._rows:
            self._rows[seed] = fold_rows(self.stream(seed).records)
        return self._rows[seed]


@pytest.fixture(scope="module")
def played() -> Played:
    return Played()


def test_invariant_1_conservation(played: Played, seeds: list[int]) -> None:
    """Hardened quantity + adjustments = what a replay gives = what the oracle gives, exactly."""
    for seed in seeds:
        stream = played.stream(seed)
        difference = first_difference(played.rows(seed), oracle_rows(stream.oracle.rows))
        assert not difference, f"{difference}\n{rerun(seed)}"
        check_conservation(stream.oracle)


@pytest.mark.parametrize("edge", [pytest.param(edge, id=edge.__name__) for edge in EDGES])
def test_the_edges_of_rules(edge: Edge) -> None:
    """Where streams come too rarely; with a restart after every record, and without any."""
    tape = edge()
    wanted = oracle_rows(tape.oracle.rows)
    for restarts in (None, AlwaysZero()):
        difference = first_difference(fold_rows(tape.records, restarts=restarts), wanted)
        assert not difference, difference


class AlwaysZero(Random):
    """Chance that always strikes."""

    def random(self) -> float:
        return 0.0


@pytest.mark.long
def test_invariant_2_determinism_over_restarts_and_repeats(played: Played, seeds: list[int]) -> None:
    """Snapshots, restores and a log read twice change no row: what comes out is a function of the log alone."""
    for seed in seeds[:2]:
        records = played.stream(seed).records
        undisturbed = played.rows(seed)
        assert fold_rows(records, restarts=Random(seed)) == undisturbed, rerun(seed)
        half = len(records) // 2
        repeated = fold_rows([*records[:half], *records[half // 2 : half], *records[half:]])
        assert {name: repeated[name] for name in STREAMS} == {name: undisturbed[name] for name in STREAMS}, rerun(seed)


def test_invariant_3_every_input_has_one_verdict(played: Played, seeds: list[int]) -> None:
    """The ledger counts what evidence lists, verdict by verdict, and the control records; a row is given once."""
    for seed in seeds:
        verdicts = Counter(dict(row)["verdict"] for row in played.rows(seed)["evidence"])
        ledger = {dict(row)["outcome"]: dict(row)["count"] for row in played.rows(seed)["ledger"]}
        assert {name: n for name, n in ledger.items() if not name.startswith("control:")} == verdicts, rerun(seed)
        assert ledger == {row["outcome"]: row["count"] for row in played.stream(seed).oracle.ledger()}, rerun(seed)


def test_invariant_4_no_clock(played: Played, seeds: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """With every clock of the language broken the rows are the same. (`tests/unit/test_layers.py` reads the imports.)"""
    seed = seeds[0]
    records, undisturbed = played.stream(seed).records, played.rows(seed)
    with monkeypatch.context() as patch:
        _break_clocks(patch)
        with pytest.raises(ClockWasRead):
            time.time()
        rows = fold_rows(records)
    assert rows == undisturbed, rerun(seed)


class ClockWasRead(RuntimeError):
    """Somebody asked what time it is."""


def _break_clocks(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise ClockWasRead

    names = "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time localtime gmtime".split()
    for name in names:
        patch.setattr(time, name, refuse)
    today: dict[str, Any] = {"today": classmethod(refuse)}
    broken = {
        datetime.date: type("date", (datetime.date,), today),
        datetime.datetime: type("datetime", (datetime.datetime,), {**today, "now": refuse, "utcnow": refuse}),
    }
    modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "state"]
    for module in (datetime, *modules):
        for name, value in vars(module).copy().items():
            if isinstance(value, type) and value in broken:
                patch.setattr(module, name, broken[value])


def test_invariant_5_append_never_amend(played: Played, seeds: list[int]) -> None:
    """What was said once is said for ever: a window hardens once, a revision has one content, and the sum is what stands."""
    for seed in seeds[:2]:
        rows, oracle = played.rows(seed), played.stream(seed).oracle
        current = {key: row["quantity_nano"] for key, row in _by_key(rows["determinants"]).items()}
        assert len(current) == len(rows["determinants"]), rerun(seed)
        adjustments = _by_key(rows["adjustments"], "revision")
        assert len(adjustments) == len(rows["adjustments"]), rerun(seed)
        revisions = dict.fromkeys(current, 0)
        for row in map(dict, rows["adjustments"]):
            key = _key(row)
            assert (row["old_nano"], row["corrects_revision"]) == (current[key], revisions[key]), rerun(seed)
            current[key] += row["delta_nano"]
            revisions[key] = row["revision"]
            assert current[key] == row["new_nano"] and row["revision"] == row["corrects_revision"] + 1, rerun(seed)
            assert row["quality"] or current[key] == 0, "what is withdrawn stands at 0"
        assert current == _standing(oracle), rerun(seed)


def test_invariant_5_a_second_reading_says_the_same_again(played: Played, seeds: list[int]) -> None:
    """A fold that is taken back to an earlier snapshot emits the later rows a second time: the same keys, the same content."""
    seed = seeds[0]
    records = played.stream(seed).records
    third = len(records) // 3
    fold, first, second = Fold(0), Outputs(), Outputs()
    saved = b""
    for at, record in enumerate(records):
        if at == third:
            saved, first = snapshot(fold), Outputs()
        fold.apply(record, record["curated_offset"], record["append_ms"], first)
    again = restore(saved)
    for record in records[third:]:
        again.apply(record, record["curated_offset"], record["append_ms"], second)
    assert comparable(second) == comparable(first), rerun(seed)
    assert snapshot(again) == snapshot(fold), rerun(seed)


def _key(row: dict[str, Any], *more: str) -> Key:
    return tuple(str(row[name]) for name in ("supply_point", "channel", "start_ms", "end_ms", *more))


def _by_key(rows: list[Row], *more: str) -> dict[Key, dict[str, Any]]:
    return {_key(dict(row), *more): dict(row) for row in rows}


def _standing(oracle: Any) -> dict[Key, int]:
    """Of every window ever said, what the oracle holds to be so now."""
    return {
        (point.name, channel, str(start), str(end)): said[0]
        for point in oracle.points.values()
        for channel in point.channels
        for (start, end), said in oracle.current(point.name, channel).items()
    }


def test_invariant_6_exact_numbers(played: Played, seeds: list[int]) -> None:
    """Integers below 10¹⁸ everywhere, in rows and in state; no float, whatever is divided."""
    for seed in seeds[:2]:
        fold, out = Fold(0), Outputs()
        for record in played.stream(seed).records:
            fold.apply(record, record["curated_offset"], record["append_ms"], out)
        _require_exact_rows(out)
        for array in _arrays(fold):
            assert np.issubdtype(array.dtype, np.integer), rerun(seed)
            assert int(np.abs(array).max(initial=0)) < BOUND or array.dtype != np.int64, rerun(seed)


@pytest.mark.parametrize(
    ("edge", "refusals"),
    [
        (edges.quantities_at_their_bound, ["out_of_range"] * 3),
        (edges.registers_at_their_bound, ["register_digits"] * 2),
        (edges.an_advance_at_its_bound, ["register_implausible"]),
        (edges.restatements_at_their_bound, ["restatement_refused"] * 2),
        (edges.a_multiplier_beyond_the_bound, ["out_of_range"]),
    ],
)
def test_invariant_6_what_leaves_the_bound_is_refused_aloud(edge: Edge, refusals: list[str]) -> None:
    """One less is taken exactly; what is not taken is a finding, never a number that wrapped round."""
    fold, out = Fold(0), Outputs()
    for record in edge().records:
        fold.apply(record, record["curated_offset"], record["append_ms"], out)
    _require_exact_rows(out)
    rows = comparable(out)
    loud = [dict(row) for row in rows["findings"] if dict(row)["severity"] in ("reject", "error")]
    assert [row["check_id"] for row in loud] == refusals
    largest = max(abs(dict(row)["new_nano"]) for row in rows["adjustments"]) if rows["adjustments"] else 0
    largest = max(largest, *(abs(dict(row)["quantity_nano"]) for row in rows["determinants"]))
    assert BOUND - 10**9 <= largest < BOUND


def _require_exact_rows(out: Outputs) -> None:
    for stream, rows in comparable(out).items():
        for row in rows:
            for name, value in row:
                assert type(value) in (int, str, tuple, type(None)), f"{stream}.{name} is {value!r}"
                if name.endswith("_nano") and value is not None:
                    assert abs(value) < (2 * BOUND if name == "delta_nano" else BOUND), f"{stream}.{name} is {value}"


def _arrays(fold: Fold) -> Iterator[Any]:
    for point in fold.points.values():
        for channel in point.channels.values():
            for records in records_of(channel.slots, channel.windows):
                yield from _columns(records)
        for stream in point.streams.values():
            yield from _columns(stream.reads)


def _columns(records: Any) -> Iterator[Any]:
    yield from (records[name] for name in records.dtype.names)


@pytest.mark.long
def test_invariant_8_snapshots_are_bounded_and_exact(played: Played, seeds: list[int]) -> None:
    """A snapshot restores to the same bytes, and a second life of the same log gives the same bytes."""
    records = played.stream(seeds[0]).records
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
    stream = make_stream(seed)
    difference = first_difference(fold_rows(stream.records), oracle_rows(stream.oracle.rows))
    assert not difference, f"{difference}\n{rerun(seed)}"


@pytest.mark.long
@pytest.mark.parametrize("seed", SHORTER)
def test_a_hundred_streams_of_twenty_days(seed: int) -> None:
    stream = make_stream(seed, 20)
    difference = first_difference(fold_rows(stream.records), oracle_rows(stream.oracle.rows))
    assert not difference, f"make_stream({seed}, 20): {difference}"
