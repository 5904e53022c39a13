"""Issuing: a draft becomes a document with the next number of a gapless series and the hash of its lines, in one record.

A crash before the record is in the log leaves a draft and the number free; after it, an issued document. There is no state between, so no
number is missing and none is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, documents
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Charge, Pins, rate
from meterfold.billing.rows import VERSION, day_of, decimal_text, encode
from meterfold.billing.run import fold_frontier, one_at_a_time, refuse_while_open
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

    First each account is rated again: a draft that would come out otherwise now is not issued. Raises NothingToIssue, DraftIsStale,
    UnableToIssue, RunInProgress, UnableToProject, and what the log and the store raise: documents issued before that stay issued.
    """
    with one_at_a_time():
        known = project(store, log)
        refuse_misread(store)
        drafts = documents(
            store,
            "documents.status = 'draft' AND {target:String} IN (documents.account, documents.run_id, documents.document_id)",
            {"target": target},
        )
        if not drafts:
            raise NothingToIssue(f"{target} has no open draft; `bill run` makes one when there is something to charge")
        for entity in sorted({draft.legal_entity for draft in drafts}):
            refuse_while_open(store, entity, now_ms)
        for account in sorted({draft.account for draft in drafts}):
            _refuse_stale(store, known, [draft for draft in drafts if draft.account == account])
        issued = []
        for draft in drafts:
            _refuse_incomplete(store, draft)
            issued.append(_issue(store, log, draft, now_ms))
        return tuple(issued)


def _issue(store: Store, log: BillingLog, draft: Document, now_ms: int) -> Issued:
    series, number = _next_number(store, draft.legal_entity)
    record = {
        "v": VERSION,
        "type": "issued",
        "document_id": draft.document_id,
        "legal_entity": draft.legal_entity,
        "series": series,
        "number": number,
        "document_number": printed(series, number),
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
        "accounting_period": open_month(store, draft.legal_entity, day_of(now_ms)),
    }
    log.append(draft.legal_entity.encode(), encode(record))
    log.flush()
    project(store, log)
    return Issued(draft.document_id, str(record["document_number"]), draft.kind, draft.account)


def printed(series: str, number: int) -> str:
    """A number as it stands on the document: the series, a dash unless the series ends in a sign of its own, six digits or more."""
    return f"{series}{'-' if series[-1:].isalnum() else ''}{number:06d}"


def _next_number(store: Store, legal_entity: str) -> tuple[str, int]:
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
    return series, int(last) + 1


def _refuse_incomplete(store: Store, draft: Document) -> None:
    """The closing record says how many lines the run has: with one missing its documents cannot be trusted."""
    (there, promised) = store.query(
        "SELECT (SELECT count() FROM bill_lines FINAL WHERE run_id = {run:String}) AS there, "
        "(SELECT lines FROM bill_run_closed FINAL WHERE run_id = {run:String}) AS promised",
        {"run": draft.run_id},
    ).rows[0]
    if there != promised:
        raise UnableToIssue(
            f"run {draft.run_id} closed with {promised} lines, but {there} are in the log; run the bills again"
        )


def _refuse_stale(store: Store, known_billing_offset: int, drafts: list[Document]) -> None:
    first = drafts[0]
    (as_of_ms,) = store.query(
        "SELECT as_of_ms FROM bill_runs FINAL WHERE run_id = {run:String}", {"run": first.run_id}
    ).rows[0]
    pins = Pins(first.legal_entity, first.account, fold_frontier(store), known_billing_offset, int(as_of_ms))
    charges, _ = rate(store, pins)
    periods = {(draft.period_from, draft.currency) for draft in drafts}
    now = {_gist(charge) for charge in charges if (charge.period_from, charge.currency) in periods}
    drafted = {
        (draft.period_from, draft.currency, line.kind, line.supply_point, line.channel, line.tariff, line.tariff_version,
         line.band, line.rate, line.quantity_should, line.amount_should, line.amount, line.is_withheld)
        for draft in drafts
        for line in draft.lines
    }  # fmt: skip
    if now != drafted:
        changed = len(now ^ drafted)
        raise DraftIsStale(
            f"the draft of {first.account} (run {first.run_id}) is out of date: {changed} lines would come out otherwise now. "
            "Run the bills again, look, and issue"
        )


def _gist(charge: Charge) -> tuple[object, ...]:
    return (
        charge.period_from, charge.currency, charge.kind, charge.supply_point, charge.channel, charge.tariff,
        charge.tariff_version, charge.band, charge.rate, charge.quantity_should, charge.amount_should, charge.amount, charge.is_withheld,
    )  # fmt: skip
