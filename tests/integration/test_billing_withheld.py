"""What may not be charged any more is withheld: against an oracle in plain Python, and end to end on a document."""

from __future__ import annotations

import io
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from connectors.clickhouse import Session, Store
from meterfold.bill_text import show_document
from meterfold.billing.documents import Document, documents
from meterfold.billing.explain import explain_line
from meterfold.billing.issue import DraftIsStale, issue_bill
from meterfold.billing.run import run_bills
from meterfold.session import Session as CommandSession
from meterfold.session import session, within
from meterfold.store import sql_folder
from tests.integration.billing_world import ListLog, World, ms, tariff_version

STEPS = [
    (sql_folder() / "billing" / f"rating_{name}.sql").read_text("utf-8")
    for name in ("entity", "currencies", "late", "stacked_periods", "differences")
]
LIMIT = {"months": 12, "bearer": "LANDLORD", "reason": "older than 12 months"}
PERIODS = ("2024-01-01", "2024-02-01", "2024-03-01")
AS_OF = ("2024-06-01", "2025-02-01", "2025-02-02", "2025-03-02", "2026-01-01")
"""Before, at the very end of, and after the year that follows the end of January; after that of February; after all."""
ELEMENTS = ("day", "night", "VAT")


# -- the oracle: what decision 13 says, in cents, one period of one account at a time --------------------------------------


@dataclass
class Settled:
    """What documents charged and withheld, by element."""

    billed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    withheld: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def step(self, should: Mapping[str, int], is_old: bool) -> None:
        claim = sum(should.values()) - sum(self.billed.values())
        for element in {*should, *self.billed, *self.withheld}:
            now = should.get(element, 0)
            if is_old and claim > 0:
                self.withheld[element] = now - self.billed[element]
            else:
                self.billed[element], self.withheld[element] = now, 0


def is_older(period: str, as_of: str) -> bool:
    """The period ended more than 12 months before, by UTC."""
    year, month = int(period[:4]), int(period[5:7])
    return as_of > f"{year + 1}-{month + 1:02}-01"


# -- the step of the run, with what is rated and billed put in by hand ----------------------------------------------------

RATED: dict[str, str] = {
    "account": "String", "period_from": "Date", "period_to": "Date", "kind": "String", "element": "String", "supply_point": "String",
    "channel": "String", "tariff": "String", "tariff_version": "String", "charge": "String", "band": "String", "service_from": "Date",
    "service_to": "Date", "currency": "String", "unit": "String", "rate": "Decimal(38, 9)", "quantity": "Decimal(38, 12)",
    "quantity_estimated": "Decimal(38, 12)", "amount": "Decimal(38, 4)", "charge_no": "UInt32", "band_no": "UInt32",
    "tax_point": "Nullable(Date)", "tax_remainder": "Decimal(38, 21)",
}  # fmt: skip
BILLED: dict[str, str] = {
    "account": "String", "period_from": "Date", "period_to": "Date", "element": "String", "currency": "String",
    "quantity": "Decimal(38, 12)", "amount": "Decimal(38, 4)", "withheld_quantity": "Decimal(38, 12)",
    "withheld_amount": "Decimal(38, 4)", "withheld_reason": "String", "withheld_bearer": "String",
    "words": "Tuple(String, String, String, String, String, String, Date, Date, String, Decimal(38, 9))",
}  # fmt: skip


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"({', '.join(map(literal, value))})" if isinstance(value, tuple) else f"'{value}'"


def table(session: Session, name: str, types: Mapping[str, str], rows: list[dict[str, Any]]) -> None:
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    session.command(f"CREATE OR REPLACE TEMPORARY TABLE {name} ({columns})")
    values = ", ".join("(" + ", ".join(literal(row[column]) for column in types) + ")" for row in rows)
    if values:
        session.command(f"INSERT INTO {name} ({', '.join(types)}) VALUES {values}")


def period_to(period: str) -> str:
    return f"{period[:5]}{int(period[5:7]) + 1:02}-01"


Key = tuple[str, str, str]
"""Account, first day of the period, element."""


