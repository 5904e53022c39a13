"""kill -9 while snapshots are written, and snapshots that are damaged: a flow resumes with the state that it had, or says why it cannot."""

import json
import random
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from meterfold.demo.house import write_files
from meterfold.workspace import Paths
from tests.integration.command import command, meterfold
from tests.integration.snapshotting import expected
from tests.integration.tables import assert_same, dump

SEED = 20261123


def started(directory: Path) -> tuple[subprocess.Popen[str], int]:
    """The process, and the offset it resumed at."""
    command = [sys.executable, "-m", "tests.integration.snapshotting", str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    said = process.stdout.readline()
    assert said, process.stderr.read()
    return process, int(said)


def killed_often(directory: Path, kills: int) -> list[int]:
    """Kill the process soon after it has resumed, again and again, then let it end; the offsets it resumed at."""
    (directory / "expected").write_text(json.dumps(expected()))
    rng, resumed = random.Random(SEED), []
    for _ in range(kills):
        process, offset = started(directory)
        resumed.append(offset)
        time.sleep(rng.uniform(0.05, 0.4))
        process.kill()
        process.communicate()
        before = directory / "committed.before"
        if before.exists() and rng.random() < 0.3:  # the commit of the last snapshot did not come to pass
            shutil.copy(before, directory / "committed")
    process, offset = started(directory)
    _, said = process.communicate()
    assert process.returncode == 0, said
    return [*resumed, offset]


def test_a_fold_killed_while_it_takes_snapshots_resumes_with_its_state(tmp_path: Path) -> None:
    resumed = killed_often(tmp_path, kills=5)
    assert len(set(resumed)) > 2, "the kills fell nowhere in particular"


@pytest.mark.long
def test_a_fold_killed_a_hundred_times_while_it_takes_snapshots_resumes_with_its_state(tmp_path: Path) -> None:
    for turn in range(12):
        directory = tmp_path / str(turn)
        directory.mkdir()
        killed_often(directory, kills=9)


IN_FILES = "tests.integration.always_in_files"


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a portfolio and a month of reads, nothing interpreted."""
    root = tmp_path_factory.mktemp("imported")
    data, files = root / "data", write_files(root / "files")
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(files.portfolio))
    meterfold(data, "import", "csv-intervals", str(files.january_a))
    meterfold(data, "import", "csv-registers", str(files.january_b))
    return data


@pytest.fixture(scope="module")
def undisturbed(imported: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The rows of a run that keeps its small state whole in Bytewax's store."""
    data = tmp_path_factory.mktemp("undisturbed") / "data"
    shutil.copytree(imported, data, symlinks=True)
    meterfold(data, "run")
    assert not kept_by(data, "fold") and kept_by(data, "ingest")
    return dump(data)


def kept_by(data: Path, flow: str) -> list[Path]:
    """The snapshot files of a flow."""
    return sorted((Paths(data).recovery / flow / "snapshots").rglob("*.changes"))


@pytest.mark.long
def test_a_damaged_snapshot_is_said_and_the_logs_give_its_rows_again(
    imported: Path, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(imported, data, symlinks=True)
    meterfold(data, "run", module=IN_FILES)
    assert_same(dump(data), undisturbed)
    kept = kept_by(data, "fold")
    assert kept
    for path in kept:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] + b"\0\xff" + content[len(content) // 2 + 2 :])
    refused = meterfold(data, "run", code=1, module=IN_FILES)
    assert any(str(path) in refused for path in kept) and "meterfold rebuild" in refused
    assert_same(dump(data), undisturbed)
    meterfold(data, "rebuild", module=IN_FILES)
    assert_same(dump(data), undisturbed)
    meterfold(data, "run", module=IN_FILES)


@pytest.mark.long
def test_a_run_killed_with_its_state_in_files_comes_back_to_the_same_rows(
    imported: Path, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    data, rng, hit = tmp_path / "data", random.Random(SEED), 0
    shutil.copytree(imported, data, symlinks=True)
    for _ in range(8):
        words = ("run", "--epoch", "0.02")
        process = subprocess.Popen(
            command(data, *words, module=IN_FILES), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(1.5, 4.5))
        hit += process.poll() is None
        process.kill()
        process.wait()
        if hit == 2:
            break
    assert hit
    meterfold(data, "run", module=IN_FILES)
    assert kept_by(data, "fold")
    assert_same(dump(data), undisturbed)
