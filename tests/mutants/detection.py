"""Does anything notice? Run with a copy of `state/` that holds a mutant, in a process of its own.

    python -m tests.mutants.detection COPY STREAMS

COPY is the folder that holds the copied `state/`, STREAMS the pickle that `streams.py` made. Cheap comes before dear: every
scenario folder, then the edges and the streams, each up to its first difference. What was noticed first is printed; the exit code says what
it was.
"""

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

SURVIVED = 0
WRONG = 10
"""A row that should not be, or one that lacks."""
CRASHED = 11
"""An exception, of the fold or of whoever took its rows: noticed, but not by what it says."""
NOT_MUTATED = 12
"""What was imported is not the copy, so nothing is known."""


def main(copy: Path, streams: Path) -> int:
    """The exit code; what was noticed is printed."""
    sys.path.insert(0, str(copy))
    try:
        noticed = next(_differences(streams), "")
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        return CRASHED if _is_copied(copy) else NOT_MUTATED
    if not _is_copied(copy):
        return NOT_MUTATED
    print(noticed)
    return WRONG if noticed else SURVIVED


def _is_copied(copy: Path) -> bool:
    """True if every module of the fold that was imported came from the copy."""
    files = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "state"]
    return bool(files) and all(file is not None and Path(file).is_relative_to(copy) for file in files)


def _differences(streams: Path) -> Iterator[str]:
    yield from _in_scenarios()
    yield from _in_streams(streams)


def _in_scenarios() -> Iterator[str]:
    from _pytest.outcomes import Failed

    from tests.scenarios.test_scenarios import FOLDERS, test_scenario

    for folder in FOLDERS:
        if (folder / "xfail.txt").exists():
            continue
        try:
            test_scenario(folder)
        except (Failed, AssertionError) as difference:
            yield f"scenario {folder.name}: {difference}"


def _in_streams(path: Path) -> Iterator[str]:
    from state.fold import Fold
    from state.outputs import Outputs
    from state.snapshot import restore, snapshot
    from tests.simulation.comparison import comparable, first_difference

    for name, pieces, ledger, restarts in pickle.loads(path.read_bytes()):
        fold, out, rng = Fold(0), Outputs(), Random(name)
        for records, expected in pieces:
            out = Outputs()
            for record in records:
                fold.apply(record, record["curated_offset"], record["append_ms"], out)
                if rng.random() < restarts:
                    written = snapshot(fold)
                    fold = restore(written)
                    if snapshot(fold) != written:
                        yield f"{name}: a snapshot that is restored and taken again is another one"
            difference = first_difference(comparable(out), expected)
            if difference:
                yield f"{name}: {difference}"
        fold.ledger_rows(out)
        counted = [row[2:4] for row in out.ledger]
        if counted != ledger:
            yield f"{name}: the ledger says {counted}, not {ledger}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2])))
