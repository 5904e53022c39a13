"""The command line with snapshots in files however small a fold is: `python -m tests.integration.always_in_files WORDS`."""

from dataflows import fold_snapshots
from meterfold.cli import app

fold_snapshots.SMALL_BYTES = fold_snapshots.BEARABLE_BYTES = 0  # type: ignore[misc]

if __name__ == "__main__":
    app()
