"""Snapshots of what changed of routers: whatever the log and wherever it is cut, any of them gives the routers back as they were."""

from dataclasses import replace
from pathlib import Path
from random import Random

import orjson
import pytest

from connectors.file_log import Frames, LogWriter, MergedReader, create_topic
from connectors.snapshots import files
from dataflows.ingest import IngestWiring, RouteLogic
from state.routing import pack_router
from tests.simulation.raw_log import PARTITIONS, RawLog


def _read(raw: Path, offsets: tuple[int, ...], records: int) -> tuple[tuple[int, ...], list[Frames]] | None:
    """(the offsets after a batch, the batch); None at the end."""
    with MergedReader(raw, offsets) as reader:
        frames = reader.read_frames(records)
        return (reader.next_offsets, frames) if frames else None


def whole(logic: RouteLogic) -> bytes:
    """The whole state of a group of routers."""
    return orjson.dumps([pack_router(router) for _, router in sorted(logic._routers.items())])


@pytest.mark.parametrize("seed", range(3))
def test_any_of_the_last_snapshots_gives_the_routers_back(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LEAST_BYTES", 4_000)
    rng = Random(f"routes/{seed}")
    RawLog(rng, tmp_path / "raw").write(600)
    create_topic(tmp_path / "curated", 2)
    taken: list[tuple[bytes, bytes, tuple[int, ...]]] = []
    begin: tuple[int, ...] = (0,) * PARTITIONS
    offsets, restarts = begin, 6
    with LogWriter(tmp_path / "curated") as curated:
        wiring = IngestWiring(tmp_path / "raw", curated, None, lambda: 0, snapshots=tmp_path / "snapshots")  # type: ignore[arg-type]
        logic = RouteLogic(None, wiring)
        undisturbed = RouteLogic(None, replace(wiring, snapshots=None))
        while runs := _read(tmp_path / "raw", offsets, rng.choice([1, 9, 60])):
            offsets, frames = runs
            logic.route_runs(frames)
            if rng.random() < 0.5:
                taken = [*taken[-2:], (logic.snapshot(), whole(logic), offsets)]
                assert logic.snapshot() == taken[-1][0], "nothing has come since"
            if taken and restarts and rng.random() < 0.15:
                restarts -= 1
                taken = taken[: rng.randrange(len(taken)) + 1]
                state, expected, offsets = taken[-1]
                logic = RouteLogic(state, wiring)
                assert whole(logic) == expected
        _, everything = _read(tmp_path / "raw", begin, 10_000) or ((), [])
        undisturbed.route_runs(everything)
        assert whole(logic) == whole(undisturbed)
        again = RouteLogic(undisturbed.snapshot(), wiring)  # kept whole until now
        assert whole(RouteLogic(again.snapshot(), wiring)) == whole(logic)
    assert len(list((tmp_path / "snapshots" / "00000").iterdir())) <= 4
