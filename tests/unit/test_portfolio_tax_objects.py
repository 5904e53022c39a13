"""Taxes that stand on their own, as they are written: what a tariff says of them, what is refused, and whose bills a new rate touches."""

from typing import Any

import pytest

from meterfold.portfolio import Portfolio, load_text, plan
from tests.unit.test_portfolio_charges import framed

VAT = "VAT: { rates: [{ from: 2007-01-01, rate: 0.19 }, { from: 2026-07-01, rate: 0.16 }], date: supply }"
SAME = VAT.replace("VAT: {", "V2: { name: VAT,")
LEVY = "LEVY: { name: Levy, rates: { from: 2007-01-01, rate: 0.02 }, date: invoice, rounding: line, round: 0.05 }"
INSIDE = "IN: { rates: { from: 2007-01-01, rate: 0.1 }, date: period_end, included: true }"
SHARE = "SH: { rates: { from: 2007-01-01, rate: 0.1 }, date: period_end, included: true, share_of: gross }"
USAGE = "charges: { U: { kind: energy, channel: E1, rate: 1 } }"


def written(taxes: str, terms: str, account: str = "") -> str:
    text = framed(f"{USAGE}\n{terms}") + f"\ntaxes: {{ {taxes} }}\n"
    return text.replace("billing_from", f"taxes: [{account}], billing_from", 1) if account else text


def loaded(text: str) -> Portfolio:
    found = load_text(text)
    assert isinstance(found, Portfolio), [str(problem) for problem in found]
    return found


def bodies(portfolio: Portfolio) -> dict[tuple[str, str], dict[str, Any]]:
    return {(record["kind"], record["id"]): record["body"] for record in plan(portfolio, []).reference_records()}


def test_a_tariff_names_a_tax_by_its_id() -> None:
    found = bodies(loaded(written(f"{VAT}, {LEVY}", "taxes: [LEVY, { tax: VAT, of: U, on: LEVY }]")))
    assert found["tax", "LEVY"] == {
        "name": "Levy", "rates": [{"from": "2007-01-01", "rate": "0.02"}], "date": "invoice", "rounding": "line",
        "round": {"to": "0.05", "mode": "half_up"}, "included": False, "share_of": "net",
    }  # fmt: skip
    assert next(body for (kind, _), body in found.items() if kind == "tariff")["versions"][0]["taxes"] == [
        {"name": "LEVY", "tax": "LEVY"}, {"name": "VAT", "tax": "VAT", "of": ["U"], "on": ["LEVY"]},
    ]  # fmt: skip
    assert list(found).index(("tax", "VAT")) < [kind for kind, _ in found].index("tariff")


MISTAKES = [
    ("unknown_reference", VAT, "taxes: VTA", "", "tax", "did you mean VAT"),
    ("bad_value", VAT, "taxes: { VAT: { tax: VAT, rate: 0.19 } }", "", "rate", "rates of its own"),
    ("bad_value", VAT, "taxes: [{ tax: VAT, round: 0.05 }]", "", "round", "leave it out"),
    ("tax_repeated", f"{VAT}, {SAME}", "", "", "V2.name", "called VAT too"),
    ("version_overlap", VAT.replace("2026-07-01", "2007-01-01"), "", "", "rates.1.from", "in order of time"),
    ("version_gap", VAT.replace("2007-01-01", "2026-06-01"), "taxes: VAT", "", "tariff", "no rate before 2026-06-01"),
    ("charge_order", f"{INSIDE}, {LEVY}", "taxes: [LEVY, { tax: IN, on: LEVY }]", "", "on", "inside the price"),
    ("charge_order", f"{INSIDE}, {LEVY}", "taxes: [IN, { tax: LEVY, on: IN }]", "", "on", "prices contain IN"),
    ("bad_value", f"{INSIDE}, {SHARE}", "taxes: [IN, SH]", "", "tax", "one `share_of`"),
    ("bad_value", VAT.replace("supply", "delivery"), "", "", "date", "'supply', 'period_end' or 'invoice'"),
    ("missing_key", VAT.replace(", date: supply", ""), "", "", "date", "add it"),
    ("unknown_reference", VAT, "", "{ tax: V, treatment: exempt, evidence: a, from: 2026-01-01 }", "taxes.0.tax", "no tax V"),
    ("missing_key", VAT, "", "{ tax: VAT, treatment: exempt, from: 2026-01-01 }", "evidence", "add it"),
    ("empty_span", VAT, "", "{ tax: VAT, treatment: exempt, evidence: a, from: 2026-01-01, to: 2026-01-01 }", "to", "is not after"),
    ("version_overlap", VAT, "", "{ tax: VAT, treatment: exempt, evidence: a, from: 2026-01-01 }, "
     "{ tax: VAT, treatment: reverse_charge, evidence: b, from: 2026-02-01 }", "taxes.1.from", "already treated as exempt"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "taxes", "terms", "account", "place", "says"), MISTAKES)
def test_a_mistake_is_named_with_its_place(
    code: str, taxes: str, terms: str, account: str, place: str, says: str
) -> None:
    found = load_text(written(taxes, terms, account))
    assert not isinstance(found, Portfolio)
    assert {problem.code for problem in found} == {code}, [str(problem) for problem in found]
    assert any(place in problem.path and says in str(problem) and problem.line for problem in found), [
        (problem.path, str(problem)) for problem in found
    ]


def test_a_new_rate_or_treatment_touches_the_days_on_which_it_holds() -> None:
    old = plan(loaded(written(VAT, "taxes: VAT")), []).reference_records()
    later = written(
        VAT.replace("0.16", "0.17"),
        "taxes: VAT",
        "{ tax: VAT, treatment: exempt, evidence: a, from: 2026-03-01, to: 2026-04-01 }",
    )
    touched = {(touch.why, str(touch.from_date), str(touch.to_date)) for touch in plan(loaded(later), old).touches}
    assert touched == {("tax VAT", "2026-07-01", "None"), ("taxes", "2026-03-01", "2026-04-01")}
