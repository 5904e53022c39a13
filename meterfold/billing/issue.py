"""Issuing: a draft becomes a document with the next number of a gapless series and the hash of its lines, in one record.

A crash before the record is in the log leaves a draft and the number free; after it, an issued document. There is no state between, so no
number is missing and none is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, Line
from meterfold.billing.holds import DraftIsHeld, Hold, holds, open_drafts, release
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Charge, Pins, rate
from meterfold.billing.rows import VERSION, day_of, decimal_text, encode
from meterfold.billing.run import RULE_VERSION, fold_frontier, one_at_a_time, refuse_while_open
from meterfold.billing.unmoved import nothing_moved
from meterfold.books.months import open_month


class NothingToIssue(LookupError):
    """The account, run or document has no open draft."""


class DraftIsStale(RuntimeError):
    """What is known has changed since the draft was made: rating it now gives other amounts. Run the bills again."""


class UnableToIssue(RuntimeError):
    """The lines of a draft are not what its run closed with, or there is no series to number it in; it must not go out."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A document that went out, and the printed number it took."""

    document_id: str
    number: str
    kind: str
    account: str


def issue_bill(store: Store, log: BillingLog, target: str, now_ms: int) -> tuple[Issued, ...]:
    """Issue every open draft of an account, of a run, or one document, in order of account and period.

    First each account is rated again, unless nothing has moved: a draft that would come out otherwise now is not issued. Of a run, what
    is held is left out; of an account or a document that is refused. Raises NothingToIssue, DraftIsStale, DraftIsHeld, UnableToIssue,
    RunInProgress, UnableToProject, and what the log and the store raise: documents issued before that stay issued.
    """
    with one_at_a_time():
        drafts = _current_drafts(store, log, target, now_ms)
        for run_id in sorted({draft.run_id for draft in drafts}):
            _refuse_incomplete(store, run_id)
        held = holds(store, drafts)
        if held and any(draft.run_id != target for draft in drafts):
            raise DraftIsHeld(
                f"{'; '.join(map(str, held))}. Look at it (`meterfold bill show`), and if it is right: "
                f"meterfold bill release {target} --reason WHY"
            )
        kept = {hold.document_id for hold in held}
        series: dict[str, _Series] = {}
        issued = []
        for draft in drafts:
            if draft.document_id not in kept:
                entity = draft.legal_entity
                series[entity] = series[entity].after() if entity in series else _next_number(store, entity, now_ms)
                issued.append(_issue(log, draft, series[entity], now_ms))
        project(store, log)
        return tuple(issued)


def release_bill(store: Store, log: BillingLog, target: str, person: str, reason: str, now_ms: int) -> tuple[Hold, ...]:
    """Release the held drafts of an account, of a run, or one document, so that they can be issued; returns what held them.

    They are rated again first: who releases a draft has seen what is known now. Raises as `issue_bill`, and NothingToRelease.
    """
    with one_at_a_time():
        drafts = _current_drafts(store, log, target, now_ms)
        found = release(store, log, drafts, person, reason, now_ms)
        project(store, log)
        return found


def _current_drafts(store: Store, log: BillingLog, target: str, now_ms: int) -> tuple[Document, ...]:
    """The open drafts of that name, all of which come out the same when rated now."""
    known = project(store, log)
    refuse_misread(store)
    drafts = open_drafts(store, target)
    if not drafts:
        raise NothingToIssue(f"{target} has no open draft; `bill run` makes one when there is something to charge")
    for entity in sorted({draft.legal_entity for draft in drafts}):
        refuse_while_open(store, entity, now_ms)
    for run_id in sorted({draft.run_id for draft in drafts}):
        _refuse_stale(store, known, [draft for draft in drafts if draft.run_id == run_id], now_ms)
    return drafts


@dataclass(frozen=True, slots=True)
class _Series:
    """The series of a legal entity, the next number in it, and the month that is booked into. Nobody else takes one meanwhile."""

    name: str
    number: int
    accounting_period: str

    def after(self) -> _Series:
        return replace(self, number=self.number + 1)


