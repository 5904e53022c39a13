"""A bill run: pin what is known, rate it, write down the difference to what was billed, close.

Its lines count only once the closing record is in the log, so a run that died half-way is as if it had never been. Runs are serial
per legal entity: within this process by a lock (the second waits), between processes by a lease in the log (the second is refused), and
a run that was overtaken all the same is not counted (`bill_runs_that_count`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Final

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, documents
from meterfold.billing.drafting import draft
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Blocked, Pins
from meterfold.billing.records import closing, opening
from meterfold.billing.rows import encode

RULE_VERSION: Final = "bills-1"
"""Version of the rules in sql/billing and here; pinned by every run."""

LEASE_MS: Final = 10 * 60 * 1000
"""How long a run keeps others of its legal entity out when it does not close, in ms."""

_ONE_AT_A_TIME: Final = Lock()


class RunInProgress(RuntimeError):
    """Another run of the legal entity is open, and its lease has not run out."""


class RunOvertaken(RuntimeError):
    """Another run of the legal entity opened before this one closed; nothing of this one counts."""


class UnknownScope(LookupError):
    """The account or legal entity is not in the portfolio."""


@dataclass(frozen=True)
class Run:
    """One execution for one legal entity. `lines`: how many it drafted; `blocked` is what it could not bill, and why."""

    store: Store = field(repr=False)
    run_id: str
    legal_entity: str
    pins: Pins
    rule_version: str
    lines: int
    blocked: tuple[Blocked, ...]

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """The drafts it made, fetched when first asked for: there may be a hundred thousand."""
        return documents(self.store, "documents.run_id = {run_id:String}", {"run_id": self.run_id})


@dataclass(frozen=True, slots=True)
class RunResult:
    """The runs of one call, one a legal entity, in order."""

    runs: tuple[Run, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        return tuple(document for run in self.runs for document in run.documents)

    @property
    def blocked(self) -> tuple[Blocked, ...]:
        return tuple(block for run in self.runs for block in run.blocked)


def run_bills(
    store: Store,
    log: BillingLog,
    now_ms: int,
    legal_entity: str | None = None,
    account: str | None = None,
    *,
    take_over: bool = False,
    lease_ms: int = LEASE_MS,
) -> RunResult:
    """Draft what is to be charged now: for all, for one legal entity, or for one account; unissued drafts in scope are replaced.

    `take_over`: the caller knows that no other process can be running (it owns the directory), so an open run is a dead one. Raises
    UnknownScope, RunInProgress, RunOvertaken, UnableToProject, and what the log and the store raise: then nothing of the run counts.
    """
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        entities = entities_in(store, legal_entity, account)
        return RunResult(
            tuple(_run(store, log, now_ms, entity, account or "", take_over, lease_ms) for entity in entities)
        )


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Alone with the billing log in this process: runs and issues wait for each other."""
    with _ONE_AT_A_TIME:
        yield


def _run(
    store: Store, log: BillingLog, now_ms: int, legal_entity: str, account: str, take_over: bool, lease_ms: int
) -> Run:
    pins = Pins(legal_entity, account, fold_frontier(store), project(store, log), now_ms)
    if not take_over:
        refuse_while_open(store, legal_entity, now_ms)
    run_id = f"{legal_entity}-R{_opened(store, legal_entity) + 1}"
    key = legal_entity.encode()
    log.append(key, encode(opening(run_id, pins, RULE_VERSION, now_ms + lease_ms)))
    log.flush()
    project(store, log)
    drafted = draft(store, log, pins, run_id)
    refuse_when_overtaken(store, legal_entity, run_id)
    log.append(key, encode(closing(run_id, drafted)))
    log.flush()
    project(store, log)
    return Run(store, run_id, legal_entity, pins, RULE_VERSION, drafted.lines, drafted.blocked)


def fold_frontier(store: Store) -> tuple[tuple[int, int, int], ...]:
    """How far the fold's rows go, per partition: (partition, next offset, known_at_ms)."""
    found = store.query(
        "SELECT partition, next_offset, known_at_ms FROM frontier FINAL WHERE kind = 'fold' ORDER BY partition"
    )
    return tuple((int(partition), int(offset), int(known_at)) for partition, offset, known_at in found.rows)


def refuse_while_open(store: Store, legal_entity: str, now_ms: int) -> None:
    """Raises RunInProgress while the legal entity's last run is neither closed nor past its lease."""
    found = store.query(
        "SELECT run_id, lease_until_ms, run_id IN (SELECT run_id FROM bill_run_closed) AS is_closed FROM bill_runs FINAL "
        "WHERE legal_entity = {entity:String} ORDER BY billing_offset DESC, run_id LIMIT 1",
        {"entity": legal_entity},
    )
    for run_id, lease_until_ms, is_closed in found.rows:
        if not is_closed and lease_until_ms > now_ms:
            wait_s = (lease_until_ms - now_ms + 999) // 1000
            raise RunInProgress(
                f"run {run_id} of {legal_entity} is open; if it is dead, its lease runs out in {wait_s} s and a new run may begin"
            )


def refuse_when_overtaken(store: Store, legal_entity: str, run_id: str) -> None:
    """Raises RunOvertaken if a later run of the legal entity has opened."""
    found = store.query(
        "SELECT run_id FROM bill_runs FINAL WHERE legal_entity = {entity:String} ORDER BY billing_offset DESC, run_id LIMIT 1",
        {"entity": legal_entity},
    )
    if found.rows[0][0] != run_id:
        raise RunOvertaken(f"run {run_id} of {legal_entity} was overtaken by {found.rows[0][0]}; nothing of it counts")


def _opened(store: Store, legal_entity: str) -> int:
    (count,) = store.query(
        "SELECT count() FROM bill_runs FINAL WHERE legal_entity = {entity:String}", {"entity": legal_entity}
    ).rows[0]
    return int(count)


def entities_in(store: Store, legal_entity: str | None, account: str | None) -> list[str]:
    """The legal entities of a scope: that of the account, the one that is named, or all. Raises UnknownScope."""
    if account is not None:
        found = store.query(
            "SELECT legal_entity FROM ref_accounts WHERE account = {account:String}", {"account": account}
        ).rows
        if not found or legal_entity not in (None, found[0][0]):
            raise UnknownScope(
                f"account {account} is not in the portfolio{f' of {legal_entity}' if legal_entity else ''}"
            )
        return [found[0][0]]
    names = [name for (name,) in store.query("SELECT legal_entity FROM ref_legal_entities ORDER BY legal_entity").rows]
    if legal_entity is None:
        return names
    if legal_entity not in names:
        raise UnknownScope(f"legal entity {legal_entity} is not in the portfolio; it has {', '.join(names) or 'none'}")
    return [legal_entity]
