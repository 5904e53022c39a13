"""Running the command line as a person does: in a process of its own.

To import everything takes longer than most commands, so `meterfold` forks a process that has done so and has not begun anything else;
`command` starts one from nothing, for who wants to kill it or to talk to it meanwhile.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

MODULE = "meterfold.cli"
ENVIRONMENT = {"COLUMNS": "120", "NO_COLOR": "1"}


def command(data: Path, *words: str, module: str = MODULE) -> list[str]:
    """The process to start for `meterfold WORDS --data DATA`."""
    return [sys.executable, "-m", module, *words, "--data", str(data)]


def meterfold(data: Path, *words: str, code: int = 0, module: str = MODULE) -> str:
    """Run a command to its end and return what it printed; its exit code must be `code`."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        asked: dict[str, str | list[str]] = {
            "module": module,
            "words": [*words, "--data", str(data)],
            "folder": str(Path.cwd()),
            "out": str(out),
            "err": str(err),
        }
        found = _ask(asked)
        printed, complained = out.read_text(), err.read_text()
    assert found == code, f"meterfold {' '.join(words)}: exit {found}\n{printed}{complained}"
    return printed + complained


def _ask(asked: dict[str, str | list[str]]) -> int:
    """The exit code of a command that the one that forks was asked to run."""
    forking = _forking()
    assert forking.stdin is not None and forking.stdout is not None
    forking.stdin.write(json.dumps(asked) + "\n")
    forking.stdin.flush()
    return int(forking.stdout.readline())


@cache
def _forking() -> "subprocess.Popen[str]":
    environment = {**os.environ, **ENVIRONMENT}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.forked_commands"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    atexit.register(process.kill)
    return process
