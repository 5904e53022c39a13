"""Numbers of a tenancy: contracted power and what exceeds it, prices per item and per year, bounds per kW. Amounts by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.explain import explain_line
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms

Body = dict[str, Any]
IN_FEBRUARY = ms("2024-02-17T00:00Z")
KWH = {"channel": "E", "unit": "kWh"}
PEAK: Body = {"name": "Peak", "kind": "demand", "quantity": {"channel": "E", "unit": "kW"}, "rate": "5"}


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ListLog())
    world.entity()
    world.site()
    return world


def case(world: World, name: str, *charges: Body, numbers: list[Body], day: int = 1) -> None:
    """Half a kWh a half-hour, and 3 kW once in January."""
    first = f"2023-12-{day:02}" if day > 1 else "2024-01-01"
    world.account(name, billing_from=first, day=day)
    world.supply_point(name)
    world.tariff(name, {"version": "1", "effective_from": "2023-01-01", "charges": list(charges)})
    body = {"account": name, "supply_point": name, "from": first, "to": None, "tariff": name, "numbers": numbers}
    world.reference("tenancy", name, body)
    world.determinants(first, "2024-02-01" if day == 1 else f"2024-01-{day:02}", supply_point=name)
    world.adjust(midnight_ms("2024-01-09", "Europe/London"), 1000 * NANO, supply_point=name)


def number(name: str, value: str, since: str = "2023-12-01") -> Body:
    return {"name": name, "from": since, "value": value}


def test_numbers_of_a_tenancy_are_charged_for_and_bound_tiers(world: World) -> None:
    area: Body = {
        "name": "Area",
        "kind": "standing",
        "rate": "36.60",
        "per": "year",
        "number": "floor_area",
        "unit": "m2",
    }
    meters: Body = {"name": "Meters", "kind": "standing", "rate": "1.55", "per": "month", "number": "meters"}
    year: Body = {"name": "Year", "kind": "standing", "rate": "120", "per": "year", "prorate": "none"}
    case(world, "per item", area, meters, year, numbers=[number("floor_area", "130.5"), number("meters", "3")])
    contracted: Body = {
        "name": "Contracted",
        "kind": "standing",
        "rate": "2",
        "per": "month",
        "number": "contracted",
        "unit": "kW",
    }
    beyond: Body = {**PEAK, "name": "Beyond", "above": "contracted"}
    agreed = [number("contracted", "1.5"), number("contracted", "4", "2024-01-11")]
    case(world, "contracted", contracted, beyond, numbers=agreed)
    blocks: Body = {
        "name": "Blocks", "kind": "tiers", "quantity": KWH, "scheme": "graduated", "bounds": "demand", "bounds_of": "Peak",
        "tiers": [{"name": "first", "up_to": "100", "rate": "0.2"}, {"name": "rest", "up_to": None, "rate": "0.1"}],
    }  # fmt: skip
    case(world, "hours of use", PEAK, blocks, numbers=[])
    budget: Body = {**blocks, "bounds": "number", "bounds_of": "budget"}
    case(world, "budget", budget, numbers=[number("budget", "2"), number("budget", "4", "2024-01-16")])
    case(world, "over the year", {**year, "prorate": "days"}, numbers=[], day=16)
    case(world, "none given", meters, numbers=[number("meters", "3", "2024-01-02")])
    case(world, "no such demand", {**blocks, "bounds_of": "Peek"}, PEAK, numbers=[])
    result = run_bills(world.store, world.log, IN_FEBRUARY)
    found = {
        document.account: [(line.band, line.quantity.normalize(), line.unit, line.amount) for line in document.lines]
        for document in result.documents
        if document.period_from <= date(2024, 1, 1)
    }
    # 130.5 m2 × 36.60 × 31 / 366 days
    assert found["per item"] == [
        ("Area", Decimal("11.053278688524"), "m2", Decimal("404.55")), ("Meters", 3, "meters", Decimal("4.65")),
        ("Year", Decimal("0.083333333333"), "year", 10),
    ]  # fmt: skip
    # 1.5 kW for 10 days and 4 kW for 21; beyond it 3 − 1.5 kW for 10 days of 31, and nothing after
    assert found["contracted"] == [
        ("Beyond", Decimal("0.483870967741"), "kW", Decimal("2.42")), ("Contracted", Decimal("3.193548387095"), "kW", Decimal("6.39")),
    ]  # fmt: skip
    # a peak of 3 kW: 300 kWh in the first block
    assert found["hours of use"][:2] == [
        ("Blocks: first", 300, "kWh", 60), ("Blocks: rest", Decimal("445"), "kWh", Decimal("44.50")),
    ]  # fmt: skip
    # 15 days of 2 × 100 and 16 of 4 × 100: 96.774 and 206.451 kWh
    assert found["budget"][0] == ("Blocks: first", Decimal("303.225806451"), "kWh", Decimal("60.65"))
    # 16 days of 365 and 15 of 366
    assert found["over the year"] == [("Year", Decimal("0.084819222995"), "year", Decimal("10.18"))]
    said = {block.account: (block.reason, block.detail) for block in result.blocked}
    assert said["none given"] == ("NO_NUMBER", "tenancy none given has no meters on 2024-01-01")
    assert "bounds per demand of a charge that is not there" in said["no such demand"][1]
    (line,) = [
        item for item in world.log.of_type("line") if item["account"] == "contracted" and item["kind"] == "demand"
    ]
    explained = explain_line(world.store, line["line_id"])
    assert [demand.billed for demand in explained.demands] == [Decimal("1.5"), 0]
    assert explained.windows[0].end_utc.timestamp() * 1000 == midnight_ms("2024-01-09", "Europe/London") + HALF_HOUR_MS
