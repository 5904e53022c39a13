"""One row in a process of its own, so that CPU seconds and peak memory are its own.

`python -m benchmarks.own_process ROW DIRECTORY SIZE` writes what it found to DIRECTORY/ROW.json.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import peak_mb
from benchmarks.sizes import Size

ROWS: Final = {
    "road": "road:measure",
    "lines": "stage:write_lines",
    "batch": "folds:in_batches",
    "scalar": "folds:by_scalar_step",
    "oracle": "oracle:by_oracle",
    "bytewax": "peers_bytewax:measure",
    "duckdb": "peers_duckdb:measure",
    "polars": "peers_polars:measure",
    "components": "components:measure",
}
"""Row to module and function; imported where it is run, as a peer's library may not be installed."""


class RowFailed(Exception):
    """The process of a row ended with an error; the message is the end of what it said."""


def run(row: str, size: Size, root: Path) -> dict[str, Any]:
    """Measure one row in a new process."""
    command = [sys.executable, "-m", "benchmarks.own_process", row, str(root), json.dumps(asdict(size))]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RowFailed(f"{row} of {size.shape}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads((root / f"{row}.json").read_text())
    return found


def main() -> None:
    """Do as told on the command line."""
    row, directory, size = sys.argv[1:]
    module, function = ROWS[row].split(":")
    measure: Callable[..., dict[str, Any]] = getattr(import_module(f"benchmarks.{module}"), function)
    found = measure(Size(**json.loads(size)), Path(directory))
    (Path(directory) / f"{row}.json").write_text(json.dumps({**found, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
