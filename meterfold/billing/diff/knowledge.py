"""States of knowledge: what a run saw, what was in the logs at an instant, or what is known now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final

from connectors.clickhouse import Store
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project
from meterfold.billing.run import fold_frontier
from meterfold.store import sql_folder

NOW: Final = "now"


class UnknownMoment(LookupError):
    """The text names no run, no document and no instant."""


class UnknownAccount(LookupError):
    """The account is not in the portfolio."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What may be seen. `frontier`: (partition of reads.curated, offset below which rows are seen), every partition; `label`: in words."""

    label: str
    billing_offset: int
    frontier: tuple[tuple[int, int], ...]
    as_of_ms: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What an account's bills ever rested on, as known now."""

    account: str
    legal_entity: str
    tenancies: tuple[str, ...]
    supply_points: tuple[str, ...]
    tariffs: tuple[str, ...]
    sites: tuple[str, ...]


def scope_of(store: Store, account: str, until_offset: int) -> Scope:
    """Everything of the account that the billing log below the offset ever named. Raises UnknownAccount."""
    found = store.query(
        "SELECT legal_entity FROM ref_accounts_history WHERE account = {account:String} ORDER BY version DESC LIMIT 1",
        {"account": account},
    ).rows
    if not found:
        raise UnknownAccount(f"account {account} is not in the portfolio")
    rows = store.query(sql("account_scope"), {"account": account, "until_offset": until_offset}).rows
    names = [tuple(sorted({row[place] for row in rows if row[place]})) for place in range(4)]
    return Scope(account, found[0][0], *names)


def knowledge(store: Store, log: BillingLog, when: str, account: str, now_ms: int) -> Knowledge:
    """The state that `when` names: `now`, a run, a printed document number (what its run saw), or an instant (UTC unless it has an offset).

    At an instant it is everything that had been appended to the logs by then, whether or not anybody had looked: for the billing log by the
    times of its records, for reads by `known_at_ms` of the rows of the account's supply points. Raises UnknownMoment, UnknownAccount.
    """
    known = project(store, log)
    frontier = tuple((partition, offset) for partition, offset, _ in fold_frontier(store))
    if when == NOW:
        return Knowledge(NOW, known, frontier, now_ms)
    if (run := _run(store, when)) is not None:
        return run
    try:
        instant = datetime.fromisoformat(when)
    except ValueError as error:
        raise UnknownMoment(
            f"{when!r} is no run, no printed document number and no instant; write `now`, or an instant such as 2026-02-01T10:00Z"
        ) from error
    at_ms = round((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
    supply_points = scope_of(store, account, known).supply_points
    after = dict(store.query(sql("reads_after"), {"supply_points": list(supply_points), "at_ms": at_ms}).rows)
    seen = tuple((partition, min(offset, after.get(partition, offset))) for partition, offset in frontier)
    return Knowledge(
        f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}Z", _below(log, at_ms, known), seen, at_ms
    )


def _below(log: BillingLog, at_ms: int, known: int) -> int:
    """The offset of the first record that was appended after the instant: below it stands what was there."""
    for offset, append_ms, _ in log.iter_records(0):
        if append_ms > at_ms or offset >= known:
            return min(offset, known)
    return known


_RUN: Final = """
WITH
    issued AS (SELECT run_id FROM bill_issued FINAL WHERE document_number = {when:String}),
    runs AS (SELECT * FROM bill_runs FINAL WHERE run_id = {when:String} OR run_id IN issued)
SELECT run_id, frontier_partitions, frontier_offsets, known_billing_offset, as_of_ms
FROM runs
ORDER BY billing_offset DESC, run_id
LIMIT 1
"""


def _run(store: Store, when: str) -> Knowledge | None:
    for run_id, partitions, offsets, billing_offset, as_of_ms in store.query(_RUN, {"when": when}).rows:
        label = when if when == run_id else f"{when} (run {run_id})"
        return Knowledge(label, int(billing_offset), tuple(zip(partitions, offsets, strict=True)), int(as_of_ms))
    return None


@cache
def sql(name: str) -> str:
    """A query of sql/diff."""
    return (sql_folder() / "diff" / f"{name}.sql").read_text(encoding="utf-8")
