"""A process that folds a stream and does nothing but take snapshots on the way, to be killed at any moment.

    python -m tests.integration.snapshotting DIRECTORY

DIRECTORY/committed holds what a recovery store would hand back, written after each snapshot as Bytewax commits it; DIRECTORY/expected
the digest of the whole state by the offset that it was taken at. Prints the offset that it resumes at; whoever resumes with another state
than that ends with an error, and whoever reaches the end of the stream, well.
"""

import json
import sys
from hashlib import blake2b
from pathlib import Path
from typing import Any

from connectors.snapshots import files
from dataflows import fold_snapshots
from dataflows.fold_snapshots import FoldSnapshots
from state.changes import Changes
from state.fold import Fold
from state.outputs import Outputs
from state.snapshot import snapshot
from tests.simulation.orderly import orderly_stream

STEP = 10
"""Records between two snapshots."""
Record = dict[str, Any]


def stream() -> list[Record]:
    """The records; an offset is a place among them."""
    return orderly_stream(2, points=3, days=9)


def digest(fold: Fold) -> str:
    """Of the whole state."""
    return blake2b(snapshot(fold)).hexdigest()


def expected() -> dict[str, str]:
    """By offset, in a process that nobody kills."""
    fold, found = Fold(0), {}
    for at, record in enumerate(stream(), 1):
        fold.apply(record, at - 1, record["append_ms"], Outputs())
        if at % STEP == 0:
            found[str(at)] = digest(fold)
    return found


def put(path: Path, content: bytes) -> None:
    """All or nothing of it."""
    path.with_suffix(".new").write_bytes(content)
    path.with_suffix(".new").replace(path)


def main(directory: Path) -> None:
    """Resume, and go on to the end."""
    fold_snapshots.SMALL_BYTES = fold_snapshots.BEARABLE_BYTES = 0  # type: ignore[misc]
    files.LEAST_BYTES = 30_000  # type: ignore[misc]  # so that files come and go
    committed = directory / "committed"
    folder = directory / "snapshots"
    if committed.exists():
        snapshots = FoldSnapshots.resumed(committed.read_bytes(), folder)
        at = snapshots.fold.curated_offset + 1
        wanted = json.loads((directory / "expected").read_text())[str(at)]
        assert digest(snapshots.fold) == wanted, f"resumed at {at} with another state"
    else:
        snapshots, at = FoldSnapshots.begun(Fold(0), folder), 0
    Changes(Fold(0)).take()  # so that what follows need not be compiled first
    print(at, flush=True)
    for place, record in enumerate(stream()[at:], at + 1):
        snapshots.fold.apply(record, place - 1, record["append_ms"], Outputs())
        if place % STEP == 0:
            state = snapshots.take(place)
            if committed.exists():
                put(directory / "committed.before", committed.read_bytes())
            put(committed, state)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
