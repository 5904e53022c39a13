"""kill -9 of the running process at random points, then every table row for row as in an undisturbed run."""

import json
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.file_log import LogReader, Record
from meterfold.demo.house import write_files
from meterfold.workspace import CURATED_PARTITIONS, Paths
from tests.integration.command import command, meterfold
from tests.integration.tables import assert_same, dump, rows_of

SEED = 20261122


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a portfolio and two months of reads in the raw log, nothing interpreted."""
    root = tmp_path_factory.mktemp("imported")
    data, files = root / "data", write_files(root / "files")
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(files.portfolio))
    meterfold(data, "import", "csv-intervals", str(files.january_a), str(files.february_a), str(files.corrected_a))
    meterfold(data, "import", "csv-registers", str(files.january_b), str(files.february_b))
    return data


@pytest.fixture(scope="module")
def undisturbed(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    shutil.copytree(imported, data, symlinks=True)
    meterfold(data, "run")
    return dump(data)


def _kill_often(data: Path, kills: int, rng: random.Random) -> int:
    """Start `run` and kill it at random points until it was killed often enough; returns the kills that hit."""
    hit = 0
    for _ in range(kills * 5):
        process = subprocess.Popen(
            command(data, "run", "--epoch", "0.05"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.8, 3.5))
        if process.poll() is None:
            process.kill()
            hit += 1
        process.wait()
        if hit == kills:
            break
    return hit


def _survives(imported: Path, undisturbed: dict[str, list[str]], data: Path, kills: int) -> None:
    shutil.copytree(imported, data, symlinks=True)
    rng = random.Random(SEED)
    assert _kill_often(data, kills, rng) >= 1
    meterfold(data, "run")
    assert_same(dump(data), undisturbed)


def test_a_killed_run_comes_back_to_the_same_rows(
    imported: Path, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    _survives(imported, undisturbed, tmp_path / "data", kills=3)


@pytest.mark.long
def test_a_run_killed_twenty_times_comes_back_to_the_same_rows(
    imported: Path, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    _survives(imported, undisturbed, tmp_path / "data", kills=25)


@pytest.mark.long
def test_rebuilding_gives_the_same_rows(imported: Path, undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(imported, data, symlinks=True)
    meterfold(data, "run")
    meterfold(data, "rebuild")
    assert_same(dump(data), undisturbed)
    archive = rows_of(data, {"archive": "SELECT payload FROM curated_records FINAL"})["archive"]
    assert archive == sorted(json.dumps({"payload": record.payload.decode()}) for record in curated_log(data))
    meterfold(data, "run")
    assert_same(dump(data), undisturbed)


def curated_log(data: Path) -> Iterator[Record]:
    """Every record of reads.curated."""
    for partition in range(CURATED_PARTITIONS):
        with LogReader(Paths(data).curated, partition) as reader:
            while records := reader.read():
                yield from records
