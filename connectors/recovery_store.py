"""Bytewax's recovery store, as far as this project must look into it: what a killed process wrote and never committed.

Bytewax 0.21.1 writes the snapshots of an epoch in one transaction and, in a later one, the frontier that commits the epoch. After a
kill between the two it resumes from the epoch before, but the snapshots stay: should a key have nothing to do in the epoch of that
number when it is run again, the next restart takes its snapshot from the killed run for a committed one, though the positions of the
sources do not go with it. So what is not committed is removed before a flow starts.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_RESUME_EPOCH: Final = """
SELECT coalesce((SELECT min(worker_frontier) FROM fronts WHERE fronts.ex_num = exs.ex_num), resume_epoch)
FROM exs ORDER BY ex_num DESC LIMIT 1
"""


def forget_uncommitted(directory: Path) -> int:
    """Remove the snapshots that no resumed flow may be handed; returns how many there were. No flow is running on the store."""
    forgotten = 0
    for path in directory.glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as store, store:
            begun = store.execute(_RESUME_EPOCH).fetchone()
            if begun is not None:
                forgotten += store.execute("DELETE FROM snaps WHERE snap_epoch >= ?", begun).rowcount
    return forgotten
