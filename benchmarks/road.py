"""The whole road: raw log, ingest, curated log, fold, chDB; recovery on, one process."""

from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import Size
from benchmarks.stage import paths_of, receive
from meterfold.running import run_fold, run_ingest
from meterfold.workspace import Workspace, create

TABLES: Final = ("evidence", "determinants", "adjustments", "findings")
"""Those whose rows are counted, each by its natural key."""


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Lay the raw log (not timed), then bring the tables up to it; the directory stays for the other rows."""
    ingest, fold = Stopwatch(), Stopwatch()
    with Workspace(create(paths_of(root).root)) as workspace:
        reads = receive(workspace, size)
        with ingest.running():
            run_ingest(workspace)
        with fold.running():
            run_fold(workspace)
        rows = {table: int(workspace.store.query(f"SELECT count() FROM {table} FINAL").rows[0][0]) for table in TABLES}
    return {
        "reads": reads,
        "wall_s": ingest.wall_s + fold.wall_s,
        "cpu_s": ingest.cpu_s + fold.cpu_s,
        "ingest_wall_s": ingest.wall_s,
        "fold_wall_s": fold.wall_s,
        "rows": rows,
    }
