"""Running the command line as a person does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

MODULE = "meterfold.cli"


def command(data: Path, *words: str, module: str = MODULE) -> list[str]:
    """The process to start for `meterfold WORDS --data DATA`."""
    return [sys.executable, "-m", module, *words, "--data", str(data)]


def meterfold(data: Path, *words: str, code: int = 0, module: str = MODULE) -> str:
    """Run a command to its end and return what it printed; its exit code must be `code`."""
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    result = subprocess.run(
        command(data, *words, module=module), capture_output=True, text=True, env=environment, check=False
    )
    assert result.returncode == code, (
        f"meterfold {' '.join(words)}: exit {result.returncode}\n{result.stdout}{result.stderr}"
    )
    return result.stdout + result.stderr
