"""Every slip in the table is noticed; the fold without one is not suspected.

A mutant that survives means that some rule has no test: add a scenario, or a probe to the simulation.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutants import detection
from tests.mutants.mutants import MUTANTS, ROOT, Mutant, NotOnce, copy_state
from tests.mutants.streams import write_streams

LONGEST_S = 120
"""A slip may make the fold go round for ever; it was noticed then."""


QUICK = [mutant for mutant in MUTANTS if not mutant.is_dear][::2]
"""Tried by every run: every second of those that are noticed soon. `make test-long` tries all."""


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("streams") / "streams.pickle"
    write_streams(path)
    yield path
    path.unlink()


def detect(copy: Path, streams: Path) -> tuple[int, str]:
    """Exit code and words of `detection.py` on a copy of the fold."""
    command = [sys.executable, "-m", "tests.mutants.detection", str(copy), str(streams)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST_S, check=False)
    return result.returncode, result.stdout + result.stderr


def _case(mutant: Mutant) -> object:
    return pytest.param(mutant, id=mutant.name, marks=[] if mutant in QUICK else [pytest.mark.long])


@pytest.mark.parametrize("mutant", [_case(mutant) for mutant in MUTANTS])
def test_mutant_is_caught(mutant: Mutant, streams: Path, tmp_path: Path) -> None:
    code, said = detect(copy_state(tmp_path, mutant), streams)
    print(said)
    assert code != detection.SURVIVED, f"nothing noticed {mutant.name} (rule {mutant.breaks})"
    assert code == detection.WRONG, f"{mutant.name} was not noticed by its rows: exit {code}\n{said}"


def test_the_fold_itself_is_not_suspected(streams: Path, tmp_path: Path) -> None:
    code, said = detect(copy_state(tmp_path), streams)
    assert code == detection.SURVIVED, said


def test_a_table_that_is_behind_the_code_says_so(tmp_path: Path) -> None:
    gone = Mutant("gone", "fold.py", "no such line", "", "0: none")
    with pytest.raises(NotOnce, match="holds 'no such line' 0 times"):
        copy_state(tmp_path, gone)


def test_twenty_mutants_are_tried_by_every_run() -> None:
    assert len(QUICK) >= 20
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
