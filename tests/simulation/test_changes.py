"""Snapshots of what changed: whatever the stream and wherever it is cut, any of them gives the fold back as it was."""

from random import Random
from typing import Any, NamedTuple

import pytest

from state.changes import Change, Changes, Restoring
from state.columnar import BatchFold
from state.fold import Fold
from state.outputs import Outputs
from state.snapshot import snapshot
from state.tables import KINDS
from tests.simulation.columns import Columns
from tests.simulation.orderly import orderly_stream
from tests.simulation.streams import make_stream
from tests.simulation.test_columnar import cut

Record = dict[str, Any]
LONG = range(100, 200)
NO_PAGES = 24 * len(KINDS)
"""Bytes that say of each table that no page of it has changed."""


class Taken(NamedTuple):
    """A snapshot: before which batch, what had changed, and the whole state."""

    before: int
    change: Change
    state: bytes


def restored(taken: list[Taken]) -> Changes:
    restoring = Restoring()
    for item in taken:
        restoring.apply(item.change)
    return restoring.done()


def follow(records: list[Record], seed: int) -> int:
    """Fold a stream with snapshots and restarts from any of them; returns how many snapshots were checked."""
    rng, batches = Random(seed), list(cut(records, Random(seed)))
    changes, taken, restarts = Changes(Fold(0)), list[Taken](), 3
    fold, columns, at = BatchFold(changes.fold), Columns(), 0
    while at < len(batches):
        fold.apply_batch(columns.batch(batches[at]), Outputs())
        at += 1
        if rng.random() < 0.3:
            whole = rng.random() < 0.1
            taken = [*(() if whole else taken), Taken(at, changes.take(whole=whole), snapshot(fold.fold))]
        if restarts and taken and rng.random() < 0.1:
            restarts -= 1
            taken = taken[: rng.randrange(len(taken)) + 1]
            changes, at = restored(taken), taken[-1].before
            assert snapshot(changes.fold) == taken[-1].state, (seed, at)
            idle = changes.take()
            assert (idle.heads.count(b"\n"), len(idle.pages)) == (0, NO_PAGES), "nothing has changed by restoring"
            fold, columns = BatchFold(changes.fold), Columns()
    for number in range(1, len(taken) + 1):
        assert snapshot(restored(taken[:number]).fold) == taken[number - 1].state, (seed, number)
    undisturbed = Fold(0)
    for batch in batches:
        for record in batch:
            undisturbed.apply(record, record["curated_offset"], record["append_ms"], Outputs())
    assert snapshot(fold.fold) == snapshot(undisturbed), seed
    return len(taken)


@pytest.mark.parametrize("seed", range(2))
def test_orderly_streams(seed: int) -> None:
    assert follow(orderly_stream(seed, points=5, days=8), seed)


@pytest.mark.parametrize("seed", range(1))
def test_unruly_streams(seed: int) -> None:
    assert follow(make_stream(seed, 20).records, seed)


@pytest.mark.long
def test_many_streams() -> None:
    for seed in LONG:
        follow(orderly_stream(seed, points=4, days=6) if seed % 3 else make_stream(seed, 20).records, seed)


def test_little_is_written_when_little_has_changed() -> None:
    """One read of one supply point among many: its pages and its head at most, not those of the others."""
    records = orderly_stream(3, points=30, days=6)
    changes, columns = Changes(Fold(0)), Columns()
    fold = BatchFold(changes.fold)
    fold.apply_batch(columns.batch(records[:-1]), Outputs())
    everything = changes.take()
    fold.apply_batch(columns.batch(records[-1:]), Outputs())
    little = changes.take()
    assert len(little.pages) < len(everything.pages) / 20
    assert little.heads.count(b"\n") <= 3 < everything.heads.count(b"\n")
