"""Running the dataflows over a workspace: once to the end of the logs, or following them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from connectors.recovery_store import forget_uncommitted
from dataflows.billing_determinants import FoldWiring, billing_determinants
from dataflows.ingest import IngestWiring, ingest
from meterfold.clock import now_ms
from meterfold.workspace import Workspace

EPOCH: Final = timedelta(seconds=10)
FOLLOWING_EPOCH: Final = timedelta(seconds=1)
"""While following, an epoch's end is when rows become visible."""


def run_once(workspace: Workspace, epoch: timedelta = EPOCH) -> None:
    """Bring the tables up to what the logs hold now."""
    run_ingest(workspace, epoch)
    run_fold(workspace, epoch)


def run_ingest(workspace: Workspace, epoch: timedelta = EPOCH) -> None:
    """Bring reads.curated and ingest's tables up to the raw log."""
    run_flow(ingest(_ingest_wiring(workspace, None)), workspace.paths.recovery / "ingest", epoch)


def run_fold(workspace: Workspace, epoch: timedelta = EPOCH) -> None:
    """Bring the fold's tables up to the curated log."""
    run_flow(billing_determinants(_fold_wiring(workspace, None)), workspace.paths.recovery / "fold", epoch)


class Following:
    """Both dataflows in threads of this process, until stopped; a failure of either is raised by `join`."""

    def __init__(self, workspace: Workspace, epoch: timedelta = FOLLOWING_EPOCH) -> None:
        self._stop = Event()
        self._failures: list[BaseException] = []
        recovery = workspace.paths.recovery
        flows: list[tuple[str, Callable[[], Dataflow]]] = [
            ("ingest", lambda: ingest(_ingest_wiring(workspace, self._stop))),
            ("fold", lambda: billing_determinants(_fold_wiring(workspace, self._stop))),
        ]
        self._threads = [
            Thread(target=self._run, args=(flow, recovery / name, epoch), name=name, daemon=True)
            for name, flow in flows
        ]

    def start(self) -> None:
        """Start following."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask both flows to end after what they have read."""
        self._stop.set()

    def join(self) -> None:
        """Wait for both flows; raises what ended one of them."""
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    @property
    def is_running(self) -> bool:
        """False once a flow has ended, by a stop or a failure."""
        return all(thread.is_alive() for thread in self._threads)

    def _run(self, flow: Callable[[], Dataflow], recovery: Path, epoch: timedelta) -> None:
        try:
            run_flow(flow(), recovery, epoch)
        except BaseException as error:
            self._failures.append(error)
            self._stop.set()


def _ingest_wiring(workspace: Workspace, stop: Event | None) -> IngestWiring:
    snapshots = workspace.paths.recovery / "ingest" / "snapshots"
    return IngestWiring(workspace.paths.raw, workspace.curated, workspace.store, now_ms, stop, snapshots=snapshots)


def _fold_wiring(workspace: Workspace, stop: Event | None) -> FoldWiring:
    return FoldWiring(workspace.paths.curated, workspace.store, stop, workspace.paths.recovery / "fold" / "snapshots")


def run_flow(flow: Dataflow, recovery: Path | None, epoch: timedelta) -> None:
    """Run a dataflow to its end, resuming from and recording to a recovery directory if one is given."""
    if recovery is None:
        cli_main(flow, epoch_interval=epoch)
        return
    if not any(recovery.glob("*.sqlite3")):
        recovery.mkdir(parents=True, exist_ok=True)
        init_db_dir(recovery, 1)
    forget_uncommitted(recovery)
    cli_main(flow, epoch_interval=epoch, recovery_config=RecoveryConfig(recovery))
