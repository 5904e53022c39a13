"""Prices from a series: window by window price times quantity, exact, rounded once a line; restated, it is rated again. Amounts by hand."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.explain import explain_line
from meterfold.billing.issue import issue_bill
from meterfold.billing.run import run_bills
from meterfold.explain_text import show_explanation
from meterfold.session import session
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms

Body = dict[str, Any]
APRIL = ms("2024-04-02T00:00Z")
STARTS = range(midnight_ms("2024-03-01", "Europe/London"), midnight_ms("2024-04-01", "Europe/London"), HALF_HOUR_MS)
"""March loses an hour."""
HOURLY = [f"0.{at % 97:02}{at % 89:02}" if at % 50 else f"-0.0{at % 9 + 1}" for at in range(len(STARTS) // 2)]
READS = [(at * 7_919 % 901) * NANO for at in range(len(STARTS))]


def at_series(**terms: Any) -> Body:
    return {
        "name": "Spot",
        "kind": "energy",
        "quantity": {"channel": "E", "unit": "kWh"},
        "series": "DAY-AHEAD",
        **terms,
    }


def day_ahead(world: World, prices: list[str], **terms: Any) -> None:
    spans = [{"from_ms": STARTS.start, "prices": " ".join(prices)}]
    world.reference("series", "DAY-AHEAD", {"unit": "kWh", "currency": "GBP", "step_s": 3600, "spans": spans, **terms})


def worth(prices: list[str]) -> Fraction:
    """Of the reads, in Wh, at hourly prices per kWh."""
    return sum((Fraction(read, 10**12) * Fraction(prices[at // 2]) for at, read in enumerate(READS)), Fraction(0))


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ListLog()).small()
    world.account("A", billing_from="2024-03-01")
    world.determinants("2024-03-01", "2024-04-01", READS)
    day_ahead(world, HOURLY)
    return world


def put(world: World, *charges: Body) -> None:
    world.tariff("TF", {"version": "1", "effective_from": "2023-01-01", "charges": list(charges)})


def test_windows_times_prices_explained_and_rated_again_when_a_price_is_restated(world: World) -> None:
    put(world, at_series(), at_series(name="Retail", times="1.05", plus="0.0123"))
    (document,) = run_bills(world.store, world.log, APRIL).documents
    use = Fraction(sum(READS), 10**12)
    exact = {"Spot": worth(HOURLY), "Retail": worth(HOURLY) * Fraction("1.05") + use * Fraction("0.0123")}
    for line in document.lines:
        assert Fraction(line.quantity) == use
        assert abs(line.amount - Decimal(float(exact[line.band]))) <= Decimal("0.0050001")
        assert abs(Fraction(line.rate) * use - exact[line.band]) <= use / 10**9
    assert [line.band for line in document.lines] == ["Spot", "Retail"]
    found = explain_line(world.store, f"{document.document_id}/1")
    assert len(found.windows) == len(READS)
    assert sum(Fraction(item.quantity) * Fraction(item.price or 0) / 1000 for item in found.windows) == exact["Spot"]
    assert ("series", "DAY-AHEAD") in {(item.kind, item.id) for item in found.references}
    with session().out.capture() as shown:
        show_explanation(found, everything=False)
    assert "the dearest of" in shown.get()
    issue_bill(world.store, world.log, "A", APRIL)
    restated = [*HOURLY[:100], "9.5", *HOURLY[101:]]
    day_ahead(world, restated)
    (corrected,) = run_bills(world.store, world.log, APRIL).documents
    change = Fraction(sum(READS[200:202]), 10**12) * (Fraction("9.5") - Fraction(HOURLY[100]))
    assert abs(Fraction(corrected.lines[0].amount) - change) <= Fraction(1, 100)
    issue_bill(world.store, world.log, "A", APRIL)
    assert run_bills(world.store, world.log, APRIL).documents == ()


@pytest.mark.long
def test_a_gap_another_unit_or_a_step_too_short_blocks(world: World) -> None:
    put(world, at_series())
    spoiled: list[Body] = [
        {"spans": [{"from_ms": STARTS.start, "prices": " ".join(HOURLY[:-2])}]},
        {"unit": "MWh"},
        {"currency": "EUR"},
        {"step_s": 900, "spans": [{"from_ms": STARTS.start, "prices": " ".join(HOURLY * 4)}]},
    ]
    said = []
    for terms in spoiled:
        day_ahead(world, HOURLY, **terms)
        (block,) = run_bills(world.store, world.log, APRIL).blocked
        assert block.reason == "NO_PRICE"
        said.append(block.windows)
    assert said == [4, len(READS), len(READS), len(READS)]
    day_ahead(world, HOURLY, spans=[{"from_ms": STARTS.start, "prices": "0.1 free"}])
    assert "NO_PRICE" in {block.reason for block in run_bills(world.store, world.log, APRIL).blocked}
    put(world, at_series(quantity={"channel": "E", "unit": "kWh", "steps": [{"times": "2"}]}))
    assert "the sum of a period" in run_bills(world.store, world.log, APRIL).blocked[0].detail
