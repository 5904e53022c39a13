"""What can be wrong with charges and taxes: each mistake with its code and place, one problem for one mistake, all of them at once."""

import pytest

from meterfold.portfolio import Portfolio, Problem, load_text
from tests.unit.test_portfolio_charges import FRAME, framed

FIRST = FRAME.count("\n") + 1
"""The line of the first term."""

USAGE = "U: { kind: energy, channel: E1, rate: 1 }"


def problems_of(terms: str) -> list[Problem]:
    found = load_text(framed(terms))
    return [] if isinstance(found, Portfolio) else found


OF_A_CHARGE: list[tuple[str, str, str, str]] = [
    # code, the charge C, where in it, what the words say
    ("missing_key", "channel: E1, rate: 1", ".kind", "add it"),
    ("bad_value", "kind: block, channel: E1", ".kind", "'energy', 'tiers', 'demand'"),
    ("bad_value", "kind: [energy]", ".kind", "not one of the choices"),
    ("unknown_key", "kind: standing, rate: 1, per: day, channel: E1", ".channel", "means nothing here"),
    ("unknown_key", "kind: energy, channel: E1, rate: 1, teirs: []", ".teirs", "did you mean `tiers`"),
    ("unknown_key", "kind: demand, channel: E1, rate: 1, bands: []", ".bands", "means nothing here"),
    ("missing_key", "kind: energy, rate: 1", ".channel", "add it"),
    ("missing_key", "kind: energy, channel: E1", ".bands", "add it"),
    ("missing_key", "kind: tiers, channel: E1, tiers: []", ".tiers", "is empty"),
    ("missing_key", "kind: demand, channel: E1", ".rate", "add it"),
    ("missing_key", "kind: standing, rate: 1", ".per", "add it"),
    ("missing_key", "kind: minimum, of: U", ".amount", "add it"),
    ("missing_key", "kind: percentage, of: U", ".share", "add it"),
    # bands and times
    ("unpriced", "kind: energy, channel: E1, bands: [{ name: a, rate: 1, months: 1-11 }]", ".bands", "any day 00:00–24:00 in Dec"),
    ("unused_band", "kind: energy, channel: E1, bands: [{ name: a, rate: 1 }, { name: b, rate: 2 }]", ".bands.1", "band b never"),
    ("band_name_reused", "kind: energy, channel: E1, bands: [{ name: a, rate: 1, days: mon }, { name: a, rate: 2 }]",
     ".bands.1.name", "band a"),
    ("band_off_grid", "kind: energy, channel: E1, bands: [{ name: a, rate: 1, to: 06:05 }, { name: b, rate: 2 }]", ".bands", "06:05"),
    ("band_off_grid", "kind: energy, channel: W1, unit: m3, bands: [{ name: a, rate: 1, days: mon }, { name: b, rate: 2 }]",
     ".bands", "by hand"),
    ("band_off_grid", "kind: demand, channel: E1, when: { from: 06:05 }, rate: 1", ".when", "a time begins or ends at 06:05"),
    ("band_off_grid", "kind: tiers, channel: W2, unit: gal, when: { from: 06:00 }, tiers: { rate: 1 }", ".when", "local days"),
    ("band_off_grid", "kind: tiers, channel: W1, unit: m3, when: [{ months: 6 }, { days: mon }], tiers: { rate: 1 }", ".when", "by hand"),
    ("missing_key", "kind: demand, channel: E1, when: {}, rate: 1", ".when", "leave `when` out for all times"),
    ("missing_key", "kind: demand, channel: E1, when: [{ months: 1 }, {}], rate: 1", ".when.1", "is empty"),
    ("empty_span", "kind: demand, channel: E1, when: { from: 06:00, to: 06:00 }, rate: 1", ".when.to", "no minute"),
    ("bad_value", "kind: demand, channel: E1, when: { from: 22:00, to: 06:00, days: fri }, rate: 1", ".when.days", "passes midnight"),
    ("bad_value", "kind: standing, rate: 1, per: month, unit: m2", ".unit", "there is none"),
    ("missing_key", "kind: tiers, channel: E1, bounds: demand, tiers: { rate: 1 }", ".bounds_of", "name the demand charge"),
    ("bad_value", "kind: tiers, channel: E1, bounds_of: P, tiers: { rate: 1 }", ".bounds_of", "beside `bounds: period`"),
    ("unknown_reference", "kind: tiers, channel: E1, bounds: demand, bounds_of: C, tiers: { rate: 1 }", ".bounds_of", "no demand charge C"),
    ("bad_value", "kind: percentage, of: U, share: 0.1, power_factor: { active: E1, reactive: R1, table: { below: 0.9, share: 0.1 } }",
     ".share", "leave one of the two out"),
    ("tiers_out_of_order", "kind: percentage, of: U, power_factor: { active: E1, reactive: R1, table: "
     "[{ below: 0.9, share: 0.1 }, { below: 0.8, share: 0.2 }] }", ".power_factor.table.1.below", "lowest factor upwards"),
    ("unit_not_convertible", "kind: percentage, of: U, power_factor: { active: E1, reactive: B1, table: { below: 0.9, share: 0.1 } }",
     ".power_factor.reactive", "no reactive energy"),
    # tiers
    ("tiers_out_of_order", "kind: tiers, channel: E1, tiers: [{ up_to: 9, rate: 1 }]", ".tiers.0", "above 9"),
    ("tiers_out_of_order", "kind: tiers, channel: E1, tiers: [{ rate: 1 }, { rate: 2 }]", ".tiers.0", "is not the last tier"),
    ("tiers_out_of_order", "kind: tiers, channel: E1, tiers: [{ up_to: 9, rate: 1 }, { up_to: 9.0, rate: 2 }, { rate: 3 }]",
     ".tiers.1.up_to", "9.0 is not above 9"),
    ("bad_value", "kind: tiers, channel: E1, tiers: [{ up_to: 0, rate: 1 }, { rate: 3 }]", ".tiers.0.up_to", "above zero"),
    ("bad_value", "kind: tiers, channel: E1, tiers: [{ up_to: 0.0000000001, rate: 1 }, { rate: 3 }]", ".tiers.0.up_to", "nine decimals"),
    ("bad_value", "kind: tiers, channel: E1, tiers: { rate: 1000000 }", ".tiers.rate", "below a million"),
    ("band_name_reused", "kind: tiers, channel: E1, tiers: [{ name: '2', up_to: 9, rate: 1 }, { rate: 3 }]", ".tiers.1.name", "a tier 2"),
    ("bad_value", "kind: tiers, channel: E1, scheme: block, tiers: { rate: 1 }", ".scheme", "'graduated' or 'volume'"),
    ("bad_value", "kind: tiers, channel: E1, bounds: month, tiers: { rate: 1 }", ".bounds", "'day', 'demand' or 'number'"),
    ("bad_value", "kind: tiers, channel: E1, prorate: month, tiers: { rate: 1 }", ".prorate", "'days' or 'none'"),
    # demand
    ("bad_value", "kind: demand, channel: E1, highest: 0, rate: 1, measure: average", ".highest", "from 1 to"),
    ("bad_value", "kind: demand, channel: E1, highest: 3, rate: 1", ".highest", "measure: average"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, minimum: -1", ".minimum", "from zero"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, ratchet: { share: 80, months: 11 }", ".ratchet.share", "80 % as 0.8"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, ratchet: { share: 0, months: 11 }", ".ratchet.share", "above 0"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, ratchet: { share: 0.8, months: 37 }", ".ratchet.months", "1 to 36"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, minus: B1, net: period", ".net", "net: interval"),
    ("bad_value", "kind: demand, channel: E1, rate: 1, beyond: { channel: B1, share: 0.5 }", ".beyond", "sums of a period"),
    ("needs_intervals", "kind: demand, channel: W2, unit: gal, rate: 1", ".channel", "no intervals within the day"),
    ("needs_intervals", "kind: demand, channel: W1, unit: m3, rate: 1", ".channel", "no intervals within the day"),
    # the quantity
    ("unit_not_convertible", "kind: energy, channel: W1, rate: 1", ".unit", "kWh, but channel W1 of supply point SP is in m3"),
    ("unit_not_convertible", "kind: energy, channel: G1, unit: kWh, rate: 1", ".unit", "is in m3"),
    ("unknown_unit", "kind: energy, channel: E1, unit: therm, rate: 1", ".unit", "write the `steps` that lead to therm"),
    ("bad_value", "kind: energy, channel: E1, unit: '100', steps: { times: 2 }, rate: 1", ".unit", "is no unit"),
    ("missing_key", "kind: energy, channel: E1, minus: B1, rate: 1", ".net", "is missing beside `minus`"),
    ("bad_value", "kind: energy, channel: E1, net: period, rate: 1", ".net", "there is none"),
    ("bad_value", "kind: energy, channel: E1, minus: E1, net: period, rate: 1", ".minus", "the charge's own channel"),
    ("bad_value", "kind: energy, channel: E1, beyond: { channel: E1, share: 1 }, rate: 1", ".beyond.channel", "own channel"),
    ("unit_not_convertible", "kind: energy, channel: E1, minus: R1, net: period, rate: 1", ".minus", "is in kvarh"),
    ("unit_not_convertible", "kind: energy, channel: E1, beyond: { channel: W1, share: 1 }, rate: 1",
     ".beyond.channel", "no measure for kWh"),
    ("needs_intervals", "kind: energy, channel: W1, unit: m3, minus: W2, net: interval, rate: 1", ".net", "`net: period`"),
    ("bad_value", "kind: energy, channel: E1, share: 92, rate: 1", ".share", "92 % as 0.92"),
    ("bad_value", "kind: energy, channel: E1, beyond: { channel: B1, share: 0 }, rate: 1", ".beyond.share", "above 0"),
    ("bad_value", "kind: energy, channel: E1, steps: { times: 0 }, rate: 1", ".steps.times", "above zero"),
    ("bad_value", "kind: energy, channel: E1, steps: [{ round: 1 }], rate: 1", ".steps.0", "neither `times` nor `over`"),
    ("bad_value", "kind: energy, channel: E1, steps: [{ times: 1, over: 2 }], rate: 1", ".steps.0", "both `times` and `over`"),
    # of other charges
    ("bad_value", "kind: percentage, of: U, share: 5", ".share", "5 % as 0.05"),
    ("bad_value", "kind: percentage, of: U, share: 0.0", ".share", "or is 0"),
    ("bad_value", "kind: percentage, of: U, share: -1.01", ".share", "from -1"),
    ("missing_key", "kind: percentage, of: [], share: 0.1", ".of", "is empty"),
    ("unknown_reference", "kind: percentage, of: [U, Us], share: 0.1", ".of.1", "did you mean U"),
    ("charge_order", "kind: percentage, of: C, share: 0.1", ".of", "energy, tiers, demand and standing"),
    ("charge_order", "kind: minimum, of: [U, C], amount: 1", ".of.1", "no minimum or maximum"),
    ("bad_value", "kind: minimum, of: [U, U], amount: 1", ".of.1", "stands twice"),
    ("bad_value", "kind: maximum, of: U, amount: 0", ".amount", "above zero"),
    # rounding
    ("bad_value", "kind: standing, rate: 1, per: day, round: 0", ".round", "1, 2, 5 or 25"),
    ("bad_value", "kind: standing, rate: 1, per: day, round: { to: 0.03 }", ".round.to", "1, 2, 5 or 25"),
    ("bad_value", "kind: standing, rate: 1, per: day, round: { to: -1 }", ".round.to", "power of ten"),
    ("bad_value", "kind: standing, rate: 1, per: day, round: 0.005", ".round", "no multiple of 0.01 GBP"),
    ("bad_value", "kind: standing, rate: 1, per: day, round: { to: 1, mode: floor }", ".round.mode", "'half_up'"),
    ("bad_value", "kind: standing, rate: 1, per: week", ".per", "'period' or 'year'"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "written", "place", "says"), OF_A_CHARGE)
def test_a_mistake_in_a_charge_is_one_problem(code: str, written: str, place: str, says: str) -> None:
    found = problems_of(f"charges:\n  {USAGE}\n  C: {{ {written} }}")
    at = f"tariffs.WORKSHOP.versions.charges.C{place}"
    assert [(problem.code, problem.path, problem.line) for problem in found] == [(code, at, FIRST + 2)], found
    assert says in str(found[0]), str(found[0])


OF_A_VERSION: list[tuple[str, str, str, str]] = [
    # code, the terms, where in the version, what the words say
    ("wrong_shape", "charges: [U]", "charges", "not a mapping"),
    ("wrong_shape", "charges: { U: 0.28 }", "charges.U", "not a mapping"),
    ("wrong_shape", "taxes: { VAT: }", "taxes.VAT", "not a list"),
    ("bad_value", "charges: { ' U': { kind: standing, rate: 1, per: day } }", "charges. U", "space around it"),
    ("duplicate_key", f"charges: {{ {USAGE}, {USAGE} }}", "charges.U", "stands here again"),
    ("missing_key", "charges: { M: { kind: minimum, amount: 9 } }", "charges.M.of", "add one"),
    ("charge_order", f"charges: {{ {USAGE}, P: {{ kind: percentage, of: M, share: 1 }}, M: {{ kind: minimum, of: U, amount: 1 }} }}",
     "charges.P.of", "M is not computed before a percentage"),
    ("charge_order", "charges: { M: { kind: minimum, of: N, amount: 1 }, N: { kind: maximum, of: M, amount: 1 } }",
     "charges.M.of", "N is not computed before a minimum"),
    ("bad_value", "taxes: { VAT: 19 }", "taxes.VAT", "19 % as 0.19"),
    ("bad_value", "taxes: { VAT: { rate: 0.19, round: 0.001 } }", "taxes.VAT.round", "no multiple of 0.01 GBP"),
    ("missing_key", "taxes: { VAT: {} }", "taxes.VAT.rate", "add it"),
    ("missing_key", "taxes: { VAT: [] }", "taxes.VAT", "is empty"),
    ("unknown_key", "taxes: { VAT: { rate: 0.19, base: U } }", "taxes.VAT.base", "means nothing here"),
    ("unknown_reference", f"charges: {{ {USAGE} }}\ntaxes: {{ VAT: {{ rate: 0.1, of: Usage }} }}", "taxes.VAT.of", "no charge Usage"),
    ("unknown_reference", "taxes: { VAT: { rate: 0.1, on: Levy } }", "taxes.VAT.on", "no tax Levy"),
    ("charge_order", "taxes: { VAT: { rate: 0.1, on: Levy }, Levy: 0.2 }", "taxes.VAT.on", "write Levy above VAT"),
    ("charge_order", "taxes: { VAT: { rate: 0.1, on: VAT } }", "taxes.VAT.on", "VAT is not computed before VAT"),
    ("bad_value", "taxes: { L: 0.1, VAT: { rate: 0.1, on: [L, L] } }", "taxes.VAT.on.1", "stands twice"),
    ("tax_repeated", "taxes: { VAT: [0.19, 0.190] }", "taxes.VAT.1", "VAT at 0.190 is already there"),
    ("tax_repeated", f"charges: {{ {USAGE} }}\ntaxes: {{ VAT: [0.19, {{ rate: 0.07, of: U }}] }}", "taxes.VAT.1.of", "already taxes U"),
    ("tax_repeated", f"charges: {{ {USAGE} }}\ntax: {{ name: VAT, rate: 0.2 }}\ntaxes: {{ VAT: 0.05 }}", "taxes.VAT", "already taxes U"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "terms", "place", "says"), OF_A_VERSION)
def test_a_mistake_in_a_version_is_named_with_its_place(code: str, terms: str, place: str, says: str) -> None:
    found = problems_of(terms)
    assert {problem.code for problem in found} == {code}, [str(problem) for problem in found]
    assert any(problem.path.endswith(place) and says in str(problem) for problem in found), [str(p) for p in found]


@pytest.mark.parametrize(
    "quantity", ["channel: E9", "channel: E1, minus: E9, net: period", "channel: E1, beyond: { channel: E9, share: 1 }"]
)
def test_a_channel_that_the_supply_point_lacks_is_a_problem_of_the_tenancy(quantity: str) -> None:
    [problem] = problems_of(f"charges: {{ C: {{ kind: energy, {quantity}, rate: 1 }} }}")
    assert (problem.code, problem.path) == ("unknown_reference", "tenancies.0.tariff")
    assert "prices channel E9, which supply point SP does not have" in problem.wrong


def test_a_number_that_the_tenancy_lacks_is_a_problem_of_the_tenancy() -> None:
    [problem] = problems_of("charges: { C: { kind: standing, rate: 1, per: month, number: meters } }")
    assert (problem.code, problem.path) == ("missing_key", "tenancies.0.numbers")
    assert "counts `meters`, which the tenancy has not on 2026-01-01" in problem.wrong


def test_all_mistakes_of_a_tariff_come_at_once() -> None:
    found = problems_of("""
charges:
  A: { kind: tiers, channel: E1, unit: therm, tiers: [{ rate: 1 }, { up_to: 5, rate: 2 }] }
  B: { kind: demand, channel: W1, unit: m3, highest: 2, rate: 1 }
  C: { kind: percentage, of: D, share: 0.1 }
taxes: { VAT: [0.19, 0.19] }
""")
    assert [(problem.line - FIRST, problem.code) for problem in found] == [
        (1, "tiers_out_of_order"),
        (1, "tiers_out_of_order"),
        (1, "unknown_unit"),
        (2, "needs_intervals"),
        (2, "bad_value"),
        (3, "unknown_reference"),
        (4, "tax_repeated"),
    ]