def differences(
    session: Session, should: Mapping[Key, int], settled: Mapping[tuple[str, str], Settled], as_of: str
) -> list[dict[str, Any]]:
    words = {
        "unit": "kWh",
        "rate": "0.3",
        "service_from": "2024-01-01",
        "service_to": "2024-02-01",
        "tariff_version": "1",
    }
    names = dict.fromkeys(("supply_point", "channel", "tariff", "charge", "band"), "x")
    rated = [
        {"account": account, "period_from": period, "period_to": period_to(period), "kind": "energy", "element": element,
         "currency": "GBP", "quantity": part, "quantity_estimated": 0, "amount": Decimal(part) / 100, "charge_no": 1, "band_no": 1,
         "tax_point": None, "tax_remainder": 0,
         **names, **words}
        for (account, period, element), cents in should.items()
        for part in ([cents - 7, 7] if cents % 5 == 1 else [cents])  # one element of two price lists
    ]  # fmt: skip
    known = {
        (account, period, element)
        for (account, period), state in settled.items()
        for element in {*state.billed, *state.withheld}
    }
    put = ("energy", "x", "x", "x", "1", "x", "2024-01-01", "2024-02-01", "kWh", "0.3")
    billed = [
        {"account": account, "period_from": period, "period_to": period_to(period), "element": element, "currency": "GBP",
         "quantity": settled[account, period].billed[element], "amount": Decimal(settled[account, period].billed[element]) / 100,
         "withheld_quantity": settled[account, period].withheld[element],
         "withheld_amount": Decimal(settled[account, period].withheld[element]) / 100,
         "withheld_reason": "older than 12 months", "withheld_bearer": "LANDLORD", "words": put}
        for account, period, element in sorted(known)
    ]  # fmt: skip
    table(session, "rating_charges", RATED, rated)
    table(session, "rating_billed", BILLED, billed)
    for step in STEPS:
        session.command(step, {"legal_entity": "LE", "known_billing_offset": 10**9, "as_of_ms": ms(f"{as_of}T00:00Z")})
    return session.query("SELECT * FROM rating_differences ORDER BY account, period_from, is_withheld, element").dicts()


def test_billed_and_withheld_are_what_is_rated_whatever_comes_in_whatever_order(store: Store) -> None:
    """Thirty accounts, six runs, amounts of either sign that rise, fall and vanish; the clock mostly goes on."""
    World(store, ListLog()).entity(back_billing=LIMIT)
    random_ = random.Random(20261123)
    accounts = [f"A{number:02}" for number in range(30)]
    oracle: dict[tuple[str, str], Settled] = defaultdict(Settled)
    settled: dict[tuple[str, str], Settled] = defaultdict(Settled)
    seen = {"nothing claimed in sum": 0, "withheld": 0, "released": 0, "credited while withheld": 0}
    with store.session() as session:
        for as_of in ("2024-06-01", "2025-02-01", *random_.choices(AS_OF, k=2), "2025-02-02", "2026-01-01"):
            should = {
                (account, period, element): random_.choice((0, random_.randint(-300, 900)))
                for account in accounts
                for period in PERIODS
                for element in ELEMENTS
                if random_.random() < 0.8
            }
            for account, period in settled:
                if random_.random() < 0.15:  # the same in sum, otherwise shared out: nothing is claimed
                    amounts = random_.sample([settled[account, period].billed[element] for element in ELEMENTS], 3)
                    should |= {
                        (account, period, element): cents for element, cents in zip(ELEMENTS, amounts, strict=True)
                    }
                    was = settled[account, period].billed
                    seen["nothing claimed in sum"] += is_older(period, as_of) and [*map(was.get, ELEMENTS)] != amounts
            rows = differences(session, should, settled, as_of)
            for row in rows:
                state = settled[row["account"], str(row["period_from"])]
                ledger = state.withheld if row["is_withheld"] else state.billed
                assert row["amount_was"] == Decimal(ledger[row["element"]]) / 100
                assert row["amount"] == row["amount_should"] - row["amount_was"]
                assert row["withheld_bearer"] == ("LANDLORD" if row["is_withheld"] else "")
                ledger[row["element"]] = int(row["amount_should"] * 100)
            for account, period in ((account, period) for account in accounts for period in PERIODS):
                now = {element: should.get((account, period, element), 0) for element in ELEMENTS}
                before = sum(oracle[account, period].billed.values())
                was_withheld = any(oracle[account, period].withheld.values())
                oracle[account, period].step(now, is_older(period, as_of))
                found, expected = settled[account, period], oracle[account, period]
                for element in ELEMENTS:
                    assert found.billed[element] == expected.billed[element], (as_of, account, period, element)
                    assert found.withheld[element] == expected.withheld[element], (as_of, account, period, element)
                    assert found.billed[element] + found.withheld[element] == now[element]
                after = sum(found.billed.values())
                assert not is_older(period, as_of) or after <= before, "an old net claim was charged"
                seen["withheld"] += any(found.withheld.values())
                seen["released"] += was_withheld and not any(found.withheld.values())
                seen["credited while withheld"] += was_withheld and after < before
            assert differences(session, should, settled, as_of) == [], "running again adds nothing"
    assert min(seen.values()) > 10, seen


