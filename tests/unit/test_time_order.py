"""The sort of imports: stable, complete, bounded, and silent about a file that is refused."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import time_order
from connectors.dead_letter import Problem
from connectors.time_order import in_time_order


def interval(start_ms: int, device: str = "d", register: str = "E1", n: int = 0, values: int = 1) -> dict[str, Any]:
    return {
        "type": "window",
        "device": device,
        "register": register,
        "start_ms": start_ms,
        "quantities_nano": [n] * values,
        "n": n,
    }


def a_problem(refuses_file: bool = False) -> Problem:
    return Problem("f", 1, "r", "m", "d", refuses_file=refuses_file)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from(["E1", "B1"]))),
    st.sampled_from([17, 60, 10_000]),
)
def test_the_order_is_that_of_a_stable_sort_wherever_it_spills(rows: list[tuple[int, str, str]], budget: int) -> None:
    given_records = [interval(*row, n) for n, row in enumerate(rows)]
    expected = sorted(given_records, key=lambda record: (record["start_ms"], record["device"], record["register"]))
    assert list(in_time_order(given_records, keep_good=True, budget=budget)) == expected


def test_many_runs_are_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_order, "RUNS", 3)
    given_records = [interval(-n % 97, n=n) for n in range(500)]
    expected = sorted(given_records, key=lambda record: record["start_ms"])
    assert list(in_time_order(given_records, keep_good=True, budget=17 * 10)) == expected


def test_registers_and_intervals_sort_by_their_instant() -> None:
    read = {"type": "register", "device": "d", "register": "T", "at_ms": 5, "count": 1}
    assert list(in_time_order([interval(9), read, interval(1)], keep_good=True)) == [interval(1), read, interval(9)]


def test_problems_come_first_and_what_refuses_the_file_leaves_nothing() -> None:
    part, whole = a_problem(), a_problem(refuses_file=True)
    assert list(in_time_order([interval(2), part, interval(1)], keep_good=True)) == [part, interval(1), interval(2)]
    assert list(in_time_order([interval(2), part, interval(1)], keep_good=False)) == [part]
    assert list(in_time_order([interval(2), whole, interval(1), part], keep_good=True)) == [whole, part]


def test_memory_is_bounded_by_the_budget_and_nothing_stays_on_disk(tmp_path: Path) -> None:
    def source(n: int) -> Iterator[dict[str, Any]]:
        return (interval((n - i) * 1000, n=i + 10**6, values=48) for i in range(n))

    def peak(n: int) -> int:
        tracemalloc.start()
        try:
            assert sum(1 for _ in in_time_order(source(n), keep_good=True, budget=6_400, folder=tmp_path)) == n
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(2_000), peak(6_000)  # 20 and 60 runs
    assert large < small + 60 * 2 * (1 << 14), (small, large)  # a run costs its buffer and one record
    assert not list(tmp_path.iterdir())


def test_leaving_early_closes_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    make = tempfile.TemporaryFile

    def remember(*args: Any, **kwargs: Any) -> Any:
        opened.append(make(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    found = in_time_order([interval(n) for n in range(100)], keep_good=True, budget=17 * 10)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert len(opened) == 10 and all(run.closed for run in opened)
