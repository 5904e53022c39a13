"""Disputes: a document is contested, and that is upheld, rejected or withdrawn. The document stays as it is.

What follows from it is a correction or a credit of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from connectors.clickhouse import Store
from meterfold.accounts.account import UnableToBook, find_account, find_document
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rows import VERSION, decimal_text, encode
from meterfold.billing.run import one_at_a_time

Outcome = Literal["upheld", "rejected", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute after this call. `is_new`: the call changed it; otherwise it was so already."""

    id: str
    document_number: str
    account: str
    state: str
    amount: Decimal
    is_new: bool


def dispute(
    store: Store, log: BillingLog, number: str, amount: str | None, now_ms: int, person: str, reason: str
) -> Dispute:
    """Contest a document: its total, or `amount` of it. Raises UnableToBook, UnknownBill."""
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        document = find_document(store, number)
        of = find_account(store, document.account)
        contested = abs(document.total) if amount is None else of.amount(amount)
        if contested > abs(document.total):
            raise UnableToBook(f"{number} has a total of {document.total:f}; {amount} of it cannot be contested")
        steps = _disputes(store, number)
        if steps and steps[-1]["last_state"] == "opened":
            last = steps[-1]
            if last["contested_amount"] != contested:
                raise UnableToBook(f"{number} is disputed already, for {last['contested_amount']:f}; settle that first")
            return Dispute(last["dispute_id"], number, of.id, "opened", contested, is_new=False)
        id_ = f"{number}/D{len(steps) + 1}"
        record = _record(id_, document.account, of.legal_entity, number, "opened", person, reason, now_ms)
        _append(store, log, {**record, "amount": decimal_text(contested, of.minor_digits)})
        return Dispute(id_, number, of.id, "opened", contested, is_new=True)


def settle(
    store: Store, log: BillingLog, number: str, outcome: Outcome, now_ms: int, person: str, reason: str
) -> Dispute:
    """End the open dispute of a document. Raises UnableToBook, UnknownBill."""
    with one_at_a_time():
        project(store, log)
        refuse_misread(store)
        document = find_document(store, number)
        steps = _disputes(store, number)
        if not steps:
            raise UnableToBook(f"{number} is not disputed")
        last = steps[-1]
        if last["last_state"] not in ("opened", outcome):
            raise UnableToBook(f"the dispute of {number} was settled already: {last['last_state']}")
        is_new = last["last_state"] == "opened"
        if is_new:
            entity = find_account(store, document.account).legal_entity
            _append(
                store,
                log,
                _record(last["dispute_id"], document.account, entity, number, outcome, person, reason, now_ms),
            )
        return Dispute(last["dispute_id"], number, document.account, outcome, last["contested_amount"], is_new)


def _record(
    id_: str, account: str, legal_entity: str, number: str, state: str, person: str, reason: str, now_ms: int
) -> dict[str, Any]:
    return {
        "v": VERSION, "type": "dispute", "dispute_id": id_, "legal_entity": legal_entity, "account": account, "document_number": number,
        "state": state, "person": person, "reason": reason, "booked_ms": now_ms,
    }  # fmt: skip


def _append(store: Store, log: BillingLog, record: dict[str, Any]) -> None:
    log.append(str(record["legal_entity"]).encode(), encode(record))
    log.flush()
    project(store, log)


def _disputes(store: Store, number: str) -> list[dict[str, Any]]:
    return store.query(
        "SELECT * FROM disputes WHERE document_number = {number:String} ORDER BY last_offset", {"number": number}
    ).dicts()
