"""What a killed flow left in Bytewax's store and never committed is not handed to the next one."""

import pickle
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from connectors.recovery_store import forget_uncommitted


class Last(StatefulBatchLogic[int, int, int]):
    """Remembers the last number of its key."""

    resumed: list[int | None]

    def __init__(self, resume_state: int | None) -> None:
        Last.resumed.append(resume_state)
        self._last = resume_state or 0

    def on_batch(self, values: list[int]) -> tuple[list[int], bool]:
        self._last = values[-1]
        return values, StatefulBatchLogic.RETAIN

    def snapshot(self) -> int:
        return self._last


def run(directory: Path, items: list[tuple[str, int]]) -> list[int | None]:
    """Run to the end of the items; what the keys were resumed with."""
    Last.resumed = []
    flow = Dataflow("flow")
    numbers = op.input("numbers", flow, TestingSource(items))
    op.output("out", op.stateful_batch("last", numbers, Last), TestingSink([]))
    run_main(flow, epoch_interval=timedelta(0), recovery_config=RecoveryConfig(directory))
    return Last.resumed


def test_what_was_not_committed_is_forgotten(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 1)
    items = [("key", number) for number in range(1, 6)]
    assert run(tmp_path, items) == [None]
    assert forget_uncommitted(tmp_path) == 0
    with closing(sqlite3.connect(tmp_path / "part-0.sqlite3")) as store, store:
        (frontier,) = store.execute("SELECT worker_frontier FROM fronts ORDER BY ex_num DESC LIMIT 1").fetchone()
        for epoch in (frontier, frontier + 1):
            left = ("flow.last", "key", epoch, pickle.dumps(99))
            store.execute("INSERT INTO snaps (step_id, state_key, snap_epoch, ser_change) VALUES (?, ?, ?, ?)", left)
    assert forget_uncommitted(tmp_path) == 2
    assert run(tmp_path, items) == [5]
    assert forget_uncommitted(tmp_path) == 0


def test_a_store_that_was_never_used_has_nothing_to_forget(tmp_path: Path) -> None:
    init_db_dir(tmp_path, 1)
    assert forget_uncommitted(tmp_path) == 0
