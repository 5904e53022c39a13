"""Money on accounts: what is booked once, what it pays for, and what is open; against an oracle in plain Python."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.accounts.account import UnableToBook
from meterfold.accounts.booking import enter, pay, unenter, unpay
from meterfold.accounts.disputes import dispute, settle
from meterfold.accounts.statement import statements
from meterfold.billing.documents import UnknownBill
from meterfold.billing.project import project
from meterfold.store import sql_folder
from tests.integration.billing_world import ListLog, World, ms

NOW = ms("2025-06-01T09:00Z")
CHECKS = (
    "balances_add_up",
    "bookings_are_said_once",
    "payments_fit_what_they_pay",
    "disputes_are_of_documents",
    "money_stays_in_its_currency",
)


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ListLog(), now_ms=NOW)
    world.entity()
    world.account("A")
    return world


def issued(
    world: World, number: int, total: str, *, month: int = 1, account: str = "A", corrects: list[str] | None = None
) -> str:
    """An issued document, as far as money is concerned: without its lines."""
    name = f"INV-{number:06}"
    record = {
        "v": 1, "type": "issued", "document_id": f"R/{account}/{number}", "legal_entity": "LE", "series": "INV", "number": number,
        "document_number": name, "kind": "credit_note" if total.startswith("-") else "invoice", "account": account, "run_id": "R",
        "period_from": f"2024-{month:02}-01", "period_to": f"2024-{month + 1:02}-01", "currency": "GBP", "total": total,
        "lines_sha256": "0" * 64, "corrects": corrects or [], "issued_ms": ms("2025-01-01T00:00Z") + number * 86_400_000,
    }  # fmt: skip
    append(world, record)
    return name


def append(world: World, *records: dict[str, Any]) -> None:
    for record in records:
        world.log.append(b"LE", orjson.dumps(record))
    world.log.flush()
    project(world.store, world.log)


def balances(world: World, account: str = "A") -> dict[str, tuple[str, str, str, str]]:
    """Per document: credited, paid, open, status."""
    rows = world.store.query(
        "SELECT document_number, credited, paid, open, status FROM document_balances WHERE account = {account:String} "
        "ORDER BY document_number",
        {"account": account},
    ).rows
    return {
        number: (f"{credited:.2f}", f"{paid:.2f}", f"{open_:.2f}", status)
        for number, credited, paid, open_, status in rows
    }


def fired(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """The checks of money that find something."""
    texts = {name: (sql_folder() / "checks" / f"{name}.sql").read_text("utf-8") for name in CHECKS}
    return {name: rows for name, text in texts.items() if (rows := world.store.query(text).rows)}


def test_a_payment_pays_what_is_oldest_unless_it_says_otherwise(world: World) -> None:
    one, two, three = (issued(world, number, "100.00", month=number) for number in (1, 2, 3))
    store, log = world.store, world.log
    pay(store, log, "A", "30", NOW, "clerk", to=two, on="2025-02-01")
    pay(store, log, "A", "150.00", NOW, "clerk", on="2025-02-02")
    assert balances(world) == {
        one: ("0.00", "100.00", "0.00", "paid"),
        two: ("0.00", "80.00", "20.00", "paid in part"),
        three: ("0.00", "0.00", "100.00", "issued"),
    }
    pay(store, log, "A", "200", NOW, "clerk", to=three, on="2025-02-03")
    assert balances(world)[two] == ("0.00", "100.00", "0.00", "paid"), "what exceeds the document pays what is oldest"
    (statement,) = statements(store, "A")
    assert (statement.balance, statement.open, statement.unallocated) == (Decimal(-80), 0, Decimal(80))
    assert [f"{item.balance:.2f}" for item in statement.movements] == [
        "100.00", "200.00", "300.00", "270.00", "120.00", "-80.00",
    ]  # fmt: skip
    assert fired(world) == {}


def test_saying_it_twice_books_it_once(world: World) -> None:
    store, log = world.store, world.log
    issued(world, 1, "100.00")
    first = pay(store, log, "A", "96.26", NOW, "clerk", on="2025-02-01", reference="SO 17", to="INV-000001")
    again = pay(
        store, log, "A", "96.260", NOW + 5, "somebody else", on="2025-02-01", reference="SO 17", to="INV-000001"
    )
    assert first.is_new and not again.is_new and first.id == again.id
    other = pay(store, log, "A", "96.26", NOW, "clerk", on="2025-02-02", reference="SO 17")
    assert other.is_new and other.id != first.id
    named = pay(store, log, "A", "10", NOW, "clerk", on="2025-02-02", name="BANK-1")
    assert not pay(store, log, "A", "10", NOW, "clerk", on="2025-02-02", name="BANK-1").is_new
    for changed in ({"amount": "11"}, {"on": "2025-02-03"}, {"reference": "x"}):
        said: dict[str, Any] = {"amount": "10", "on": "2025-02-02", **changed}
        with pytest.raises(UnableToBook, match="BANK-1 is booked already"):
            pay(store, log, "A", said.pop("amount"), NOW, "clerk", name="BANK-1", **said)
    for _ in range(2):
        enter(store, log, "A", "fee", "5", NOW, "clerk", "reminder", is_credit=False)
        back = unpay(store, log, named.id, NOW, "clerk", on="2025-02-05")
    fee = log.of_type("entry")[0]["entry_id"]
    for _ in range(2):
        unenter(store, log, fee, NOW, "clerk", "sent by mistake")
    assert log.of_type("entry")[1]["amount"] == "-5.00"
    assert back.id == "BANK-1~reversed" and len(log.of_type("payment")) == 4 and len(log.of_type("entry")) == 2
    assert not unpay(store, log, named.id, NOW, "clerk").is_new, "whichever day it is said again"
    with pytest.raises(UnableToBook, match="reversed since"):
        pay(store, log, "A", "10", NOW, "clerk", on="2025-02-02", name="BANK-1")
    with pytest.raises(UnableToBook, match="reversal itself"):
        unpay(store, log, back.id, NOW, "clerk")


@pytest.mark.parametrize(
    ("amount", "options", "why"),
    [
        ("0.001", {}, "no amount of GBP"), ("0", {}, "above zero"), ("-5", {}, "above zero"), ("1e15", {}, "above zero"),
        ("NaN", {}, "above zero"), ("ten", {}, "no amount"), ("5", {"on": "2025-07-01"}, "lies ahead"), ("5", {"on": "soon"}, "no day"),
        ("5", {"to": "INV-000009"}, "no document INV-000009"), ("5", {"to": "INV-000002"}, "document of account B"),
    ],
)  # fmt: skip
def test_what_cannot_be_booked_is_refused(world: World, amount: str, options: dict[str, Any], why: str) -> None:
    world.account("B")
    issued(world, 2, "10.00", account="B")
    with pytest.raises((UnableToBook, UnknownBill), match=why):
        pay(world.store, world.log, "A", amount, NOW, "clerk", **options)
    assert world.log.of_type("payment") == []


def test_the_month_is_the_first_that_is_open(world: World) -> None:
    assert pay(world.store, world.log, "A", "1", NOW, "clerk", on="2025-02-28").accounting_period == "2025-02"
    closed = {
        "v": 1, "type": "period_closed", "legal_entity": "LE", "period": "2025-02", "lines": 0, "sha256": "0" * 64, "frontier": [],
        "billing_offset": 0, "extracts": [], "person": "clerk", "booked_ms": NOW,
    }  # fmt: skip
    append(world, closed)
    assert pay(world.store, world.log, "A", "2", NOW, "clerk", on="2025-02-28").accounting_period == "2025-03"


@pytest.mark.long
def test_a_dispute_is_opened_settled_and_opened_again(world: World) -> None:
    store, log = world.store, world.log
    number = issued(world, 1, "100.00")
    with pytest.raises(UnableToBook, match="not disputed"):
        settle(store, log, number, "upheld", NOW, "clerk", "why")
    first = dispute(store, log, number, "40.00", NOW, "clerk", "was away")
    assert first.is_new and not dispute(store, log, number, "40", NOW, "clerk", "was away").is_new
    with pytest.raises(UnableToBook, match="disputed already, for 40"):
        dispute(store, log, number, "41", NOW, "clerk", "was away")
    assert balances(world)[number][3] == "disputed"
    assert settle(store, log, number, "rejected", NOW, "clerk", "read twice").is_new
    assert not settle(store, log, number, "rejected", NOW, "clerk", "read twice").is_new
    with pytest.raises(UnableToBook, match="settled already: rejected"):
        settle(store, log, number, "upheld", NOW, "clerk", "read twice")
    assert balances(world)[number][3] == "issued"
    assert dispute(store, log, number, None, NOW, "clerk", "again").id == "INV-000001/D2"
    with pytest.raises(UnableToBook, match="cannot be contested"):
        dispute(store, log, issued(world, 2, "5.00"), "6", NOW, "clerk", "more than all")
    assert fired(world) == {}


def test_the_opening_position_counts_once_and_is_what_is_oldest(world: World) -> None:
    body = {
        "legal_entity": "LE", "party_id": "P", "currency": "GBP", "billing_from": "2024-01-01", "calendar": {"kind": "monthly", "day": 1},
        "opening_position": "25.00",
    }  # fmt: skip
    world.reference("account", "A", body)
    world.reference("account", "A", {**body, "party_id": "P2"})
    number = issued(world, 1, "10.00")
    pay(world.store, world.log, "A", "30", NOW, "clerk")
    assert balances(world)[number] == ("0.00", "5.00", "5.00", "paid in part")
    (statement,) = statements(world.store, "A")
    assert [item.kind for item in statement.movements] == ["opening", "invoice", "payment"] and statement.balance == 5


# -- the oracle -------------------------------------------------------------------------------------------------------------


@dataclass
class Item:
    total: int
    month: int = 0
    credited: int = 0
    paid: int = 0

    @property
    def open(self) -> int:
        return self.total - self.credited - self.paid


@dataclass
class Ledger:
    """Cents of one account, worked out in one go from all that was booked, item by item."""

    items: dict[str, Item] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    concerned: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    directed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    loose_credit: int = 0
    money: int = 0

    def settle(self) -> int:
        """Fill credited and paid; returns what is left over (negative: more was paid back than there was)."""
        credit, money = self.loose_credit, self.money
        for month, note in self.notes.items():
            for item in self.items.values():
                if item.month == month and note:
                    item.credited += (used := min(note, item.open))
                    note -= used
            credit += note
        for name, amount in self.concerned.items():
            item = self.items[name]
            item.credited += (used := min(amount, item.open))
            credit += amount - used
        for name, amount in self.directed.items():
            item = self.items[name]
            item.paid += (used := min(amount, item.open))
            money -= used
        left = credit + money
        credit, money = min(credit, max(left, 0)), max(left, 0) - min(credit, max(left, 0))
        for item in self.items.values():
            item.credited += (used := min(credit, item.open))
            credit -= used
            left -= used
            item.paid += (used := min(money, item.open))
            money -= used
            left -= used
        return left


@dataclass
class Teller:
    """Books at random on one account, a thing a day, and tells the ledger."""

    account: str
    random_: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    balance: int = 0
    day: date = date(2025, 1, 1)

    def document(self, number: int, cents: int, *, is_note: bool) -> list[dict[str, Any]]:
        month, sign = self.random_.randint(1, 4), -1 if is_note else 1
        if is_note:
            self.ledger.notes[month] += cents
        else:
            self.ledger.items[f"INV-{number:06}"] = Item(cents, month)
        self.balance += sign * cents
        return [{
            "v": 1, "type": "issued", "document_id": f"R/{number}", "legal_entity": "LE", "series": "INV", "number": number,
            "document_number": f"INV-{number:06}", "kind": "credit_note" if is_note else "invoice", "account": self.account,
            "run_id": "R", "period_from": f"2024-{month:02}-01", "period_to": f"2024-{month + 1:02}-01", "currency": "GBP",
            "total": written(sign * cents), "lines_sha256": "0" * 64, "corrects": [], "issued_ms": ms(f"{self.day}T05:00Z"),
        }]  # fmt: skip

    def entry(self, kind: str, cents: int, concerns: str = "") -> list[dict[str, Any]]:
        id_ = f"{self.account}-{self.day}"
        if kind == "fee":
            self.ledger.items[id_] = Item(cents)
        elif concerns:
            self.ledger.concerned[concerns] -= cents
        else:
            self.ledger.loose_credit -= cents
        self.balance += cents
        return [{
            "v": 1, "type": "entry", "entry_id": id_, "legal_entity": "LE", "account": self.account, "kind": kind, "currency": "GBP",
            "amount": written(cents), "on": self.day.isoformat(), "concerns": concerns, "person": "x", "reason": "y", "booked_ms": 1,
            "accounting_period": "2025-01",
        }]  # fmt: skip

    def payment(self, cents: int, to: str = "", part: int = 0) -> dict[str, Any]:
        return {
            "v": 1, "type": "payment", "payment_id": f"{self.account}-{self.day}", "legal_entity": "LE", "account": self.account,
            "currency": "GBP", "amount": written(cents), "received_on": self.day.isoformat(), "reference": "",
            "allocations": [{"document_number": to, "amount": written(part)}] if to else [], "person": "x", "booked_ms": 1,
            "accounting_period": "2025-01",
        }  # fmt: skip

    def something(self, number: int) -> list[dict[str, Any]]:
        """Records of the next day; `number` is that of a document, should there be one."""
        self.day += timedelta(days=1)
        cents = self.random_.randint(1, 20_000)
        invoices = [key for key in self.ledger.items if key.startswith("INV")]
        about = self.random_.choice(invoices) if invoices else ""
        match self.random_.choice(("invoice",) * 3 + ("note", "fee", "gift", "about", "pay", "to", "back", "undone")):
            case "note":
                return self.document(number, cents, is_note=True)
            case "fee":
                return self.entry("fee", cents)
            case "gift":
                return self.entry("goodwill", -cents)
            case "about" if about:
                return self.entry("goodwill", -cents, about)
            case "pay" | "back" as way:
                value = cents if way == "pay" else -cents
                self.ledger.money += value
                self.balance -= value
                return [self.payment(value)]
            case "to" if about:
                part = self.random_.randint(1, cents)
                self.ledger.directed[about] += part
                self.ledger.money += cents
                self.balance -= cents
                return [self.payment(cents, about, part)]
            case "undone":
                none = self.payment(cents)
                reversal = {
                    **none,
                    "payment_id": none["payment_id"] + "~",
                    "amount": written(-cents),
                    "reverses": none["payment_id"],
                }
                return [
                    none,
                    reversal,
                    {**none, "amount": "1.00"},
                ]  # the third has the name of the first: it does not count
            case _:
                return self.document(number, cents, is_note=False)


def written(cents: int) -> str:
    return f"{Decimal(cents) / 100:.2f}"


def test_what_is_open_is_what_the_oracle_says(world: World) -> None:
    """Documents, fees, goodwill, payments that say and do not say what they pay, refunds, reversals, in any order; sixty accounts."""
    random_ = random.Random(20261123)
    tellers = [Teller(f"B{index:02}", random_) for index in range(60)]
    number, records = 0, []
    for teller in tellers:
        for _ in range(random_.randint(3, 16)):
            made = teller.something(number + 1)
            number += made[0]["type"] == "issued"
            records += made
    append(world, *records)
    items: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for account, *rest in world.store.query(
        "SELECT account, reference, credited, paid, open FROM account_items ORDER BY account, day, place"
    ).rows:
        items[account].append((rest[0], *(int(value * 100) for value in rest[1:])))
    balances = {
        account: tuple(int(value * 100) for value in rest)
        for account, *rest in world.store.query(
            "SELECT account, balance, open, unallocated FROM account_balances ORDER BY account, currency"
        ).rows
    }
    overpaid = 0
    for teller in tellers:
        left = teller.ledger.settle()
        expected = [(key, item.credited, item.paid, item.open) for key, item in teller.ledger.items.items()]
        assert items[teller.account] == expected, teller.account
        open_ = sum(item.open for item in teller.ledger.items.values())
        assert (
            balances.get(teller.account, (0, 0, 0)) == (teller.balance, open_, left) and teller.balance == open_ - left
        )
        overpaid += left < 0
    assert overpaid > 3 and len(items) > 40
    assert set(fired(world)) <= {"bookings_are_said_once", "payments_fit_what_they_pay", "money_stays_in_its_currency"}
