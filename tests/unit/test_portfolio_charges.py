"""Charges and taxes as they are written, and as the billing log has them: what the page shows loads, and nothing is lost on the way."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from meterfold.portfolio import Portfolio, load_text, plan
from meterfold.portfolio.difference import differences
from meterfold.portfolio.touches import Touch

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "contracts" / "billing.schema.json").read_text("utf-8"))
CONTRACT = json.loads(
    (ROOT / "contracts" / "examples" / "billing" / "reference_tariff_charges.json").read_text("utf-8")
)
PAGE = (ROOT / "docs" / "portfolio.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(charges:\n.*?)```", PAGE, re.DOTALL)

FRAME = """\
legal_entities: { LE: { name: Landlord Ltd, currency: GBP } }
sites: { S: { time_zone: Europe/London } }
supply_points:
  SP:
    channels:
      E1: { interval: 15 }
      B1: { interval: 15, direction: export }
      R1: { interval: 15, unit: kvarh }
      G1: { kind: spans, unit: m3, commodity: gas }
      W1: { kind: spans, unit: m3, commodity: water }
      W2: { interval: local_day, unit: gal, commodity: water }
accounts: { A: { party_id: P-1, billing_from: 2026-01-01 } }
tenancies: [{ account: A, supply_point: SP, from: 2026-01-01, tariff: WORKSHOP, numbers: { floor_area: 130, contracted: 8 } }]
tariffs:
  WORKSHOP:
    versions:
      effective_from: 2026-01-01
"""


def framed(terms: str) -> str:
    """A portfolio whose only tariff version says this."""
    series = "series: { DAY-AHEAD: { step: 30, prices: [] } }\n" if "DAY-AHEAD" in terms else ""
    return FRAME + re.sub("(?m)^", "      ", terms.strip()) + "\n" + series


def loaded(terms: str) -> Portfolio:
    portfolio = load_text(framed(terms))
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return portfolio


def tariff(terms: str) -> dict[str, Any]:
    """The body of the tariff's record, which the contract allows."""
    [record] = [item for item in plan(loaded(terms), []).reference_records() if item["kind"] == "tariff"]
    errors = list(Draft202012Validator(SCHEMA).iter_errors(record))
    judge = Draft202012Validator({"$ref": "#/$defs/tariff", "$defs": SCHEMA["$defs"]})
    assert not errors, [error.message for error in judge.iter_errors(record["body"])]
    return dict(record["body"])


def charge(written: str) -> dict[str, Any]:
    """The body of one charge, named C, without what every charge has."""
    [body] = tariff(f"charges: {{ C: {{ {written} }} }}")["versions"][0]["charges"]
    return {key: value for key, value in body.items() if key not in ("name", "kind")}


def test_the_page_has_an_example_of_every_kind() -> None:
    assert len(EXAMPLES) == 8
    kinds = {item["kind"] for text in EXAMPLES for item in tariff(text)["versions"][0]["charges"]}
    assert kinds == {"energy", "tiers", "demand", "standing", "percentage", "minimum", "maximum"}


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_page_loads_and_is_not_loaded_twice(text: str) -> None:
    first = plan(loaded(text), [])
    assert plan(loaded(text), first.reference_records()).is_empty


def test_a_file_with_everything_is_the_example_of_the_contract() -> None:
    text = """
charges:
  Usage: { kind: tiers, channel: E1, tiers: [{ name: basic, up_to: 500, rate: 0.2610 }, { rate: 0.2945 }] }
  Feed-in:
    kind: energy
    channel: B1
    minus: E1
    net: interval
    bands: [{ name: noon, rate: -0.05, from: 11:00, to: 15:00 }, { name: other, rate: -0.15 }]
  Peak demand:
    { kind: demand, channel: E1, when: { months: 11-2, days: mon-fri, from: 08:00, to: 20:00 }, measure: average, highest: 3,
      rate: 9.80, minimum: 5, ratchet: { share: 0.8, months: 11 } }
  Reactive energy: { kind: energy, channel: R1, unit: kvarh, beyond: { channel: E1, share: 0.5 }, rate: 0.015 }
  Gas: { kind: energy, channel: G1, steps: [{ times: 1.02264 }, { times: 39.4 }, { over: 3.6, round: 1 }], rate: 0.0736 }
  Metering: { kind: standing, rate: 0.35, per: day }
  Direct debit: { kind: percentage, of: [Usage, Metering], share: -0.05 }
  Minimum bill: { kind: minimum, of: [Usage, Metering, Direct debit], amount: 12.00 }
  Price cap: { kind: maximum, of: Peak demand, amount: 900, prorate: none }
taxes:
  Climate levy: { rate: 0.02, of: [Usage, Gas], round: { to: 0.05, mode: down } }
  VAT: { rate: 0.20, on: Climate levy }
estimate_after_days: 10
"""
    assert tariff(text) == CONTRACT["body"]