# -- end to end ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(store: Store) -> World:
    """Account A, of 31.00 in January 2024 and 20 % of tax; nothing is charged for what is older than a year."""
    world = World(store, ListLog()).small(standing="1", bands=[], tax=("VAT", "0.2"))
    world.entity(back_billing=LIMIT)
    world.tenancy("T", to="2024-02-01")
    return world


def restate(world: World, standing: str) -> None:
    world.tariff("TF", tariff_version(standing=standing, bands=[], tax=("VAT", "0.2")))


def billed(world: World, as_of: str) -> Document | None:
    """What a run then drafts for January, issued."""
    now_ms = ms(f"{as_of}T12:00Z")
    drafts = run_bills(world.store, world.log, now_ms).documents
    assert len(drafts) <= 1
    if drafts:
        issue_bill(world.store, world.log, "A", now_ms)
        return documents(world.store, "documents.document_id = {id:String}", {"id": drafts[0].document_id})[0]
    return None


def said(document: Document | None) -> list[tuple[str, bool, str, str]]:
    assert document is not None
    return [(line.kind, line.is_withheld, f"{line.amount_was:.2f}", f"{line.amount:.2f}") for line in document.lines]


@pytest.mark.long
def test_a_claim_that_comes_too_late_stands_on_the_document_and_is_not_charged(world: World) -> None:
    first = billed(world, "2024-02-01")
    assert said(first) == [("standing", False, "0.00", "31.00"), ("tax", False, "0.00", "6.20")]
    restate(world, "2")
    (in_time,) = run_bills(world.store, world.log, ms("2025-01-31T12:00Z")).documents
    assert in_time.total == Decimal("37.20")
    with pytest.raises(DraftIsStale):  # what was not too late when it was drafted is when it goes out
        issue_bill(world.store, world.log, "A", ms("2025-02-01T12:00Z"))
    late = billed(world, "2025-02-01")
    assert said(late) == [("standing", True, "0.00", "31.00"), ("tax", True, "0.00", "6.20")]
    assert late is not None
    assert (late.number, late.total, late.net, late.withheld) == ("INV-000002", 0, 0, Decimal("37.20"))
    assert {(line.withheld_reason, line.withheld_bearer) for line in late.lines} == {
        ("older than 12 months", "LANDLORD")
    }
    assert world.log.of_type("run_closed")[-1]["total"] == {"GBP": "0.00"}
    assert billed(world, "2025-03-01") is None, "running again adds nothing"
    restate(world, "0.5")
    down = billed(world, "2025-04-01")
    assert said(down) == [
        ("standing", False, "31.00", "-15.50"), ("tax", False, "6.20", "-3.10"),
        ("standing", True, "31.00", "-31.00"), ("tax", True, "6.20", "-6.20"),
    ]  # fmt: skip
    assert down is not None and (down.kind, down.total, down.withheld) == (
        "credit_note",
        Decimal("-18.60"),
        Decimal("-37.20"),
    )
    why = explain_line(world.store, "INV-000003/3")
    assert (why.line["is_withheld"], why.line["withheld_bearer"]) == (1, "LANDLORD")
    assert [(item.document_number, item.amount) for item in why.earlier_lines] == [("INV-000002", Decimal("31"))]
    with within(CommandSession(out=Console(record=True, width=120, file=io.StringIO()))):
        show_document(late)
        shown = session().out.export_text()
    assert "not charged: older than 12 months; borne by LANDLORD" in shown and "total         0.00 GBP" in shown
    sums = "SELECT sum(amount) FROM {}(known_billing_offset = 1000000000)"
    assert world.store.query(sums.format("billed_charges")).rows == [(Decimal("18.60"),)]
    assert world.store.query(sums.format("withheld_charges")).rows == [(Decimal("0"),)]
    for check in ("nothing_is_billed_twice", "closed_runs_are_whole", "issued_documents_are_frozen", "lines_add_up"):
        text = (sql_folder() / "checks" / f"{check}.sql").read_text("utf-8")
        assert world.store.query(text).rows == [], check
