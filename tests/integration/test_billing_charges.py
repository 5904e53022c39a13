"""Charges of decision 12 by example: the order and names of lines, what explains them, and bodies that cannot be read. Amounts by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.bill_text import show_document
from meterfold.billing.documents import Document
from meterfold.billing.explain import Explanation, explain_line
from meterfold.billing.issue import issue_bill
from meterfold.billing.run import run_bills
from meterfold.explain_text import show_explanation
from meterfold.session import session
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms

Body = dict[str, Any]
KWH = 1000 * NANO  # of a channel in Wh
START = midnight_ms("2024-01-01", "Europe/London")
FEBRUARY = ms("2024-02-02T00:00Z")
IN_KWH = {"channel": "E", "unit": "kWh"}
IN_KW = {"channel": "E", "unit": "kW"}
ENERGY: Body = {"name": "Energy", "kind": "energy", "quantity": IN_KWH, "bands": [{"name": "all", "rate": "0.3"}]}
TIERS: Body = {
    "name": "Grid", "kind": "tiers", "quantity": IN_KWH, "scheme": "graduated",
    "tiers": [{"name": "first", "up_to": "500", "rate": "0.10"}, {"up_to": None, "rate": "0.05", "fee": "3.10"}],
}  # fmt: skip
DEMAND: Body = {
    "name": "Peak", "kind": "demand", "quantity": IN_KW, "measure": "average", "highest": 2, "rate": "5", "minimum": "1.5",
    "ratchet": {"share": "0.8", "months": 2},
}  # fmt: skip
STANDING: Body = {"name": "Service", "kind": "standing", "rate": "12", "per": "month"}
DISCOUNT: Body = {"name": "Loyalty", "kind": "percentage", "of": ["Energy"], "share": "-0.1"}
LEAST: Body = {"name": "Least", "kind": "minimum", "of": ["Energy", "Service"], "amount": "250"}
MOST: Body = {"name": "Most", "kind": "maximum", "of": ["Grid"], "amount": "50"}


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def charged(world: World, *charges: Body, taxes: list[Body] | None = None, **version: Any) -> World:
    """One of everything, on a tariff of these charges, with 0.5 kWh a half-hour in January."""
    body = {"version": "1", "effective_from": "2023-01-01", "charges": list(charges), "taxes": taxes or [], **version}
    world.small()
    world.tariff("TF", body)
    world.determinants("2024-01-01", "2024-02-01")
    return world


def bill(world: World, now_ms: int = FEBRUARY) -> Document:
    result = run_bills(world.store, world.log, now_ms)
    assert result.blocked == ()
    return result.documents[-1]


def test_lines_stand_in_the_order_of_their_kinds_and_are_called_by_their_names(world: World) -> None:
    taxes = [{"name": "City", "rate": "0.02", "of": ["Energy"]}, {"name": "VAT", "rate": "0.1", "on": ["City"]}]
    document = bill(charged(world, MOST, LEAST, DISCOUNT, STANDING, DEMAND, TIERS, ENERGY, taxes=taxes))
    assert [(line.kind, line.band, line.quantity, line.unit, line.amount) for line in document.lines] == [
        ("energy", "Energy", 744, "kWh", Decimal("223.20")),
        ("tiers", "Grid: first", 500, "kWh", 50),
        ("tiers", "Grid: 2", 244, "kWh", Decimal("15.30")),  # 12.20 and the fee
        ("demand", "Peak", Decimal("1.5"), "kW", Decimal("7.50")),  # measured 1 kW
        ("standing", "Service", 1, "month", 12),
        ("percentage", "Loyalty", Decimal("223.20"), "GBP", Decimal("-22.32")),
        ("minimum", "Least", Decimal("235.20"), "GBP", Decimal("14.80")),
        ("maximum", "Most", Decimal("65.30"), "GBP", Decimal("-15.30")),
        ("tax", "City", Decimal("223.20"), "GBP", Decimal("4.46")),
        ("tax", "VAT", Decimal("289.64"), "GBP", Decimal("28.96")),  # on 285.18 and the 4.46
    ]
    assert document.total == Decimal("318.60")


def test_a_share_by_the_power_factor_compares_squares(world: World) -> None:
    """Active 744 kWh. Reactive 558 kvarh: 0.8 exactly, which is not below 0.8; and one thousandth of a varh more."""
    world.entity()
    world.site()
    table = [{"below": "0.5", "share": "0.2"}, {"below": "0.8", "share": "0.1"}, {"below": "0.9", "share": "0.03"}]
    factor = {
        "name": "PF",
        "kind": "percentage",
        "of": ["Energy"],
        "power_factor": {"active": "E", "reactive": "R", "table": table},
    }
    for name, more in (("exact", 0), ("just below", NANO // 1000)):
        world.account(name)
        items = [
            {"channel": channel, "unit": unit, "grid_s": 1800, "kind": "intervals"}
            for channel, unit in (("E", "Wh"), ("R", "varh"))
        ]
        world.reference("supply_point", name, {"site": "SITE", "channels": items})
        world.tariff(name, {"version": "1", "effective_from": "2023-01-01", "charges": [ENERGY, factor]})
        world.tenancy(name, account=name, supply_point=name, tariff=name)
        world.determinants("2024-01-01", "2024-02-01", supply_point=name)
        world.determinants("2024-01-01", "2024-02-01", 375 * NANO, supply_point=name, channel="R", unit="varh")
        if more:
            world.adjust(START, more, old_nano=375 * NANO, supply_point=name, channel="R", unit="varh")
    documents = run_bills(world.store, world.log, FEBRUARY).documents
    lines = {
        document.account: [(line.band, line.rate, line.amount) for line in document.lines][1:] for document in documents
    }
    assert lines == {
        "exact": [("PF", Decimal("0.03"), Decimal("6.70"))],
        "just below": [("PF", Decimal("0.1"), Decimal("22.32"))],
    }


def test_an_element_names_its_charge_and_those_of_the_old_fields_keep_six_parts(world: World) -> None:
    old: dict[str, Any] = {
        "energy": [{**IN_KWH, "bands": [{"name": "flat", "rate": "0.1"}]}],
        "standing_per_day": "1",
        "tax": {"name": "T", "rate": "0.1"},
    }
    bill(charged(world, ENERGY, **old))
    assert [line["element"] for line in world.log.of_type("line")] == [
        '["energy","SP","E","TF","1","flat"]',
        '["energy","SP","E","TF","1","Energy","all"]',
        '["standing","SP","","TF","1",""]',
        '["tax","T","0.1"]',
    ]


def test_what_is_per_period_is_in_proportion_to_the_days_of_a_segment(world: World) -> None:
    charged(
        world,
        TIERS,
        DEMAND,
        STANDING,
        {**STANDING, "name": "Whole", "prorate": "none"},
        {**LEAST, "of": ["Service"], "amount": "62"},
    )
    world.tenancy(to="2024-01-11")
    assert [(line.band, line.quantity, line.amount) for line in bill(world).lines] == [
        ("Grid: first", Decimal("161.290322580"), Decimal("16.13")),  # 500 × 10 / 31, cut after nine places
        ("Grid: 2", Decimal("78.709677420"), Decimal("4.94")),  # 3.935483871 and 1.00 of the fee
        ("Peak", Decimal("0.483870967741"), Decimal("2.42")),
        ("Service", Decimal("0.322580645161"), Decimal("3.87")),
        ("Whole", 1, 12),
        ("Least", Decimal("3.87"), Decimal("16.13")),
    ]


def test_a_quantity_on_a_bound_belongs_to_the_tier_below(world: World) -> None:
    volume = {**TIERS, "scheme": "volume", "tiers": [{"up_to": "744", "rate": "1"}, {"up_to": None, "rate": "9"}]}
    assert [(line.band, line.amount) for line in bill(charged(world, volume)).lines] == [("Grid: 1", 744)]
    world.adjust(START, 1)
    assert [(line.band, line.amount) for line in bill(world).lines] == [("Grid: 2", 6696)]


def test_a_charge_whose_when_no_window_meets_is_not_due(world: World) -> None:
    charged(world, {**DEMAND, "when": [{"months": [7]}]}, {**TIERS, "when": [{"months": [7]}]}, STANDING)
    assert [line.band for line in bill(world).lines] == ["Service"]


@pytest.fixture
def three_months(world: World) -> World:
    """January peaks at 8 kW and is billed; February and March stay at 1 kW and 1.2 kW."""
    charged(world, DEMAND)
    for number in (3, 4):
        world.adjust(START + number * HALF_HOUR_MS, 3500 * NANO)
    world.determinants("2024-02-01", "2024-03-01")
    world.determinants("2024-03-01", "2024-04-01", 600 * NANO)
    run_bills(world.store, world.log, ms("2024-04-02T00:00Z"))
    issue_bill(world.store, world.log, "A", 1)
    return world


def test_a_ratchet_looks_back_on_what_was_billed_and_follows_its_correction(three_months: World) -> None:
    """0.8 of 8 kW in February; in March 0.8 of the highest of the two months before, again 8 kW."""
    before = three_months.log.of_type("line")
    assert [(line["period_from"], line["quantity_should"]) for line in before] == [
        ("2024-01-01", "8"), ("2024-02-01", "6.4"), ("2024-03-01", "6.4"),
    ]  # fmt: skip
    three_months.adjust(START + 3 * HALF_HOUR_MS, -3500 * NANO, revision=2, old_nano=4000 * NANO)
    documents = run_bills(three_months.store, three_months.log, ms("2024-04-02T00:00Z")).documents
    assert [(document.period_from.month, document.lines[0].quantity_should, document.total) for document in documents] == [
        (1, Decimal("4.5"), Decimal("-17.50")), (2, Decimal("3.6"), Decimal("-14.00")), (3, Decimal("3.6"), Decimal("-14.00")),
    ]  # fmt: skip


def test_every_supply_point_whose_highest_window_was_corrected_has_its_next_highest(world: World) -> None:
    """Half-hours of 0.5 kWh but for one of 4 and one of 2 or 3: three points lose their 4 to a correction, two in the same half-hour."""
    highest_of_all = {
        "name": "Peak",
        "kind": "demand",
        "quantity": IN_KW,
        "measure": "average",
        "highest": 1,
        "rate": "5",
    }
    world.entity()
    world.site()
    world.tariff("TF", {"version": "1", "effective_from": "2023-01-01", "charges": [highest_of_all]})
    item = {"channel": "E", "unit": "Wh", "grid_s": 1800, "kind": "intervals"}
    for name, highest, next_highest in (
        ("A", 3, 2 * KWH),
        ("B", 3, 3 * KWH),
        ("C", 700, 2 * KWH),
        ("as it was", 3, 2 * KWH),
    ):
        world.account(name)
        world.reference("supply_point", name, {"site": "SITE", "channels": [item]})
        world.tenancy(name, account=name, supply_point=name, tariff="TF")
        quantities = [KWH // 2] * 1488
        quantities[highest], quantities[900] = 4 * KWH, next_highest
        world.determinants("2024-01-01", "2024-02-01", quantities, supply_point=name)
        if len(name) == 1:
            world.adjust(START + highest * HALF_HOUR_MS, -3 * KWH, old_nano=4 * KWH, supply_point=name)
    documents = run_bills(world.store, world.log, FEBRUARY).documents
    assert [(document.account, document.lines[0].quantity) for document in documents] == [
        ("A", 4),
        ("B", 6),
        ("C", 4),
        ("as it was", 8),
    ]


@pytest.mark.long
def test_a_demand_is_explained_by_the_windows_of_its_peak_and_by_its_ratchet(three_months: World) -> None:
    january, march = (explain_line(three_months.store, f"INV-00000{number}/1") for number in (1, 3))
    assert [(item.start_utc, item.quantity, item.revision) for item in january.windows] == [
        (datetime(2024, 1, 1, 1, 30, tzinfo=UTC), 4000, 1), (datetime(2024, 1, 1, 2, tzinfo=UTC), 4000, 1),
    ]  # fmt: skip
    assert [item.delta for item in january.adjustments] == [3500, 3500]
    (demand,) = january.demands
    assert (demand.measured, demand.minimum, demand.highest_before, demand.billed) == (8, Decimal("1.5"), None, 8)
    (demand,) = march.demands
    assert (demand.measured, demand.ratchet_share, demand.highest_before, demand.highest_period_from, demand.billed) == (
        Decimal("1.2"), Decimal("0.8"), 8, date(2024, 1, 1), Decimal("6.4"),
    )  # fmt: skip
    assert "ratchet 0.8 × 8 kW of the period from 2024-01-01" in spoken(march)
    assert "2024-01-01 01:30Z to 02:00Z, E counted: 4000 Wh" in spoken(january)


def spoken(found: Explanation) -> str:
    """As it is printed, on one line."""
    with session().out.capture() as capture:
        show_explanation(found, everything=True)
    return " ".join(capture.get().split())


@pytest.mark.long
def test_tiers_and_what_is_on_other_lines_are_explained(world: World) -> None:
    taxes = [{"name": "City", "rate": "0.02", "of": ["Energy"]}, {"name": "VAT", "rate": "0.1", "on": ["City"]}]
    document = bill(charged(world, ENERGY, TIERS, STANDING, DISCOUNT, LEAST, taxes=taxes))
    asked = ("Grid: 2", "Loyalty", "Least", "VAT")
    explained = {line.band: explain_line(world.store, line.line_id) for line in document.lines if line.band in asked}
    assert [(tier.tier, tier.above, tier.up_to, tier.quantity, tier.fee) for tier in explained["Grid: 2"].tiers] == [
        ("first", 0, 500, 500, 0), ("2", 500, None, 244, Decimal("3.1")),
    ]  # fmt: skip
    assert len(explained["Grid: 2"].windows) == 1488
    assert "tier first, above 0 up to 500 kWh: 500 kWh × 0.1" in spoken(explained["Grid: 2"])
    on = {name: [charge.band for charge in found.taxed_charges] for name, found in explained.items()}
    assert on == {
        "Grid: 2": [], "Loyalty": ["Energy"], "Least": ["Energy", "Service"],
        "VAT": ["Energy", "Least", "Loyalty", "Service", "City", "Grid: 2", "Grid: first"],
    }  # fmt: skip
    for name in ("Loyalty", "Least", "VAT"):
        assert sum(charge.amount for charge in explained[name].taxed_charges) == explained[name].line["quantity_should"]
    assert "are to be at least 250 GBP" in spoken(explained["Least"])


def test_a_bill_reads_well(world: World) -> None:
    document = bill(charged(world, ENERGY, TIERS, DEMAND, STANDING, DISCOUNT, LEAST))
    with session().out.capture() as capture:
        show_document(document)
    words = [" ".join(line.split()) for line in capture.get().splitlines()]
    for expected in (
        "1 SP E Energy 744 kWh 0.3 223.20", "2 SP E Grid: first 500 kWh 0.1 50.00", "4 SP E Peak 1.5 kW 5 7.50",
        "5 Service SP 1 month 12 12.00", "6 Loyalty SP -10 % -22.32", "7 Least (minimum) SP 250 14.80",
    ):  # fmt: skip
        assert expected in words


@pytest.mark.long
def test_net_use_is_taken_window_by_window_or_sum_by_sum_and_shown(world: World) -> None:
    by_window = {**ENERGY, "quantity": {**IN_KWH, "minus": "X", "net": "interval"}}
    by_sum = {**ENERGY, "name": "Sum", "quantity": {**IN_KWH, "minus": "X", "net": "period"}}
    charged(world, by_window, by_sum)
    world.supply_point(channels=("E", "X"))
    world.determinants("2024-01-01", "2024-02-01", [1000 * NANO] * 10 + [0] * 1478, channel="X")
    document = bill(world)
    assert [(line.band, line.quantity) for line in document.lines] == [("Energy", 739), ("Sum", 734)]
    found = explain_line(world.store, document.lines[1].line_id)
    assert {(item.channel, item.role) for item in found.windows} == {("E", "counted"), ("X", "taken off")}


def without(body: Body, *keys: str) -> Body:
    return {key: item for key, item in body.items() if key not in keys}


BAD: dict[str, tuple[str, list[Body], list[Body]]] = {
    "no name": ("without a name", [without(ENERGY, "name")], []),
    "two of one name": ("two charges of one name", [ENERGY, {**STANDING, "name": "Energy"}], []),
    "unknown kind": ("of a kind that is unknown", [{**ENERGY, "kind": "magic"}], []),
    "rate as a number": ("rate or time that cannot be read", [{**ENERGY, "bands": [{"name": "a", "rate": 0.3}]}], []),
    "no bands": ("rate or time that cannot be read", [{**ENERGY, "bands": []}], []),
    "no such day": ("rate or time that cannot be read", [{**ENERGY, "bands": [{"name": "a", "rate": "1", "days": ["May"]}]}], []),
    "no such month": ("`when` that cannot be read", [{**DEMAND, "when": [{"months": [13]}]}], []),
    "no channel": ("without a channel or a unit", [{**ENERGY, "quantity": {"unit": "kWh"}}], []),
    "minus itself": ("takes something off", [{**ENERGY, "quantity": {**IN_KWH, "minus": "E"}}], []),
    "step of nothing": ("a step that cannot be read", [{**ENERGY, "quantity": {**IN_KWH, "steps": [{"over": "0"}]}}], []),
    "bounds fall": ("bounds do not rise", [{**TIERS, "tiers": [{"up_to": at, "rate": "1"} for at in ("5", "4", None)]}], []),
    "last tier ends": ("a last one with a bound", [{**TIERS, "tiers": [{"up_to": "5", "rate": "1"}]}], []),
    "no scheme": ("of a scheme that is unknown", [without(TIERS, "scheme")], []),
    "price of a tier": ("tier with a price", [{**TIERS, "tiers": [{"up_to": None, "rate": "free"}]}], []),
    "ratchet above one": ("ratchet that cannot be read", [{**DEMAND, "ratchet": {"share": "1.1", "months": 2}}], []),
    "no peak": ("demand charge that cannot be read", [{**DEMAND, "highest": 0}], []),
    "per week": ("standing charge that cannot be read", [{**STANDING, "per": "week"}], []),
    "of nothing there": ("charges that are not there", [ENERGY, {**DISCOUNT, "of": ["Gas"]}], []),
    "of what comes after": ("or come after it", [ENERGY, LEAST, {**DISCOUNT, "of": ["Least"]}], []),
    "rounded to five places": ("more than four places", [{**ENERGY, "round": {"to": "0.00001"}}], []),
    "rounded to nothing": ("more than four places", [{**ENERGY, "round": {"to": "0"}}], []),
    "amount of a minimum": ("minimum or maximum that cannot be read", [ENERGY, {**LEAST, "amount": "", "of": ["Energy"]}], []),
    "tax of charges not there": ("charges that are not there", [ENERGY], [{"name": "T", "rate": "0.1", "of": ["Gas"]}]),
    "tax on a later one": ("do not stand before it", [ENERGY], [{"name": "T", "rate": "0.1", "on": ["U"]}, {"name": "U", "rate": "0.1"}]),
    "two taxes alike": ("two taxes of one name and rate", [ENERGY], [{"name": "T", "rate": "0.1"}, {"name": "T", "rate": "0.10"}]),
    "charges no list": ("that are no list", {"a": 1}, []),  # type: ignore[dict-item]
    "no factor": ("no factor from Wh is stated", [{**ENERGY, "quantity": {"channel": "E", "unit": "m3"}}], []),
    "beyond none": ("which the supply point has not", [{**ENERGY, "quantity": {**IN_KWH, "beyond": {"channel": "R", "share": "1"}}}], []),
}  # fmt: skip


def test_a_body_that_cannot_be_read_blocks_and_says_what_is_wrong(world: World) -> None:
    """Every case is an account, supply point, tariff and tenancy of its name."""
    world.entity()
    world.site()
    cases: dict[str, tuple[str, Any, list[Body]]] = {**BAD, "sound": ("", [ENERGY, TIERS, DEMAND, STANDING], [])}
    for case, (_, charges, taxes) in cases.items():
        world.account(case)
        world.supply_point(case)
        world.tariff(case, {"version": "1", "effective_from": "2023-01-01", "charges": charges, "taxes": taxes})
        world.tenancy(case, account=case, supply_point=case, tariff=case)
        world.determinants("2024-01-01", "2024-02-01", supply_point=case)
    result = run_bills(world.store, world.log, FEBRUARY)
    assert [document.account for document in result.documents] == ["sound"]
    said = {block.account: block.detail for block in result.blocked if block.reason in ("BAD_TARIFF", "NO_CHANNEL")}
    assert {case: words in said.get(case, "") for case, (words, _, _) in BAD.items()} == dict.fromkeys(BAD, True)


def again(world: World, of: str = "true") -> None:
    """Some stretches are delivered once more."""
    world.store.command(f"INSERT INTO determinant_stretches SELECT * FROM determinant_stretches FINAL WHERE {of}")


def one_twice_and_one_lacking(world: World) -> None:
    world.store.command("TRUNCATE TABLE determinant_stretches")
    world.windows([(START, START + HALF_HOUR_MS, 500 * NANO)])
    again(world)
    world.determinants(START + 2 * HALF_HOUR_MS, "2024-02-01")


SPOILED: dict[str, Callable[[World], None]] = {
    "a row twice and one lacking": one_twice_and_one_lacking,
    "a window of another length": lambda world: world.windows([(START, START + HALF_HOUR_MS // 2, NANO)]),
    "off the grid": lambda world: world.windows([(START + 60_000, START + 120_000, NANO)]),
}


@pytest.mark.parametrize(
    "case", [case if case == "off the grid" else pytest.param(case, marks=pytest.mark.long) for case in SPOILED]
)
def test_sums_by_slot_are_not_trusted_where_windows_do_not_tile(world: World, case: str) -> None:
    """The same row again is no harm; but never a count that happens to be right."""
    charged(world, ENERGY)
    again(world)
    assert bill(world).lines[0].quantity == 744
    SPOILED[case](world)
    assert run_bills(world.store, world.log, FEBRUARY).blocked != ()
