"""Booking money: a payment, or an entry that no tariff makes; each said once, however often the command is given.

Without a name of its own a booking is named after what it says, so that saying it twice books it once. What was booked is never changed:
a booking that was none is reversed by another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Literal

import orjson

from connectors.clickhouse import Store
from meterfold.accounts.account import Account, UnableToBook, day_of, find_account, find_document
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rows import VERSION, decimal_text, encode
from meterfold.billing.run import one_at_a_time
from meterfold.books.months import open_month

EntryKind = Literal["goodwill", "fee", "deposit", "write_off"]

_NEW: Final = ("person", "booked_ms", "accounting_period", "allocations")
"""Fields that may be others when something is said again."""


@dataclass(frozen=True, slots=True)
class Booked:
    """What is in the log. `is_new`: this call put it there; otherwise it was there already, with the same content."""

    id: str
    account: str
    currency: str
    amount: Decimal
    accounting_period: str
    is_new: bool


def pay(
    store: Store, log: BillingLog, account: str, amount: str, now_ms: int, person: str, *, on: str | None = None, reference: str = "",
    to: str | None = None, name: str | None = None, is_paid_back: bool = False,
) -> Booked:  # fmt: skip
    """Book that money came, or with `is_paid_back` went back. `to`: the document that it pays; what exceeds it pays what is oldest.

    Raises UnableToBook, UnknownBill, and what the log and the store raise.
    """
    with one_at_a_time():
        _up_to_date(store, log)
        of = find_account(store, account)
        value = of.amount(amount)
        allocations = []
        if to is not None:
            document = find_document(store, to, account)
            if is_paid_back or document.total <= 0:
                raise UnableToBook(f"{to} is not paid by this: only invoices are, by money that comes")
            paid = min(value, document.open)
            allocations = [{"document_number": to, "amount": decimal_text(paid, of.minor_digits)}] if paid else []
        said = {
            "type": "payment", "account": account, "currency": of.currency,
            "amount": decimal_text(-value if is_paid_back else value, of.minor_digits),
            "received_on": day_of(on, now_ms).isoformat(), "reference": reference,
        }  # fmt: skip
        id_ = name or _named("P", [*said.values(), to or ""])
        record = {**said, "payment_id": id_, "allocations": allocations}
        return _book(store, log, of, id_, record, date.fromisoformat(said["received_on"]), person, now_ms)


def unpay(
    store: Store, log: BillingLog, payment: str, now_ms: int, person: str, *, on: str | None = None, reference: str = ""
) -> Booked:
    """Book that a payment was none: it bounced, or was a mistake. Raises UnableToBook."""
    with one_at_a_time():
        _up_to_date(store, log)
        row = _row(store, "payments", "payment_id", payment)
        of = find_account(store, row["account"])
        day = day_of(on, now_ms)
        id_ = f"{payment}~reversed"
        known = _row_or_none(store, "payments", "payment_id", id_)
        record = {
            "type": "payment", "payment_id": id_, "account": of.id, "currency": row["currency"],
            "amount": decimal_text(-row["amount"], of.minor_digits), "reference": reference, "allocations": [], "reverses": payment,
            "received_on": (known["received_on"] if known and on is None else day).isoformat(),
        }  # fmt: skip
        return _book(store, log, of, id_, record, day, person, now_ms)


def enter(
    store: Store, log: BillingLog, account: str, kind: EntryKind, amount: str, now_ms: int, person: str, reason: str, *,
    is_credit: bool, on: str | None = None, concerns: str = "", name: str | None = None,
) -> Booked:  # fmt: skip
    """Book what an account owes more, or with `is_credit` less, though no tariff says so. It never counts as billed.

    `concerns`: the printed number of the document that it is about. Raises UnableToBook, UnknownBill.
    """
    with one_at_a_time():
        _up_to_date(store, log)
        of = find_account(store, account)
        value = of.amount(amount)
        if concerns:
            find_document(store, concerns, account)
        day = day_of(on, now_ms)
        said = {
            "type": "entry", "account": account, "kind": kind, "currency": of.currency,
            "amount": decimal_text(-value if is_credit else value, of.minor_digits), "on": day.isoformat(), "concerns": concerns,
            "reason": reason,
        }  # fmt: skip
        id_ = name or _named("E", list(said.values()))
        return _book(store, log, of, id_, {**said, "entry_id": id_}, day, person, now_ms)


def unenter(
    store: Store, log: BillingLog, entry: str, now_ms: int, person: str, reason: str, *, on: str | None = None
) -> Booked:
    """Book that an entry was none. Raises UnableToBook."""
    with one_at_a_time():
        _up_to_date(store, log)
        row = _row(store, "entries", "entry_id", entry)
        of = find_account(store, row["account"])
        day = day_of(on, now_ms)
        id_ = f"{entry}~reversed"
        known = _row_or_none(store, "entries", "entry_id", id_)
        record = {
            "type": "entry", "entry_id": id_, "account": of.id, "kind": row["kind"], "currency": row["currency"],
            "amount": decimal_text(-row["amount"], of.minor_digits), "concerns": row["concerns"], "reason": reason, "reverses": entry,
            "on": (known["booked_on"] if known and on is None else day).isoformat(),
        }  # fmt: skip
        return _book(store, log, of, id_, record, day, person, now_ms)


def _up_to_date(store: Store, log: BillingLog) -> None:
    project(store, log)
    refuse_misread(store)


def _named(letter: str, content: list[str]) -> str:
    return f"{letter}-{sha256(orjson.dumps(content)).hexdigest()[:12]}"


def _book(
    store: Store, log: BillingLog, of: Account, id_: str, record: Mapping[str, Any], day: date, person: str, now_ms: int
) -> Booked:
    """Append the record unless one of its name is there: with the same content that is acknowledged, with other content refused."""
    table, key = ("payments", "payment_id") if record["type"] == "payment" else ("entries", "entry_id")
    known = _row_or_none(store, table, key, id_)
    if known is not None:
        _refuse_other_content(id_, record, known)
        return Booked(
            id_, known["account"], known["currency"], known["amount"], known["accounting_period"], is_new=False
        )
    period = open_month(store, of.legal_entity, day)
    whole = {
        **record, "v": VERSION, "legal_entity": of.legal_entity, "person": person, "booked_ms": now_ms, "accounting_period": period,
    }  # fmt: skip
    log.append(of.legal_entity.encode(), encode(whole))
    log.flush()
    project(store, log)
    return Booked(id_, of.id, of.currency, Decimal(record["amount"]), period, is_new=True)


def _refuse_other_content(id_: str, record: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    columns = {"on": "booked_on"}
    for name, value in record.items():
        if name in ("type", *_NEW):
            continue
        before = known[columns.get(name, name)]
        same = Decimal(value) == before if name == "amount" else value == str(before)
        if not same:
            raise UnableToBook(
                f"{id_} is booked already, with {name} {before}, not {value}; give another --id to what is another booking"
            )
    numbers = {item["document_number"] for item in record.get("allocations", ())}
    if numbers and set(known["allocated_numbers"]) not in (numbers, set()):
        raise UnableToBook(
            f"{id_} is booked already, for {', '.join(known['allocated_numbers'])}; give another --id to what is another booking"
        )
    if known["is_reversed"]:
        raise UnableToBook(f"{id_} was booked and reversed since; give the new one an --id of its own")


def _row(store: Store, table: str, key: str, id_: str) -> dict[str, Any]:
    """A booking that may be reversed."""
    row = _row_or_none(store, table, key, id_)
    if row is None:
        raise UnableToBook(f"there is no {key.replace('_', ' ')} {id_}; `meterfold account show` lists them")
    if row["reverses"]:
        raise UnableToBook(f"{id_} is a reversal itself; book anew what was right")
    return row


def _row_or_none(store: Store, table: str, key: str, id_: str) -> dict[str, Any] | None:
    found = store.query(f"SELECT * FROM {table} WHERE {key} = {{id:String}}", {"id": id_}).dicts()
    return found[0] if found else None
