"""`meterfold account`: payments, credits and charges that no tariff makes, disputes, and what is open."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer

from meterfold.accounts.account import UnableToBook
from meterfold.accounts.booking import Booked, enter, pay, unenter, unpay
from meterfold.accounts.disputes import Dispute, dispute, settle
from meterfold.accounts.statement import Statement, statements
from meterfold.billing.documents import UnknownBill
from meterfold.billing.project import project
from meterfold.billing.rows import UnableToProject, decimal_text
from meterfold.clock import now_ms
from meterfold.portfolio.units import minor_digits
from meterfold.render import Figure, show_rows
from meterfold.session import DATA, DataOption, JsonOption, fail, print_json, session, workspace

app = typer.Typer(no_args_is_help=True, help="Payments, credits, charges, disputes, and what is open.")

AccountName = Annotated[str, typer.Argument(help="The account.")]
Number = Annotated[str, typer.Argument(help="The printed number of a document, like HH-000003.")]
Amount = Annotated[str, typer.Argument(help="An amount above zero, in the account's currency.")]
On = Annotated[str | None, typer.Option("--on", help="The day, like 2026-01-31; today (UTC) unless given.")]
Reason = Annotated[str, typer.Option(help="Why. No names: it is kept for ever.")]
Person = Annotated[str | None, typer.Option(help="Who says so; the user of this machine unless given.")]
Name = Annotated[str | None, typer.Option("--id", help="A name of its own; follows from what is said unless given.")]


class CreditKind(StrEnum):
    """What lowers a balance."""

    goodwill = "goodwill"
    deposit = "deposit"
    write_off = "write_off"


class ChargeKind(StrEnum):
    """What raises one."""

    fee = "fee"
    deposit = "deposit"


class Outcome(StrEnum):
    """How a dispute ends."""

    upheld = "upheld"
    rejected = "rejected"
    withdrawn = "withdrawn"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what cannot be booked into a clear end of the command."""
    try:
        yield
    except (UnableToBook, UnknownBill, UnableToProject) as error:
        raise fail(str(error)) from error


@app.command("show")
def show_account(account: AccountName, data: DataOption = DATA, as_json: JsonOption = False) -> None:
    """The statement: documents, payments, entries, the balance after each, and what is open."""
    with workspace(data) as owned, refusing():
        project(owned.store, owned.billing_log)
        found = statements(owned.store, account)
        if as_json:
            print_json([_plain(item) for item in found])
            return
        if not found:
            session().out.print(f"account {account}: nothing was billed or booked")
        for statement in found:
            _show(statement)


def _show(statement: Statement) -> None:
    def money(amount: Decimal) -> str:
        return f"{amount:,.{minor_digits(statement.currency)}f}"

    out = session().out
    out.print(f"\n[bold]account {statement.account.id}[/]   {statement.currency}")
    rows = [
        (f"{item.day}", item.kind.replace("_", " ") + (" (reversed)" if item.is_cancelled else ""), item.reference, item.detail,
         Figure(money(item.amount)), Figure(money(item.balance)))
        for item in statement.movements
    ]  # fmt: skip
    show_rows("", ("day", "what", "number or id", "about", "amount", "balance"), rows, False)
    if statement.open_items:
        opened = [
            (f"{item.day}", item.kind, item.reference, item.status, Figure(money(item.amount)), Figure(money(item.credited)),
             Figure(money(item.paid)), Figure(money(item.open)))
            for item in statement.open_items
        ]  # fmt: skip
        show_rows(
            "open", ("day", "what", "number or id", "status", "amount", "credited", "paid", "open"), opened, False
        )
    what = "owed" if statement.balance > 0 else "in credit" if statement.balance < 0 else "settled"
    out.print(f"balance [bold]{money(statement.balance)} {statement.currency}[/], {what}")
    if statement.unallocated > 0:
        out.print(
            f"of this, {money(statement.unallocated)} was received or credited and pays for nothing yet", style="dim"
        )


def _plain(statement: Statement) -> dict[str, Any]:
    digits = minor_digits(statement.currency)

    def plain(item: Any) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in item.__slots__}
        return {
            name: decimal_text(value, digits) if isinstance(value, Decimal) else value for name, value in values.items()
        }

    return {
        "account": statement.account.id,
        "currency": statement.currency,
        **{name: decimal_text(getattr(statement, name), digits) for name in ("balance", "open", "unallocated")},
        "movements": [plain(item) for item in statement.movements],
        "open_items": [plain(item) for item in statement.open_items],
    }


