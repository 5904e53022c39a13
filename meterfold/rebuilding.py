"""Dropping ClickHouse and projecting the logs again.

The curated log is kept: ingest only shows its rows again, and appends nothing. The fold starts from nothing.
"""

from dataflows.ingest import IngestWiring, ingest
from meterfold.billing.project import project
from meterfold.clock import now_ms
from meterfold.running import EPOCH, run_flow, run_fold, run_ingest
from meterfold.workspace import Workspace


def rebuild(workspace: Workspace) -> None:
    """Fill the empty tables of a workspace from its logs."""
    run_ingest(workspace)
    again = IngestWiring(workspace.paths.raw, workspace.curated, workspace.store, now_ms, appends=False)
    run_flow(ingest(again), None, EPOCH)
    run_fold(workspace)
    project(workspace.store, workspace.billing_log)
