"""A process that has imported the command line and runs commands in forks of itself: a line of JSON asks, the exit code answers."""

import json
import os
import runpy
import sys
from typing import Any

import edge_collector.commands
import meterfold.commands

assert edge_collector.commands and meterfold.commands, "what every fork has then"


def asked() -> dict[str, Any] | None:
    """In a fork what it is to run, or None at the end; here each is waited for."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            found: dict[str, Any] = json.loads(line)
            return found
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return None


if __name__ == "__main__" and (wanted := asked()) is not None:
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(wanted[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(wanted["folder"])
    sys.argv = ["meterfold", *wanted["words"]]
    runpy.run_module(wanted["module"], run_name="__main__", alter_sys=False)