@app.command("pay")
def pay_account(
    account: AccountName,
    amount: Amount,
    data: DataOption = DATA,
    on: On = None,
    reference: Annotated[str, typer.Option(help="What the bank says. No names: it is kept for ever.")] = "",
    to: Annotated[
        str | None, typer.Option(help="The document that it pays; the rest, or all, pays what is oldest.")
    ] = None,
    back: Annotated[bool, typer.Option("--back", help="It was paid back to the account.")] = False,
    name: Name = None,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """Book a payment. Saying it again books nothing: two payments alike need an --id or a --reference of their own."""
    with workspace(data) as owned, refusing():
        booked = pay(
            owned.store, owned.billing_log, account, amount, now_ms(), _who(person), on=on, reference=reference, to=to, name=name,
            is_paid_back=back,
        )  # fmt: skip
        _say(booked, as_json)


@app.command("unpay")
def unpay_account(
    payment: Annotated[str, typer.Argument(help="The id of a payment.")],
    data: DataOption = DATA,
    on: On = None,
    reference: Annotated[str, typer.Option(help="What the bank says.")] = "",
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """A payment was none: it bounced, or was booked by mistake."""
    with workspace(data) as owned, refusing():
        _say(
            unpay(owned.store, owned.billing_log, payment, now_ms(), _who(person), on=on, reference=reference), as_json
        )


@app.command("credit")
def credit_account(
    account: AccountName,
    amount: Amount,
    kind: Annotated[CreditKind, typer.Option(help="What it is.")],
    reason: Reason,
    data: DataOption = DATA,
    on: On = None,
    concerns: Annotated[str, typer.Option(help="The document that it is about.")] = "",
    name: Name = None,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """Book that an account owes less, though no tariff says so: it is not billed, and no correction takes it back."""
    with workspace(data) as owned, refusing():
        booked = enter(
            owned.store, owned.billing_log, account, kind.value, amount, now_ms(), _who(person), reason, is_credit=True, on=on,
            concerns=concerns, name=name,
        )  # fmt: skip
        _say(booked, as_json)


@app.command("charge")
def charge_account(
    account: AccountName,
    amount: Amount,
    kind: Annotated[ChargeKind, typer.Option(help="What it is.")],
    reason: Reason,
    data: DataOption = DATA,
    on: On = None,
    concerns: Annotated[str, typer.Option(help="The document that it is about.")] = "",
    name: Name = None,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """Book that an account owes more, though no tariff says so: a fee for a reminder, a deposit."""
    with workspace(data) as owned, refusing():
        booked = enter(
            owned.store, owned.billing_log, account, kind.value, amount, now_ms(), _who(person), reason, is_credit=False, on=on,
            concerns=concerns, name=name,
        )  # fmt: skip
        _say(booked, as_json)


@app.command("undo")
def undo_entry(
    entry: Annotated[str, typer.Argument(help="The id of a credit or charge.")],
    reason: Reason,
    data: DataOption = DATA,
    on: On = None,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """A credit or charge was none: book its opposite."""
    with workspace(data) as owned, refusing():
        _say(unenter(owned.store, owned.billing_log, entry, now_ms(), _who(person), reason, on=on), as_json)


@app.command("dispute")
def dispute_document(
    number: Number,
    reason: Reason,
    data: DataOption = DATA,
    amount: Annotated[str | None, typer.Option(help="How much of it is contested; all unless given.")] = None,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """A document is contested."""
    with workspace(data) as owned, refusing():
        _say_dispute(dispute(owned.store, owned.billing_log, number, amount, now_ms(), _who(person), reason), as_json)


@app.command("settle")
def settle_dispute(
    number: Number,
    outcome: Annotated[Outcome, typer.Option("--as", help="How it ends.")],
    reason: Reason,
    data: DataOption = DATA,
    person: Person = None,
    as_json: JsonOption = False,
) -> None:
    """A dispute ends. Nothing is booked by that: a correction or a credit says what follows."""
    with workspace(data) as owned, refusing():
        found = settle(owned.store, owned.billing_log, number, outcome.value, now_ms(), _who(person), reason)
        _say_dispute(found, as_json)


def _who(person: str | None) -> str:
    return person or getpass.getuser()


def _say(booked: Booked, as_json: bool) -> None:
    digits = minor_digits(booked.currency)
    if as_json:
        print_json(
            {
                **{name: getattr(booked, name) for name in Booked.__slots__},
                "amount": decimal_text(booked.amount, digits),
            }
        )
        return
    amount = f"{booked.amount:,.{digits}f} {booked.currency}"
    if booked.is_new:
        session().out.print(f"booked {booked.id}: {amount} on account {booked.account}, in {booked.accounting_period}")
    else:
        session().out.print(
            f"{booked.id} is booked already: {amount} on account {booked.account}. Another one alike needs an --id"
        )


def _say_dispute(found: Dispute, as_json: bool) -> None:
    if as_json:
        digits_text = f"{found.amount.normalize():f}"
        print_json({**{name: getattr(found, name) for name in Dispute.__slots__}, "amount": digits_text})
        return
    already = "" if found.is_new else " already"
    said = "contested" if found.state == "opened" else f"contested no more: {found.state}"
    session().out.print(f"{found.document_number} of account {found.account} is{already} {said} ({found.id})")
