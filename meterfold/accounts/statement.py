"""The statement of an account: what happened to it in order, with the balance after each; and what is open. Per currency, never across."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connectors.clickhouse import Store
from meterfold.accounts.account import Account, find_account


@dataclass(frozen=True, slots=True)
class Movement:
    """`kind`: opening, invoice, credit_note, payment, goodwill, fee, deposit or write_off. Amount above zero: owed more."""

    day: date
    kind: str
    reference: str
    detail: str
    amount: Decimal
    balance: Decimal
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something to be paid of which something is open, oldest first."""

    day: date
    kind: str
    reference: str
    status: str
    amount: Decimal
    credited: Decimal
    paid: Decimal
    open: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """An account in one currency. `unallocated`: credit and money that paid for nothing yet; balance = open − unallocated."""

    account: Account
    currency: str
    movements: tuple[Movement, ...]
    open_items: tuple[OpenItem, ...]
    balance: Decimal
    open: Decimal
    unallocated: Decimal


_MOVEMENTS = """
SELECT day, kind, reference, detail, amount, balance, is_cancelled
FROM account_statement
WHERE account = {account:String} AND currency = {currency:String}
ORDER BY position
"""
_OPEN = """
WITH
    documents AS (SELECT document_number, account, status FROM document_balances)
SELECT items.day, items.kind, items.reference, documents.status, items.amount, items.credited, items.paid, items.open
FROM account_items AS items
LEFT JOIN documents ON documents.document_number = items.reference AND documents.account = items.account AND items.kind = 'invoice'
WHERE items.account = {account:String} AND items.currency = {currency:String} AND items.open != 0
ORDER BY items.day, items.place, items.kind, items.reference
"""


def statements(store: Store, account: str) -> tuple[Statement, ...]:
    """One a currency in which anything happened. Raises UnableToBook for an account that is none."""
    of = find_account(store, account)
    found = store.query(
        "SELECT currency, balance, open, unallocated FROM account_balances WHERE account = {account:String} ORDER BY currency",
        {"account": account},
    ).rows
    result = []
    for currency, balance, open_, unallocated in found:
        named = {"account": account, "currency": currency}
        movements = tuple(Movement(*row) for row in store.query(_MOVEMENTS, named).rows)
        items = tuple(OpenItem(*row) for row in store.query(_OPEN, named).rows)
        result.append(Statement(of, currency, movements, items, balance, open_, unallocated))
    return tuple(result)
