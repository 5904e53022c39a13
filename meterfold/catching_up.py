"""Bringing the tables up to the logs: by running the flows, or by waiting for the owner's that are running."""

import time
from datetime import timedelta
from typing import Final

from meterfold.running import EPOCH, run_once
from meterfold.workspace import Workspace

PATIENCE_S: Final = 600.0
_LOOK_S: Final = 0.1


class UnableToCatchUp(RuntimeError):
    """The flows that follow the logs did not reach the end in time."""


def catch_up(workspace: Workspace, *, followed: bool, epoch: timedelta = EPOCH) -> None:
    """Return when everything acknowledged in the logs by now is in the tables; `followed`: flows are running already."""
    if not followed:
        run_once(workspace, epoch)
        return
    deadline = time.monotonic() + PATIENCE_S
    _wait(workspace, "ingest", workspace.raw.end_offsets(), deadline)
    _wait(workspace, "fold", workspace.curated.end_offsets(), deadline)


def _wait(workspace: Workspace, kind: str, ends: tuple[int, ...], deadline: float) -> None:
    while not all(reached >= end for reached, end in zip(_frontier(workspace, kind, len(ends)), ends, strict=True)):
        if time.monotonic() > deadline:
            raise UnableToCatchUp(
                f"{kind} has not reached {ends} in {PATIENCE_S:.0f} s; see the output of `run --follow`"
            )
        time.sleep(_LOOK_S)


def _frontier(workspace: Workspace, kind: str, partitions: int) -> list[int]:
    found = workspace.store.query(
        "SELECT partition, max(next_offset) FROM frontier WHERE kind = {kind:String} GROUP BY partition", {"kind": kind}
    )
    reached = dict(found.rows)
    return [int(reached.get(partition, 0)) for partition in range(partitions)]
