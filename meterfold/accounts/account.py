"""The account that money is booked on, and what an amount of its currency may look like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.clickhouse import Store
from meterfold.billing.documents import UnknownBill
from meterfold.portfolio.units import minor_digits

LARGEST: Final = Decimal(10) ** 12


class UnableToBook(ValueError):
    """What is to be booked cannot be right: the account, the amount, the day or the name; or it was booked with other content."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who owes, in which currency; `minor_digits` are the decimal places of an amount of it."""

    id: str
    legal_entity: str
    currency: str
    minor_digits: int

    def amount(self, text: str) -> Decimal:
        """An amount above zero, exactly as written. Raises UnableToBook."""
        try:
            amount = Decimal(text)
        except InvalidOperation as error:
            raise UnableToBook(f"{text!r} is no amount; write it as 96.26") from error
        if not amount.is_finite() or not 0 < amount < LARGEST:
            raise UnableToBook(f"{text} is not above zero and below 10¹²; which way it goes is said by the command")
        if amount != round(amount, self.minor_digits):
            raise UnableToBook(f"{text} is no amount of {self.currency}, which has {self.minor_digits} decimal places")
        return amount


@dataclass(frozen=True, slots=True)
class NumberedDocument:
    """An issued document by its printed number, with what is open of it."""

    number: str
    account: str
    currency: str
    total: Decimal
    open: Decimal


def find_account(store: Store, account: str) -> Account:
    """The account as the portfolio has it, also one that ended. Raises UnableToBook."""
    found = store.query(
        "SELECT legal_entity, currency FROM ref_accounts WHERE account = {account:String}", {"account": account}
    ).rows
    if not found:
        raise UnableToBook(f"there is no account {account} in the portfolio")
    legal_entity, currency = found[0]
    return Account(account, legal_entity, currency, minor_digits(currency))


def find_document(store: Store, number: str, account: str | None = None) -> NumberedDocument:
    """An issued document. Raises UnknownBill, and UnableToBook when it is another account's."""
    found = store.query(
        "SELECT document_number, account, currency, total, open FROM document_balances "
        "WHERE document_number = {number:String} ORDER BY document_id",
        {"number": number},
    ).rows
    if not found:
        raise UnknownBill(
            f"no document {number} was issued; payments and disputes name a printed number, such as HH-000003"
        )
    document = NumberedDocument(*found[0])
    if account not in (None, document.account):
        raise UnableToBook(f"{number} is a document of account {document.account}, not of {account}")
    return document


def day_of(text: str | None, now_ms: int) -> date:
    """A day as written, today (UTC) without one. Raises UnableToBook for what is none, or lies ahead."""
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    if text is None:
        return today
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UnableToBook(f"{text!r} is no day; write it as 2026-01-31") from error
    if not date(1970, 1, 1) <= day <= today + timedelta(days=1):  # it is tomorrow already further east
        raise UnableToBook(f"{day} lies ahead, or before 1970; today is {today} (UTC)")
    return day
