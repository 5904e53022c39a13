"""Taxes on their own: which day's rate counts, how they are rounded, what prices contain, who does not owe them. Amounts by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import Document
from meterfold.billing.explain import explain_line
from meterfold.billing.issue import issue_bill
from meterfold.billing.run import run_bills
from tests.integration.billing_world import NANO, ListLog, World, midnight_ms, ms

Body = dict[str, Any]
IN_FEBRUARY, IN_MARCH = ms("2024-02-02T00:00Z"), ms("2024-03-02T00:00Z")
USAGE: Body = {
    "name": "Usage",
    "kind": "energy",
    "quantity": {"channel": "E", "unit": "kWh"},
    "bands": [{"name": "all", "rate": "0.3"}],
}
FEE: Body = {"name": "Fee", "kind": "standing", "rate": "12.05", "per": "month", "prorate": "none"}
BLOCKS: Body = {
    "name": "Grid", "kind": "tiers", "quantity": {"channel": "E", "unit": "kWh"}, "scheme": "graduated", "prorate": "none",
    "tiers": [{"name": "low", "up_to": "310", "rate": "0.10"}, {"name": "high", "up_to": None, "rate": "0.20"}],
}  # fmt: skip
RATES = [{"from": "2007-01-01", "rate": "0.19"}, {"from": "2024-01-16", "rate": "0.16"}]
TAXES: dict[str, Body] = {
    "supply": {"rates": RATES, "date": "supply"},
    "period_end": {"rates": RATES, "date": "period_end"},
    "invoice": {"rates": [*RATES, {"from": "2024-02-03", "rate": "0.25"}], "date": "invoice"},
    "line": {"rates": RATES[:1], "date": "supply", "rounding": "line"},
    "included": {"rates": RATES[:1], "date": "supply", "included": True},
    "ICMS": {"rates": [{"from": "2007-01-01", "rate": "0.25"}], "date": "period_end", "share_of": "gross"},
    "PIS": {"rates": [{"from": "2007-01-01", "rate": "0.0103"}], "date": "period_end", "share_of": "gross"},
    "contained share": {"rates": [{"from": "2007-01-01", "rate": "0.25"}], "date": "supply", "included": True, "share_of": "gross"},
    "late": {"rates": [{"from": "2024-02-01", "rate": "0.1"}], "date": "supply"},
}  # fmt: skip


@pytest.fixture
def world(store: Store) -> World:
    """Half a kWh a half-hour in January, on an account, supply point and tariff for each case."""
    world = World(store, ListLog())
    world.entity()
    world.site()
    for id_, body in TAXES.items():
        world.reference("tax", id_, {"name": id_, **body})
    return world


def case(world: World, name: str, *charges: Body, taxes: list[Body], treated: list[Body] | None = None) -> None:
    world.account(name)
    if treated:
        world.reference(
            "account", name,
            {
                "legal_entity": "LE", "party_id": "P", "currency": "GBP", "billing_from": "2024-01-01",
                "calendar": {"kind": "monthly", "day": 1}, "opening_position": "0.00", "taxes": treated,
            },
        )  # fmt: skip
    world.supply_point(name)
    world.tariff(name, {"version": "1", "effective_from": "2023-01-01", "charges": list(charges), "taxes": taxes})
    world.tenancy(name, account=name, supply_point=name, tariff=name)
    world.determinants("2024-01-01", "2024-02-01", supply_point=name)


def treatment(tax: str, how: str, first: str, to: str | None = None) -> Body:
    return {"tax": tax, "treatment": how, "evidence": "certificate 7", "from": first, "to": to}


def bills(world: World, now_ms: int = IN_FEBRUARY) -> dict[str, Document]:
    return {document.account: document for document in run_bills(world.store, world.log, now_ms).documents}


def shown(document: Document) -> list[tuple[str, str]]:
    return [(line.band, f"{line.amount:.2f}") for line in document.lines]


def points(world: World, account: str) -> dict[str, str | None]:
    lines = [line for line in world.log.of_type("line") if line["account"] == account]
    return {line["band"]: line.get("tax_point") for line in lines}


def test_which_day_counts_how_it_is_rounded_and_what_prices_contain(world: World) -> None:
    case(world, "supply", USAGE, FEE, BLOCKS, taxes=[{"tax": "supply"}])
    case(world, "period_end", USAGE, taxes=[{"tax": "period_end"}])
    case(world, "invoice", USAGE, taxes=[{"tax": "invoice", "of": ["Usage"]}])
    case(world, "line", USAGE, FEE, taxes=[{"tax": "line"}])
    case(world, "included", USAGE, FEE, taxes=[{"tax": "included"}])
    case(world, "gross", USAGE, taxes=[{"tax": "ICMS"}, {"tax": "PIS"}])
    case(world, "contained share", USAGE, taxes=[{"tax": "contained share"}])
    case(world, "late", USAGE, taxes=[{"tax": "late"}])
    case(world, "unknown", USAGE, taxes=[{"tax": "nowhere"}])
    case(world, "on", USAGE, taxes=[{"tax": "period_end"}, {"name": "City", "rate": "0.1", "on": ["period_end"]}])
    case(world, "on inside", USAGE, taxes=[{"tax": "period_end"}, {"tax": "ICMS", "on": ["period_end"]}])
    case(world, "exempt", USAGE, taxes=[{"tax": "supply"}], treated=[treatment("supply", "exempt", "2023-01-01")])
    found = bills(world)
    # 15 and 16 days: 360 and 384 kWh; what is whole is shared by days, so that it is charged once
    assert shown(found["supply"]) == [
        ("Usage", "108.00"), ("Usage", "115.20"), ("Grid: low", "15.00"), ("Grid: high", "42.00"), ("Grid: low", "16.00"),
        ("Grid: high", "44.80"), ("Fee", "5.83"), ("Fee", "6.22"),
        ("supply", "29.16"), ("supply", "32.46"),  # 16 % of 182.22 = 29.1552 and 19 % of 170.83 = 32.4577
    ]  # fmt: skip
    assert shown(found["period_end"]) == [("Usage", "223.20"), ("period_end", "35.71")]
    assert shown(found["invoice"]) == [("Usage", "223.20"), ("invoice", "35.71")]
    # 42.408 + 2.2895, each rounded; together 44.6975 would be 44.70 too, but not of 42.41 + 2.29
    assert shown(found["line"]) == [("Usage", "223.20"), ("Fee", "12.05"), ("line", "44.70")]
    # 235.25 × 0.19 / 1.19 = 37.5609…
    assert shown(found["included"]) == [
        ("Usage", "223.20"), ("Fee", "12.05"), ("included", "-37.56"), ("included", "37.56"),
    ]  # fmt: skip
    assert (found["included"].net, found["included"].tax, found["included"].total) == (
        Decimal("197.69"), Decimal("37.56"), Decimal("235.25"),
    )  # fmt: skip
    # 223.20 / (1 − 0.2603) = 301.7439…
    assert shown(found["gross"]) == [("Usage", "223.20"), ("ICMS", "75.44"), ("PIS", "3.11")]
    assert shown(found["contained share"])[1:] == [("contained share", "-55.80"), ("contained share", "55.80")]
    assert shown(found["on"]) == [("Usage", "223.20"), ("period_end", "35.71"), ("City", "25.89")]
    # at two rates it would have owed, and nothing at both: one line of the whole
    assert shown(found["exempt"]) == [("Usage", "108.00"), ("Usage", "115.20"), ("supply: exempt", "0.00")]
    assert found["exempt"].lines[-1].quantity == Decimal("223.20")
    said = {block.account: block.detail for block in run_bills(world.store, world.log, IN_FEBRUARY).blocked}
    assert "no rate is stated" in said["late"]
    assert "not in the portfolio: nowhere" in said["unknown"]
    assert "inside the price, or a share of it, that is on another" in said["on inside"]
    divisors = {
        name: explain_line(world.store, f"{found[name].document_id}/3").tax_divisors
        for name in ("included", "gross", "line")
    }
    assert divisors == {"included": (Decimal("1.19"),), "gross": (Decimal("0.7397"),), "line": (Decimal(1),)}
    assert points(world, "period_end")["Usage"] == "2024-01-31"
    assert points(world, "invoice") == {"Usage": None, "invoice": None}
    assert points(world, "included")["included"] == "2024-01-31"


@pytest.mark.long
def test_a_correction_takes_the_rate_of_the_first_invoice_and_rounding_is_remembered(world: World) -> None:
    case(world, "A", USAGE, FEE, taxes=[{"tax": "invoice"}, {"tax": "line"}])
    assert [line.amount for line in bills(world)["A"].lines if line.kind == "tax"] == [
        Decimal("37.64"),
        Decimal("44.70"),
    ]
    issue_bill(world.store, world.log, "A", ms("2024-02-02T12:00Z"))
    world.adjust(midnight_ms("2024-01-05", "Europe/London"), 1000 * NANO, supply_point="A")
    corrected = bills(world, IN_MARCH)["A"]
    assert [(line.band, line.rate, line.amount) for line in corrected.lines if line.kind == "tax"] == [
        ("invoice", Decimal("0.16"), Decimal("0.05")), ("line", Decimal("0.19"), Decimal("0.06")),
    ]  # fmt: skip
    issue_bill(world.store, world.log, "A", IN_MARCH)
    assert bills(world, IN_MARCH) == {}
    rows = world.store.query("SELECT tax, remainder, amount FROM tax_remainders ORDER BY tax").rows
    # 235.55 × 0.16 = 37.688; 223.50 × 0.19 = 42.465 and 12.05 × 0.19 = 2.2895
    assert rows == [("invoice", Decimal("-0.002"), Decimal("37.69")), ("line", Decimal("-0.0055"), Decimal("44.76"))]
    explained = explain_line(world.store, f"{corrected.document_id}/3")
    assert [charge.amount for charge in explained.taxed_charges] == [Decimal("223.50"), Decimal("12.05")]
    assert {("tax", "line")} == {(item.kind, item.id) for item in explained.references if item.kind == "tax"}


@pytest.mark.long
def test_who_is_exempt_or_owes_it_is_told_so(world: World) -> None:
    exempt = [treatment("period_end", "exempt", "2024-01-31"), treatment("included", "reverse_charge", "2023-01-01")]
    case(world, "A", USAGE, taxes=[{"tax": "period_end"}], treated=exempt)
    case(world, "B", USAGE, FEE, taxes=[{"tax": "included"}], treated=exempt)
    half = [treatment("supply", "reverse_charge", "2024-01-11", "2024-01-16")]
    case(world, "C", USAGE, taxes=[{"tax": "supply"}], treated=half)
    found = bills(world)
    assert shown(found["A"]) == [("Usage", "223.20"), ("period_end: exempt", "0.00")]
    # prices contain it: what they contain is not owed
    assert shown(found["B"])[2:] == [("included: reverse charge", "-37.56"), ("included: reverse charge", "0.00")]
    assert found["B"].total == Decimal("197.69")
    assert [(str(line.service_from), line.band, f"{line.amount:.2f}") for line in found["C"].lines] == [
        ("2024-01-01", "Usage", "72.00"), ("2024-01-11", "Usage", "36.00"), ("2024-01-16", "Usage", "115.20"),
        ("2024-01-11", "supply: reverse charge", "0.00"), ("2024-01-16", "supply", "18.43"), ("2024-01-01", "supply", "13.68"),
    ]  # fmt: skip
    issue_bill(world.store, world.log, "A", IN_FEBRUARY)
    world.adjust(midnight_ms("2024-01-05", "Europe/London"), 1000 * NANO, supply_point="A")
    assert shown(bills(world)["A"]) == [("Usage", "0.30"), ("period_end: exempt", "0.00")]
    issue_bill(world.store, world.log, "A", IN_FEBRUARY)
    assert "A" not in bills(world)
    explained = explain_line(world.store, f"{found['C'].document_id}/2")
    assert {window.local_date.day for window in explained.windows} == set(range(11, 16))
    assert date(2024, 1, 11) == explained.line["service_from"]