def _issue(log: BillingLog, draft: Document, series: _Series, now_ms: int) -> Issued:
    number = printed(series.name, series.number)
    record = {
        "v": VERSION,
        "type": "issued",
        "document_id": draft.document_id,
        "legal_entity": draft.legal_entity,
        "series": series.name,
        "number": series.number,
        "document_number": number,
        "kind": draft.kind,
        "account": draft.account,
        "run_id": draft.run_id,
        "period_from": draft.period_from.isoformat(),
        "period_to": draft.period_to.isoformat(),
        "currency": draft.currency,
        "total": decimal_text(draft.total, draft.minor_digits),
        "lines_sha256": draft.lines_sha256,
        "corrects": list(draft.corrects),
        "issued_ms": now_ms,
        "issued_on": day_of(now_ms).isoformat(),
        "accounting_period": series.accounting_period,
    }
    log.append(draft.legal_entity.encode(), encode(record))
    log.flush()
    return Issued(draft.document_id, number, draft.kind, draft.account)


def printed(series: str, number: int) -> str:
    """A number as it stands on the document: the series, a dash unless the series ends in a sign of its own, six digits or more."""
    return f"{series}{'-' if series[-1:].isalnum() else ''}{number:06d}"


def _next_number(store: Store, legal_entity: str, now_ms: int) -> _Series:
    found = store.query(
        "SELECT invoice_series FROM ref_legal_entities WHERE legal_entity = {entity:String}", {"entity": legal_entity}
    ).rows
    if not found or not found[0][0]:
        raise UnableToIssue(f"legal entity {legal_entity} has no invoice_series in the portfolio")
    series = found[0][0]
    (last,) = store.query(
        "SELECT max(number) FROM bill_issued WHERE legal_entity = {entity:String} AND series = {series:String}",
        {"entity": legal_entity, "series": series},
    ).rows[0]
    return _Series(series, int(last) + 1, open_month(store, legal_entity, day_of(now_ms)))


def _refuse_incomplete(store: Store, run_id: str) -> None:
    """The closing record says how many lines the run has: with one missing its documents cannot be trusted."""
    (there, promised) = store.query(
        "SELECT (SELECT count() FROM bill_lines FINAL WHERE run_id = {run:String}) AS there, "
        "(SELECT lines FROM bill_run_closed FINAL WHERE run_id = {run:String}) AS promised",
        {"run": run_id},
    ).rows[0]
    if there != promised:
        raise UnableToIssue(
            f"run {run_id} closed with {promised} lines, but {there} are in the log; run the bills again"
        )


def _refuse_stale(store: Store, known_billing_offset: int, drafts: list[Document], now_ms: int) -> None:
    """Drafts of one run, rated again with what is known now and as of now: what has become too old to be charged is seen, too.

    Where nothing of what rating reads has moved since the run, that is spared.
    """
    first = drafts[0]
    accounts = frozenset(draft.account for draft in drafts)
    frontier = fold_frontier(store)
    if nothing_moved(store, first.run_id, accounts, frontier, RULE_VERSION, now_ms):
        return
    (as_of_ms,) = store.query(
        "SELECT as_of_ms FROM bill_runs FINAL WHERE run_id = {run:String}", {"run": first.run_id}
    ).rows[0]
    scope = first.account if len(accounts) == 1 else ""
    pins = Pins(first.legal_entity, scope, frontier, known_billing_offset, max(int(as_of_ms), now_ms))
    charges, _ = rate(store, pins, accounts)
    keys = {(draft.account, draft.period_from, draft.currency) for draft in drafts}
    now: dict[str, set[Gist]] = {account: set() for account in accounts}
    drafted: dict[str, set[Gist]] = {account: set() for account in accounts}
    for charge in charges:
        if (charge.account, charge.period_from, charge.currency) in keys:
            now[charge.account].add(_gist(charge.period_from, charge.currency, charge))
    for draft in drafts:
        drafted[draft.account].update(_gist(draft.period_from, draft.currency, line) for line in draft.lines)
    for account in sorted(accounts):
        if now[account] != drafted[account]:
            changed = len(now[account] ^ drafted[account])
            raise DraftIsStale(
                f"the draft of {account} (run {first.run_id}) is out of date: {changed} lines would come out otherwise now. "
                "Run the bills again, look, and issue"
            )


Gist = tuple[object, ...]


def _gist(period_from: date, currency: str, item: Charge | Line) -> Gist:
    """What a line charges, and for what, whatever its run called it."""
    return (
        period_from, currency, item.kind, item.supply_point, item.channel, item.tariff, item.tariff_version, item.band, item.rate,
        item.quantity_should, item.amount_should, item.amount, item.is_withheld,
    )  # fmt: skip
