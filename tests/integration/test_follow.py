"""Every command works while `run --follow` owns the directory, and the owner ends cleanly."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from meterfold.demo.house import Files, write_files
from tests.integration.command import command, meterfold

PATIENCE_S = 60


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A directory that a process follows."""
    data = tmp_path / "data"
    meterfold(data, "init")
    process = subprocess.Popen(command(data, "run", "--follow"), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE_S
    while not (data / "owner.sock").exists():
        assert process.poll() is None and time.monotonic() < deadline, "the owner did not come up"
        time.sleep(0.05)
    yield data, process
    process.kill()
    process.wait()


def test_commands_run_beside_the_owner(followed: tuple[Path, subprocess.Popen[str]], tmp_path: Path) -> None:
    data, owner = followed
    files: Files = write_files(tmp_path / "files")
    assert "18 new" not in meterfold(data, "portfolio", "load", str(files.portfolio))
    assert "nothing to append" in meterfold(data, "portfolio", "load", str(files.portfolio))
    assert "1,522 readings" in meterfold(data, "import", "csv-intervals", str(files.january_a))
    assert "imported already" in meterfold(data, "import", "csv-intervals", str(files.january_a), code=1)
    meterfold(data, "run")
    meterfold(data, "gate", "--until", "2026-02-01", "--site", "HARBOUR-HOUSE")
    found = json.loads(
        meterfold(data, "sql", "SELECT verdict, count() AS n FROM evidence FINAL GROUP BY ALL ORDER BY ALL", "--json")
    )
    assert found == [{"verdict": "ACCEPTED", "n": 1474}, {"verdict": "DUPLICATE", "n": 48}]
    assert "only statements that read" in meterfold(data, "sql", "DROP TABLE evidence", code=1)
    assert "followed already" in meterfold(data, "run", "--follow", code=1)
    assert "itself" in meterfold(data, "rebuild", code=1)
    assert owner.poll() is None
    owner.send_signal(signal.SIGTERM)
    assert owner.wait(PATIENCE_S) == 0
    assert not (data / "owner.sock").exists()
    assert "ACCEPTED" in meterfold(data, "sql", "SELECT DISTINCT verdict FROM evidence FINAL")


def test_an_owner_that_was_killed_leaves_nothing_in_the_way(followed: tuple[Path, subprocess.Popen[str]]) -> None:
    data, owner = followed
    owner.kill()
    owner.wait()
    assert "1" in meterfold(data, "sql", "SELECT 1")