CHARGES: list[tuple[str, dict[str, Any]]] = [
    ("kind: energy, channel: E1, unit: mwh, rate: 284.50",
     {"quantity": {"channel": "E1", "unit": "MWh", "share": "1"}, "bands": [{"name": "flat", "rate": "284.5"}]}),
    ("kind: energy, channel: W2, unit: ccf, share: 0.92, steps: { over: 748.05 }, rate: 1",
     {"quantity": {"channel": "W2", "unit": "ccf", "share": "0.92", "steps": [{"over": "748.05"}]},
      "bands": [{"name": "flat", "rate": "1"}]}),
    ("kind: tiers, channel: W1, unit: m3, scheme: volume, bounds: day, when: [{ months: 6 }, { months: 7-8 }], tiers: { rate: 1, fee: 2 }",
     {"quantity": {"channel": "W1", "unit": "m3", "share": "1"}, "when": [{"months": [6]}, {"months": [7, 8]}], "scheme": "volume",
      "bounds": "day", "prorate": "days", "tiers": [{"up_to": None, "rate": "1", "fee": "2"}]}),
    ("kind: demand, channel: R1, unit: kvarh, rate: 2, round: { to: 10, mode: half_even }",
     {"quantity": {"channel": "R1", "unit": "kvarh", "share": "1"}, "measure": "maximum", "highest": 1, "rate": "2", "minimum": "0",
      "prorate": "days", "round": {"to": "10", "mode": "half_even"}}),
    ("kind: standing, rate: 4.00, per: month, prorate: none, round: 0.05",
     {"rate": "4", "per": "month", "prorate": "none", "round": {"to": "0.05", "mode": "half_up"}}),
]  # fmt: skip


@pytest.mark.parametrize(("written", "body"), CHARGES)
def test_a_charge_is_recorded_with_its_defaults_and_without_what_it_does_not_say(
    written: str, body: dict[str, Any]
) -> None:
    assert charge(written) == body


def test_without_names_a_limit_and_a_percentage_are_of_all_that_come_before() -> None:
    text = """
charges:
  Minimum: { kind: minimum, amount: 9 }
  Discount: { kind: percentage, share: -0.1 }
  Metering: { kind: standing, rate: 1, per: day }
  Usage: { kind: energy, channel: E1, rate: 1 }
"""
    found = {item["name"]: item.get("of") for item in tariff(text)["versions"][0]["charges"]}
    assert found == {
        "Minimum": ["Discount", "Metering", "Usage"],
        "Discount": ["Metering", "Usage"],
        "Metering": None,
        "Usage": None,
    }


def test_taxes_come_in_the_order_written_one_for_each_rate() -> None:
    charges = "charges: { U: { kind: energy, channel: E1, rate: 1 }, M: { kind: standing, rate: 1, per: day } }\n"
    taxes = "taxes: { Levy: 0.020, VAT: [{ rate: 0.19, of: U, on: Levy }, { rate: 0.07, of: [M] }] }"
    assert tariff(charges + taxes)["versions"][0]["taxes"] == [
        {"name": "Levy", "rate": "0.02"},
        {"name": "VAT", "rate": "0.19", "of": ["U"], "on": ["Levy"]},
        {"name": "VAT", "rate": "0.07", "of": ["M"]},
    ]


