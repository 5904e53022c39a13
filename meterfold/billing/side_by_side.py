"""Batches of work side by side in threads, one after the other only where their order matters."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")


class Turns:
    """Lets the batches of a piece of work, numbered from 0, do something in their order, whichever of them is ready first."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._next = 0
        self._is_over = False

    @contextmanager
    def of(self, batch: int) -> Iterator[None]:
        """Wait until every batch before this one has had its turn. Raises CancelledError once one of them never will."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._next == batch)
            if self._is_over:
                raise CancelledError
        yield
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether they were called off."""
        return self._is_over

    def call_off(self) -> None:
        """Nobody gets a turn any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


def side_by_side(work: Callable[[int, Given, Turns], Made], batches: Sequence[Given]) -> list[Made]:
    """What `work` makes of each batch, given its number and the turns of all; as many at once as there are processors.

    Raises what the first batch to fail raised, after those that were under way have come to an end; none begins after it.
    """
    turns = Turns()

    def do(batch: int) -> Made:
        if turns.is_over:
            raise CancelledError
        try:
            return work(batch, batches[batch], turns)
        except BaseException:
            turns.call_off()
            raise

    if len(batches) < 2:
        return [do(batch) for batch in range(len(batches))]
    with ThreadPoolExecutor(os.cpu_count() or 1, "batch") as pool:
        begun = [pool.submit(do, batch) for batch in range(len(batches))]
        try:
            errors = [error for one in begun if (error := one.exception()) is not None]
        except BaseException:
            turns.call_off()
            pool.shutdown(cancel_futures=True)
            raise
    if errors:
        raise next((error for error in errors if not isinstance(error, CancelledError)), errors[0])
    return [one.result() for one in begun]
