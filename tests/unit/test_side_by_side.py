"""Batches run side by side, take their turns in order, and end together when one of them fails."""

import os
from threading import Barrier, Event, get_ident

import pytest

from meterfold.billing.side_by_side import Turns, side_by_side


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def test_two_are_under_way_at_once_and_turns_follow_the_order_of_the_batches() -> None:
    met, order = Barrier(2, timeout=20), list[int]()

    def work(batch: int, given: str, turns: Turns) -> str:
        met.wait()  # broken if they came one after the other
        with turns.of(batch):
            order.append(batch)
        return given.upper()

    assert side_by_side(work, ["a", "b", "c", "d"]) == ["A", "B", "C", "D"]
    assert order == [0, 1, 2, 3]


def test_the_first_to_fail_is_raised_and_no_later_one_gets_its_turn() -> None:
    had = list[int]()

    def work(batch: int, given: int, turns: Turns) -> None:
        if batch == 1:
            raise OSError("the disk is full")
        with turns.of(batch):
            had.append(batch)

    with pytest.raises(OSError, match="the disk is full"):
        side_by_side(work, [0, 0, 0, 0, 0])
    assert had in ([], [0])


def test_none_begins_after_one_has_failed() -> None:
    begun, has_failed = list[int](), Event()

    def work(batch: int, given: int, turns: Turns) -> None:
        begun.append(batch)
        if batch == 0:
            has_failed.set()
            raise OSError("the disk is full")
        has_failed.wait(20)
        with turns.of(batch):
            pass

    with pytest.raises(OSError, match="the disk is full"):
        side_by_side(work, [0] * 8)
    assert set(begun) <= {0, 1}, "two are under way at once, no more"


def test_what_fails_in_its_turn_ends_those_that_wait_for_theirs() -> None:
    had = list[int]()

    def work(batch: int, given: int, turns: Turns) -> None:
        with turns.of(batch):
            had.append(batch)
            if batch == 2:
                raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        side_by_side(work, [0] * 6)
    assert had == [0, 1, 2]


def test_one_batch_is_done_by_the_caller() -> None:
    assert side_by_side(lambda batch, given, turns: get_ident(), [0]) == [get_ident()]
    assert side_by_side(lambda batch, given, turns: None, []) == []