def test_the_short_form_stands_beside_the_lists_and_is_recorded_as_before() -> None:
    short = "energy: { E1: 0.2845 }\nstanding_per_day: 0.45\ntax: { name: VAT, rate: 0.20 }\n"
    [alone] = tariff(short)["versions"]
    [both] = tariff(
        short + "charges: { M: { kind: standing, rate: 1, per: day } }\ntaxes: { Levy: { rate: 0.1, on: VAT } }"
    )["versions"]
    assert list(alone) == ["version", "effective_from", "energy", "standing_per_day", "tax"]
    assert {key: both[key] for key in alone} == alone
    assert both["taxes"] == [{"name": "Levy", "rate": "0.1", "on": ["VAT"]}]
    assert tariff(short + "estimate_after_days: 10")["versions"] == [{**alone, "estimate_after_days": 10}]


def test_a_changed_charge_is_a_new_edition_that_says_what_changed() -> None:
    text = next(item for item in EXAMPLES if "up_to: 400" in item) + "taxes: { VAT: 0.20 }\n"
    in_force = plan(loaded(text), []).reference_records()
    new = text.replace("up_to: 400, rate: 0.15", "up_to: 450, rate: 0.15").replace("rate: 0.22", "rate: 0.23")
    found = plan(loaded(new.replace("VAT: 0.20", "VAT: { rate: 0.20, round: 0.05 }")), in_force)
    assert found.lines()[:4] == [
        "~ tariff WORKSHOP",
        "    versions[1].charges[Usage].tiers[2].up_to: 400 -> 450",
        "    versions[1].charges[Usage].tiers[3].rate: 0.22 -> 0.23",
        "    versions[1].taxes[VAT].round: — -> to 0.05, mode half_up",
    ]
    assert [(item["kind"], item["version"]) for item in found.reference_records()] == [("tariff", 2)]
    assert found.touches == (Touch("A", date(2026, 1, 1), None, "tariff WORKSHOP"),)


def test_charges_in_another_order_are_another_tariff() -> None:
    one, other = ({"charges": [{"name": "A"}, {"name": "B"}][::step]} for step in (1, -1))
    assert [change.field for change in differences(one, other)] == ["charges.order"]


DEMAND = "charges: {{ D: {{ kind: demand, channel: E1, rate: {rate}{ratchet} }} }}"


@pytest.mark.parametrize(
    ("ratchet", "until"),
    [
        ("", date(2026, 2, 1)),
        (", ratchet: { share: 0.8, months: 3 }", date(2026, 5, 1)),
        (", ratchet: { share: 1, months: 36 }", date(2026, 9, 1)),
    ],
)
def test_a_demand_touches_the_bills_that_look_back_at_it(ratchet: str, until: date) -> None:
    text = framed(DEMAND.format(rate=2, ratchet=ratchet)).replace(
        "from: 2026-01-01, tariff", "from: 2026-01-01, to: 2026-09-01, tariff"
    )
    later = "      - effective_from: 2026-02-01\n        " + DEMAND.format(rate=2, ratchet=ratchet) + "\n"
    text = (
        text.replace("      effective_from", "      - effective_from").replace("      charges", "        charges")
        + later
    )
    portfolio, changed = load_text(text), load_text(text.replace("rate: 2", "rate: 3", 1))
    assert isinstance(portfolio, Portfolio), portfolio
    assert isinstance(changed, Portfolio)
    found = plan(changed, plan(portfolio, []).reference_records())
    assert found.touches == (Touch("A", date(2026, 1, 1), until, "tariff WORKSHOP"),)


def test_an_opening_position_has_no_echo() -> None:
    text = framed(DEMAND.format(rate=2, ratchet=", ratchet: { share: 0.8, months: 3 }"))
    portfolio, changed = (
        load_text(text),
        load_text(text.replace("party_id: P-1,", "party_id: P-1, opening_position: 1.00,")),
    )
    assert isinstance(portfolio, Portfolio) and isinstance(changed, Portfolio)
    found = plan(changed, plan(portfolio, []).reference_records())
    assert found.touches == (Touch("A", date(2026, 1, 1), date(2026, 1, 2), "opening_position"),)
