"""Going on with a run that died: with what it saw, from where its lines end.

A new run is always possible, and sees what is known by then. To go on is for whoever wants the run that was begun: as of its time, with its
reads and prices, though others have come since. It comes out line for line as if nothing had happened.
"""

from __future__ import annotations

from typing import Any

from connectors.clickhouse import Store
from meterfold.billing.drafting import Drafted, draft
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Pins
from meterfold.billing.records import closing
from meterfold.billing.rows import encode
from meterfold.billing.run import (
    RULE_VERSION,
    Run,
    RunResult,
    entities_in,
    one_at_a_time,
    refuse_when_overtaken,
    refuse_while_open,
)


class NothingToResume(LookupError):
    """No legal entity in scope has a run that is open."""


class UnableToResume(RuntimeError):
    """The run can no longer be finished as it was begun."""


def resume_bills(
    store: Store, log: BillingLog, now_ms: int, legal_entity: str | None = None, *, take_over: bool = False
) -> RunResult:
    """Finish the open run of each legal entity in scope: what of its lines the log lacks is appended, and it is closed.

    `take_over`: as of run_bills. Raises NothingToResume, UnableToResume, DraftedOtherwise, UnknownScope, RunInProgress, RunOvertaken,
    UnableToProject, and what the log and the store raise: then the run is open as before.
    """
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        begun = [run for entity in entities_in(store, legal_entity, None) if (run := _open_run(store, entity))]
        if not begun:
            raise NothingToResume("every run is closed; there is nothing to go on with")
        return RunResult(tuple(_resume(store, log, now_ms, run, take_over) for run in begun))


def _open_run(store: Store, legal_entity: str) -> dict[str, Any] | None:
    """The last run of the legal entity if it never closed; one before it can count for nothing any more."""
    found = store.query(
        "SELECT *, run_id IN (SELECT run_id FROM bill_run_closed) AS is_closed FROM bill_runs FINAL "
        "WHERE legal_entity = {entity:String} ORDER BY billing_offset DESC, run_id LIMIT 1",
        {"entity": legal_entity},
    ).dicts()
    return found[0] if found and not found[0]["is_closed"] else None


def _resume(store: Store, log: BillingLog, now_ms: int, run: dict[str, Any], take_over: bool) -> Run:
    run_id, legal_entity = run["run_id"], run["legal_entity"]
    if not take_over:
        refuse_while_open(store, legal_entity, now_ms)
    _refuse_what_moved_on(store, run)
    frontier = zip(run["frontier_partitions"], run["frontier_offsets"], run["frontier_known_at_ms"], strict=True)
    pins = Pins(legal_entity, run["account"], tuple(frontier), run["known_billing_offset"], run["as_of_ms"])
    drafted = draft(store, log, pins, run_id, has_begun=True)
    _refuse_strangers(store, run_id, drafted)
    refuse_when_overtaken(store, legal_entity, run_id)
    log.append(legal_entity.encode(), encode(closing(run_id, drafted)))
    log.flush()
    project(store, log)
    return Run(store, run_id, legal_entity, pins, RULE_VERSION, drafted.lines, drafted.blocked)


def _refuse_what_moved_on(store: Store, run: dict[str, Any]) -> None:
    """Under other rules its lines would be of two kinds; beside documents that it does not know it would bill them again."""
    if run["rule_version"] != RULE_VERSION:
        raise UnableToResume(
            f"run {run['run_id']} was begun under the rules {run['rule_version']}, now they are {RULE_VERSION}; begin a new run"
        )
    (issued,) = store.query(
        "SELECT count() FROM bill_issued FINAL WHERE legal_entity = {legal_entity:String} AND billing_offset > {billing_offset:UInt64}",
        run,
    ).rows[0]
    if issued:
        raise UnableToResume(f"{issued} documents were issued since run {run['run_id']} began; begin a new run")


def _refuse_strangers(store: Store, run_id: str, drafted: Drafted) -> None:
    """The lines that the log has of the run are those that it drafts, and no others."""
    (there,) = store.query("SELECT count() FROM bill_lines FINAL WHERE run_id = {run:String}", {"run": run_id}).rows[0]
    if there != drafted.lines:
        raise UnableToResume(
            f"run {run_id} has {there} lines in the log and drafts {drafted.lines}; begin a new run, and report this"
        )
