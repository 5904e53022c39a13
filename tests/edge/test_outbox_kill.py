"""kill -9 while committing and publishing: what commit() acknowledged is in the outbox or in the log."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_collector.records import READS
from tests.edge.committing_process import DEVICES
from tests.edge.outbox_world import Read, boundary, outbox_at, reads_of

PATIENCE_S = 60


def run_and_kill(directory: Path, first: int, rng: random.Random) -> list[int]:
    """The cycles that were acknowledged before the process was killed."""
    command = [sys.executable, "-m", "tests.edge.committing_process", str(directory), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(rng.randrange(1, 30))]
        time.sleep(rng.uniform(0, 0.05))
        process.kill()
        lines += process.stdout.readlines()
        process.wait(PATIENCE_S)
    return [int(line.split()[1]) for line in lines if line.endswith("\n")]


def log_of(directory: Path) -> list[tuple[int, str]]:
    """(sequence, read id) of the lines that are whole."""
    path = directory / "log"
    text = path.read_text() if path.exists() else ""
    return [
        (int(line.split()[0]), line.split()[1])
        for line in text.splitlines()
        if line.count(" ") == 1 and line[-1] != " "
    ]


@pytest.mark.parametrize("seed", [1])
def test_what_was_acknowledged_survives(seed: int, tmp_path: Path) -> None:
    survives(seed, tmp_path, kills=4)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_what_was_acknowledged_survives_many_kills(seed: int, tmp_path: Path) -> None:
    survives(seed, tmp_path, kills=20)


def survives(seed: int, directory: Path, kills: int) -> None:
    rng = random.Random(seed)
    acknowledged: set[Read] = set()
    first, highest = 1, 0
    for _ in range(kills):
        cycles = run_and_kill(directory, first, rng)
        acknowledged |= {(device, boundary(n)) for device in DEVICES for n in cycles}
        outbox = outbox_at(directory, first)
        assert outbox.repair is None, "a crash alone damages nothing"
        published = {(name.split("/")[1], int(name.split("/")[3])) for _, name in log_of(directory)}
        assert acknowledged <= published | reads_of(outbox.backlog(READS, 100_000))
        assert int(outbox.recall("newest") or 0) >= max(cycles)
        assert outbox.standing.sequence > highest
        highest = outbox.standing.sequence
        first = int(outbox.recall("newest") or 0) + 1
        outbox.close()
    assert len(acknowledged) >= 3 * kills and log_of(directory)
