"""Dropping ClickHouse and projecting the logs again.

The curated log is kept: ingest only shows its rows again, and appends nothing. The fold starts from nothing.
"""

import shutil

from dataflows.ingest import IngestWiring, ingest
from meterfold.billing.project import project
from meterfold.clock import now_ms
from meterfold.running import EPOCH, run_flow, run_fold, run_once
from meterfold.workspace import Workspace


def rebuild(workspace: Workspace) -> None:
    """Rebuild every table from the logs."""
    run_once(workspace)
    workspace.drop_projection()
    shutil.rmtree(workspace.paths.recovery / "fold", ignore_errors=True)
    wiring = IngestWiring(workspace.paths.raw, workspace.curated, workspace.store, now_ms, appends=False)
    run_flow(ingest(wiring), None, EPOCH)
    run_fold(workspace, EPOCH)
    project(workspace.store, workspace.billing_log)
