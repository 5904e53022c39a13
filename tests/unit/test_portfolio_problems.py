"""Every kind of problem, each shown on a small portfolio with one thing changed: the path, the line and the words."""

import re

import pytest

from meterfold.portfolio import Portfolio, Problem, load_file, load_text, plan
from meterfold.portfolio.problem import CODES

BASE = """\
legal_entities:
  LE: { name: Landlord Ltd, currency: EUR }
sites:
  S:
    time_zone: Europe/Berlin
    holidays: [2026-12-25]
supply_points:
  SP-1:
    channels:
      E1: { interval: 15 }
      E2: { interval: 30, billing_grid: 60 }
  SP-2:
    channels:
      W1: { kind: spans, unit: m3, commodity: water }
devices:
  M-1:
    assignments:
      - { supply_point: SP-1, from: 2026-01-01 }
    registers:
      R1: { channel: E1 }
      R2: { channel: E2 }
  M-2:
    assignments: { supply_point: SP-2, from: 2026-01-01 }
    registers:
      W: { channel: W1, decimals: 3, digits: 8 }
accounts:
  A-1: { party_id: P-1, billing_from: 2026-01-01 }
  A-2: { party_id: P-2, billing_from: 2026-01-01 }
tenancies:
  - { account: A-1, supply_point: SP-1, from: 2026-01-01, tariff: T }
  - { account: A-2, supply_point: SP-2, from: 2026-02-01, tariff: W }
tariffs:
  T:
    versions:
      - effective_from: 2026-01-01
        energy:
          E1:
            bands:
              - { name: day, rate: 0.30, from: 06:00, to: 22:00 }
              - { name: night, rate: 0.20 }
      - effective_from: 2026-07-01
        energy: { E1: 0.25 }
  W:
    versions: { effective_from: 2026-01-01, energy: { W1: { unit: m3, rate: 4.20 } } }
"""

CASES: list[tuple[str, str, str, str, str]] = [
    # code, what is replaced, by what, how the path ends, what the words say
    ("syntax", "sites:", "sites", "file", "not YAML"),
    ("duplicate_key", "  SP-2:", "  SP-1:", "supply_points.SP-1", "first on line 8"),
    ("unknown_key", "interval: 15", "intervall: 15", "E1.intervall", "did you mean `interval`"),
    ("unknown_key", "rate: 0.30", "rate: 0,30", "E1.bands.0.30", "point for the comma"),
    ("unknown_key", "sites:", "site:", "site", "did you mean `sites`"),
    ("unknown_key", "time_zone: E", "colour: red\n    time_zone: E", "S.colour", "lists every key"),
    ("personal_data", "party_id: P-1,", "party_id: P-1, name: Jo,", "accounts.A-1.name", "party store"),
    ("personal_data", "party_id: P-1,", "party_id: P-1, Email: a@b.c,", "accounts.A-1.Email", "personal data"),
    ("personal_data", "party_id: P-1", "party_id: Jo Doe", "accounts.A-1.party_id", "party store"),
    ("personal_data", "{ account: A-1,", "{ account: A-1, address: 1 High St,", "tenancies.0.address", "personal data"),
    ("missing_key", "party_id: P-1, ", "", "accounts.A-1.party_id", "add it"),
    ("missing_key", "E1: { interval: 15 }", "E1: { unit: kWh }", "E1.interval", "never change"),
    ("missing_key", ", commodity: water", "", "W1.commodity", "what is measured in m3"),
    ("missing_key", "  S:\n", "  S2: { time_zone: UTC }\n  S:\n", "supply_points.SP-1.site", "say which one"),
    ("missing_key", "    assignments:\n      - { supply_point: SP-1, from: 2026-01-01 }", "    assignments: []",
     "M-1.assignments", "empty"),
    ("missing_key", "{ account: A-1, ", "{ withdrawn: { reason: x } }\n  - { account: A-1, ", "tenancies.0", "which tenancy"),
    ("wrong_shape", "  A-1: {", "  A-0: text\n  A-1: {", "accounts.A-0", "not a mapping"),
    ("wrong_shape", "holidays: [2026-12-25]", "holidays: 2026-12-25", "S.holidays", "not a list"),
    ("wrong_shape", "currency: EUR", "currency: [EUR]", "LE.currency", "more than one value"),
    ("wrong_shape", "currency: EUR", "currency: ", "LE.currency", "nothing where one value"),
    ("wrong_shape", "{ account: A-1,", "{ id: { a: b }, account: A-1,", "tenancies.0.id", "more than one value"),
    ("wrong_shape", "tenancies:\n", "tenancies: text\nx-t:\n", "tenancies", "begin each tenancy with a dash"),
    ("bad_value", "currency: EUR", "currency: euro", "LE.currency", "three letters"),
    ("bad_value", "  A-1: {", "  A 1: {", "accounts.A 1", "is no id"),
    ("bad_value", "kind: spans", "kind: span", "W1.kind", "'intervals', 'totals' or 'spans'"),
    ("bad_value", "- effective_from: 2026-07-01", "- effective_from: 2026-07-01\n        standing_per_day: 0,45",
     "T.versions.1.standing_per_day", "point for the comma"),
    ("bad_value", "rate: 0.30", "rate: 3e-1", "E1.bands.0.rate", "no decimal number"),
    ("bad_value", "rate: 4.20", "rate: 0.0000000001", "energy.W1.rate", "nine decimals"),
    ("bad_value", "E1: 0.25 }", "E1: 0.25 }\n        tax: { name: VAT, rate: 19 }", "T.versions.1.tax.rate", "0.19"),
    ("bad_value", "holidays: [2026-12-25]", "holidays: [25.12.2026]", "S.holidays.0", "2026-01-31"),
    ("bad_value", "2026-01-01 }\n    registers:\n      R1", "2026-02-30 }\n    registers:\n      R1",
     "M-1.assignments.0.from", "no date or time"),
    ("bad_value", "interval: 15 ", "interval: 15, allowance: 2 hours ", "E1.allowance", "30min"),
    ("bad_value", "interval: 15 ", "interval: 15, horizon_days: 0 ", "E1.horizon_days", "1 to 400"),
    ("bad_value", "interval: 15 ", "interval: 15, signed: yes ", "E1.signed", "true or false"),
    ("bad_value", "interval: 15 ", "interval: quarter ", "E1.interval", "local_day"),
    ("bad_value", "from: 06:00", "from: 6 am", "E1.bands.0.from", "HH:MM"),
    ("bad_value", "rate: 0.30,", "rate: 0.30, days: weekend,", "E1.bands.0.days", "mon-fri"),
    ("bad_value", "rate: 0.30,", "rate: 0.30, months: 13,", "E1.bands.0.months", "10-3"),
    ("bad_value", "rate: 0.30, from: 06:00, to: 22:00", "rate: 0.3, days: fri, from: 22:00, to: 06:00",
     "E1.bands.0.days", "passes midnight"),
    ("bad_value", "digits: 8", "digits: 2", "M-2.registers.W.digits", "fewer digits than decimals"),
    ("bad_value", "party_id: P-1,", "party_id: P-1, opening_position: 1.005,", "accounts.A-1.opening_position", "2 decimals"),
    ("bad_value", "    holidays:", "    timetable: { gate_at: 24:00 }\n    holidays:", "S.timetable.gate_at", "next day"),
    ("bad_value", "  A-2: {", "  A-2: { ended: { at: 2026-05-01, reason: x }, withdrawn: { reason: y },", "accounts.A-2.withdrawn", "both"),
    ("bad_value", "  A-2: {", "  A-2: { ended: { at: 2027-05-01 10:00, reason: x },", "accounts.A-2.ended.at", "whole day"),
    ("unknown_reference", "supply_point: SP-2, from: 2026-01-01", "supply_point: SP-3, from: 2026-01-01",
     "M-2.assignments.supply_point", "did you mean SP-"),
    ("unknown_reference", "R1: { channel: E1 }", "R1: { channel: E9 }", "M-1.registers.R1.channel", "supply_points.SP-1.channels"),
    ("unknown_reference", "tariff: T }", "tariff: TX }", "tenancies.0.tariff", "no tariff TX"),
    ("unknown_reference", "  - { account: A-1", "  - { account: A-7", "tenancies.0.account", "no account A-7"),
    ("unknown_reference", "time_zone: E", "legal_entity: ACME\n    time_zone: E", "S.legal_entity", "no legal entity ACME"),
    ("unknown_reference", "E1: 0.25 }", "E1: 0.25, E7: 0.10 }", "tenancies.0.tariff", "does not have"),
    ("unknown_reference", "party_id: P-2, billing_from: 2026-01-01", "ended: { at: 2026-05-01, reason: x }",
     "tenancies.1.account", "keep its other keys"),
    ("unknown_unit", "interval: 15 ", "interval: 15, unit: kW ", "E1.unit", "Wh, kWh"),
    ("unknown_time_zone", "Europe/Berlin", "Europe/Bern", "S.time_zone", "time-zone database"),
    ("unknown_time_zone", "Europe/Berlin", "../../etc/passwd", "S.time_zone", "time-zone database"),
    ("nonexistent_time", "SP-1, from: 2026-01-01", "SP-1, from: 2026-03-29 02:30", "M-1.assignments.0.from", "set forward"),
    ("ambiguous_time", "SP-1, from: 2026-01-01", "SP-1, from: 2026-10-25 02:30",
     "M-1.assignments.0.from", "2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"),
    ("out_of_calendar", "SP-1, from: 2026-01-01", "SP-1, from: 1998-05-01", "M-1.assignments.0.from", "calendar_from_year: 1998"),
    ("grid_misfit", "interval: 15 ", "interval: 7 ",
     "E1.interval", "7 minutes does not divide the hour; in Europe/Berlin use 1, 2, 3, 4, 5,"),
    ("grid_misfit", "billing_grid: 60", "billing_grid: 120", "E2.billing_grid", "does not divide the hour"),
    ("grid_misfit", "Europe/Berlin", "Australia/Lord_Howe", "E2.billing_grid", "every local midnight"),
    ("grid_misfit", "kind: spans,", "kind: spans, interval: 15,", "W1.interval", "from read to read"),
    ("grid_not_multiple", "billing_grid: 60", "billing_grid: 20", "E2.billing_grid", "20 minutes is not a whole number"),
    ("grid_not_multiple", "interval: 15 ", "interval: local_day, billing_grid: 60 ", "E1.billing_grid", "a local day"),
    ("empty_span", "SP-1, from: 2026-01-01", "SP-1, from: 2026-01-01, to: 2026-01-01", "M-1.assignments.0.to", "not after the beginning"),
    ("empty_span", "from: 2026-02-01, tariff", "from: 2026-02-01, to: 2026-01-31, tariff", "tenancies.1.to", "not after"),
    ("empty_span", "from: 06:00, to: 22:00", "from: 06:00, to: 06:00", "E1.bands.0.to", "no minute"),
    ("empty_span", "- effective_from: 2026-07-01", "- effective_from: 2026-07-01\n        effective_to: 2026-07-01",
     "T.versions.1.effective_to", "not after"),
    ("overlapping_assignments", "- { supply_point: SP-1, from: 2026-01-01 }",
     "- { supply_point: SP-1, from: 2026-01-01 }\n      - { supply_point: SP-1, from: 2026-05-01 }",
     "M-1.assignments.1", "assigned twice"),
    ("two_sites", "- { supply_point: SP-1, from: 2026-01-01 }",
     "- { supply_point: SP-1, from: 2026-01-01, to: 2026-02-01 }\n      - { supply_point: SP-9, from: 2026-02-01 }",
     "M-1.assignments.1.supply_point", "already at site S"),
    ("register_overlap", "R1: { channel: E1 }", "R1: [E1, E2]", "M-1.registers.R1", "two spans of register R1"),
    ("register_outside_assignment", "R1: { channel: E1 }", "R1: { channel: E1, from: 2025-12-01 }",
     "M-1.registers.R1", "not assigned all that time"),
    ("role_mismatch", "R1: { channel: E1 }", "R1: { channel: E1, role: totals }",
     "M-1.registers.R1.role", "role totals on a channel of kind intervals"),
    ("role_mismatch", "R1: { channel: E1 }", "R1: { channel: E1, digits: 6 }", "M-1.registers.R1.digits", "read as totals"),
    ("role_mismatch", "decimals: 3,", "multiplier: 10, per_count: 0.01,", "M-2.registers.W.per_count", "both"),
    ("count_not_exact", "decimals: 3, digits: 8", "decimals: 10", "M-2.registers.W.decimals", "10⁻⁹"),
    ("count_not_exact", "decimals: 3,", "per_count: 0.0000000015,", "M-2.registers.W.per_count", "0.0000000015 m3"),
    ("count_not_exact", "decimals: 3,", "decimals: 3, max_per_hour: 9999999999,", "M-2.registers.W.max_per_hour", "below 10⁹"),
    ("two_feeds", "R2: { channel: E2 }", "R2: { channel: E1 }", "M-1.registers.R2", "M-1/R1 feeds SP-1/E1 too"),
    ("two_feeds", "  M-2:", "  M-3: { assignments: { supply_point: SP-1, from: 2026-06-01 }, registers: { R1: E1 } }\n  M-2:",
     "M-3.registers.R1", "from 2026-05-31T22:00:00Z"),
    ("duplicate_id", "  - { account: A-2", "  - { account: A-1, supply_point: SP-1, from: 2026-01-01, tariff: T }\n  - { account: A-2",
     "tenancies.1", "is already on line 30"),
    ("duplicate_id", "  - { account: A-2", "  - { id: A-1/SP-1/2026-01-01, withdrawn: { reason: x } }\n  - { account: A-2",
     "tenancies.1", "is already on line 30"),
    ("overlapping_tenancies", "supply_point: SP-2, from: 2026-02-01, tariff: W", "supply_point: SP-1, from: 2026-02-01, tariff: T",
     "tenancies.1.from", "already occupied on 2026-02-01"),
    ("legal_entity_mismatch", "A-1: { party_id", "A-1: { legal_entity: LE2, party_id", "tenancies.0.account", "account A-1 is of LE2"),
    ("currency_mismatch", "A-1: { party_id: P-1", "A-1: { currency: GBP, party_id: P-1", "accounts.A-1.currency", "bills in EUR"),
    ("currency_mismatch", "  T:\n", "  T:\n    currency: GBP\n", "tariffs.T.currency", "no legal entity bills in it"),
    ("currency_mismatch", "A-1: { party_id", "A-1: { legal_entity: LE2, party_id",
     "tenancies.0.tariff", "tariff T is in EUR, account A-1 in GBP"),
    ("version_overlap", "2026-07-01", "2026-01-01", "T.versions.1.effective_from", "not after version 1"),
    ("version_overlap", "- effective_from: 2026-01-01", "- effective_from: 2026-01-01\n        effective_to: 2026-08-01",
     "T.versions.1.effective_from", "ends on 2026-08-01"),
    ("version_overlap", "- effective_from: 2026-01-01", "- effective_from: 2026-01-01\n        version: 5",
     "T.versions.1.version", "version 2 stands after version 5"),
    ("version_gap", "- effective_from: 2026-01-01", "- effective_from: 2026-01-01\n        effective_to: 2026-06-01",
     "T.versions.1.effective_from", "from 2026-06-01 to 2026-07-01"),
    ("version_gap", "- effective_from: 2026-01-01", "- effective_from: 2026-02-01", "tenancies.0.tariff", "begins on 2026-02-01"),
    ("version_gap", "- effective_from: 2026-07-01", "- effective_from: 2026-07-01\n        effective_to: 2027-01-01",
     "tenancies.0.tariff", "in effect until 2027-01-01"),
    ("unpriced", "{ name: night, rate: 0.20 }", "{ name: night, rate: 0.20, days: mon-fri }", "E1.bands", "sat, sun 00:00–06:00"),
    ("unpriced", "{ name: night, rate: 0.20 }", "{ name: night, rate: 0.20, months: 1-11 }", "E1.bands", "any day 22:00–24:00 in Dec"),
    ("unused_band", "{ name: night, rate: 0.20 }", "{ name: night, rate: 0.20 }\n              - { name: never, rate: 1 }",
     "E1.bands.2", "band never never applies"),
    ("band_name_reused", "name: night", "name: day", "E1.bands.1.name", "already has a band day"),
    ("band_off_grid", "from: 06:00, to: 22:00", "from: 06:05, to: 22:00",
     "E1.bands", "at 06:05, and channel E1 of supply point SP-1 is billed in intervals of 15"),
    ("band_off_grid", "E1: { interval: 15 }", "E1: { interval: local_day }", "E1.bands", "local days"),
    ("band_off_grid", "W1: { unit: m3, rate: 4.20 }",
     "W1: { unit: m3, bands: [{ name: a, rate: 1, days: mon-fri }, { name: b, rate: 2 }] }",
     "energy.W1.bands", "read by hand"),
    ("tiers_out_of_order", "energy: { E1: 0.25 }", "charges: { U: { kind: tiers, channel: E1, tiers: { up_to: 9, rate: 1 } } }",
     "T.versions.1.charges.U.tiers", "nothing prices what is above 9"),
    ("charge_order", "energy: { E1: 0.25 }", "charges: { L: { kind: maximum, of: L, amount: 9 } }",
     "T.versions.1.charges.L.of", "L is not computed before a maximum"),
    ("tax_repeated", "energy: { E1: 0.25 }", "energy: { E1: 0.25 }\n        tax: { name: VAT, rate: 0.19 }\n        taxes: { VAT: 0.190 }",
     "T.versions.1.taxes.VAT", "VAT at 0.190 is already there"),
    ("needs_intervals", "energy: { W1: { unit: m3, rate: 4.20 } }", "charges: { D: { kind: demand, channel: W1, unit: m3, rate: 1 } }",
     "charges.D.channel", "channel W1 of supply point SP-2 has no intervals within the day"),
    ("unit_not_convertible", "W1: { unit: m3, rate: 4.20 }", "W1: 4.20", "energy.W1", "kWh, but channel W1 of supply point SP-2 is in m3"),
    ("ended_but_used", "  A-2: {", "  A-2: { ended: { at: 2026-05-01, reason: moved },",
     "tenancies.1", "account A-2, which ended on 2026-05-01"),
    ("ended_but_used", "    time_zone: E", "    ended: { at: 2026-05-01, reason: sold }\n    time_zone: E",
     "supply_points.SP-1", "site S, which ended"),
    ("reserved_id", "tariffs:\n", "tariffs:\n  T#2: { currency: EUR, versions: { effective_from: 2026-01-01, standing_per_day: 1 } }\n",
     "tariffs.T#2", "leave the # and the number out"),
    ("ended_but_used", "  SP-1:\n", "  SP-1:\n    withdrawn: { reason: typing error }\n", "M-1", "supply point SP-1, which was withdrawn"),
]  # fmt: skip

EXTRA = {
    "two_sites": ("sites:", "sites:\n  S9: { time_zone: UTC }"),
    "legal_entity_mismatch": ("LE: {", "LE2: { name: Other, currency: EUR }\n  LE: {"),
    "currency_mismatch": ("LE: {", "LE2: { name: Other, currency: GBP }\n  LE: {"),
}
"""What else a case needs to be about nothing but its code."""

NEEDS_A_LOAD = {"missing", "not_in_force", "fixed"}
NEEDS_EDITIONS = {"change_control"}
"""Shown in test_change_control."""


def replaced(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def problems_of(text: str) -> list[Problem]:
    found = load_text(text)
    return [] if isinstance(found, Portfolio) else found


def with_two_of_everything(code: str, text: str, new: str) -> str:
    """A second site or legal entity, with every reference to the first one spelt out."""
    if code not in EXTRA or (code == "currency_mismatch" and "LE2" not in new):
        return text
    text = replaced(text, *EXTRA[code])
    if code == "two_sites":
        text = re.sub(r"(  SP-\d:\n)", r"\1    site: S\n", text)
        return replaced(text, "devices:", "  SP-9: { site: S9, channels: { E1: { interval: 15 } } }\ndevices:")
    text = replaced(text, "    time_zone", "    legal_entity: LE\n    time_zone")
    text = replaced(text, "A-2: { party_id", "A-2: { legal_entity: LE, party_id")
    return re.sub(r"(?m)^  ([TW]):$", r"  \1:\n    currency: EUR", text) if "GBP" in text else text


def test_the_base_is_right() -> None:
    assert problems_of(BASE) == []


@pytest.mark.parametrize(("code", "old", "new", "path", "says"), CASES, ids=lambda value: str(value)[:30])
def test_a_problem_names_its_place_and_what_to_do(code: str, old: str, new: str, path: str, says: str) -> None:
    text = replaced(with_two_of_everything(code, BASE, new), old, new)
    found = [problem for problem in problems_of(text) if problem.code == code and problem.path.endswith(path)]
    assert found, [str(problem) for problem in problems_of(text)]
    assert any(says in str(problem) for problem in found), [str(problem) for problem in found]
    assert all(problem.wrong and problem.do and 1 <= problem.line <= text.count("\n") + 1 for problem in found)


@pytest.mark.parametrize(("code", "old", "new", "path", "says"), CASES, ids=lambda value: str(value)[:30])
def test_one_mistake_gives_no_flood(code: str, old: str, new: str, path: str, says: str) -> None:
    problems = problems_of(replaced(with_two_of_everything(code, BASE, new), old, new))
    assert len(problems) <= 4, [str(problem) for problem in problems]
    assert len(set(problems)) == len(problems)


def test_every_kind_of_problem_is_in_the_table() -> None:
    assert {case[0] for case in CASES} | NEEDS_A_LOAD | NEEDS_EDITIONS == set(CODES)


def test_the_line_is_the_one_that_is_wrong() -> None:
    [problem] = problems_of(replaced(BASE, "interval: 15", "interval: 7"))
    assert (problem.line, problem.path) == (10, "supply_points.SP-1.channels.E1.interval")
    assert str(problem).startswith(
        "line 10: supply_points.SP-1.channels.E1.interval: 7 minutes does not divide the hour; "
    )


def test_all_problems_come_at_once_in_the_order_of_lines() -> None:
    text = BASE
    for old, new in [
        ("currency: EUR", "currency: euro"),
        ("interval: 15", "interval: 7"),
        ("R2: { channel: E2 }", "R2: { channel: E5 }"),
        ("party_id: P-1,", "party_id: P-1, name: Jo,"),
        ("tariff: W }", "tariff: V }"),
        ("{ name: night, rate: 0.20 }", "{ name: night, rate: 0.20, days: sun }"),
    ]:
        text = replaced(text, old, new)
    problems = problems_of(text)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    assert {"bad_value", "grid_misfit", "unknown_reference", "personal_data", "unpriced"} <= {p.code for p in problems}


def test_a_file_that_is_not_there() -> None:
    problems = load_file("no/such/portfolio.yaml")
    assert isinstance(problems, list)
    assert str(problems[0]).startswith("no/such/portfolio.yaml: the file cannot be read")


LOADED = plan(load_text(BASE), []).reference_records()  # type: ignore[arg-type]

AGAINST_WHAT_IS_IN_FORCE: list[tuple[str, str, str, str, str]] = [
    ("missing", "  A-2: { party_id: P-2, billing_from: 2026-01-01 }\n", "", "accounts.A-2", "`A-2:` with `ended:"),
    ("missing", "  - { account: A-2, supply_point: SP-2, from: 2026-02-01, tariff: W }\n", "",
     "tenancies.A-2/SP-2/2026-02-01", "- id: A-2/SP-2/2026-02-01"),
    ("not_in_force", "  A-1: {", "  A-0: { withdrawn: { reason: typing error } }\n  A-1: {", "accounts.A-0", "not in force"),
    ("fixed", "currency: EUR", "currency: GBP", "legal_entities.LE.currency", "EUR is in force, the file says GBP"),
    ("fixed", "interval: 15 ", "interval: 30 ", "supply_points.SP-1.channels.E1.interval", "900 is in force, the file says 1800"),
    ("fixed", "billing_grid: 60", "billing_grid: 30", "supply_points.SP-1.channels.E2.billing_grid", "3600 is in force"),
    ("fixed", "kind: spans, unit: m3", "kind: spans, unit: L", "supply_points.SP-2.channels.W1.unit", "m3 is in force"),
    ("fixed", "Europe/Berlin", "Europe/Paris", "sites.S.time_zone", "report there in Europe/Berlin"),
    ("fixed", "E2: { interval: 30, billing_grid: 60 }\n", "E3: { interval: 30 }\n", "supply_points.SP-1.channels.E2", "no longer has it"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "old", "new", "path", "says"), AGAINST_WHAT_IS_IN_FORCE)
def test_a_problem_against_what_is_in_force(code: str, old: str, new: str, path: str, says: str) -> None:
    text = replaced(BASE, old, new).replace(
        "R2: { channel: E2 }", "R2: { channel: E2 }" if "E3:" not in new else "R2: E3"
    )
    if "A-2: {" in old:
        text = text.replace("  - { account: A-2, supply_point: SP-2, from: 2026-02-01, tariff: W }\n", "")
    portfolio = load_text(text)
    assert isinstance(portfolio, Portfolio), portfolio
    found = plan(portfolio, LOADED)
    assert [p for p in found.problems if p.code == code and p.path == path and says in str(p)], found.problems
    with pytest.raises(RuntimeError, match="problems"):
        found.raw_records()
    with pytest.raises(RuntimeError, match="problems"):
        found.reference_records()


def test_the_kinds_of_problem_that_need_a_load_are_in_the_table() -> None:
    assert {case[0] for case in AGAINST_WHAT_IS_IN_FORCE} == NEEDS_A_LOAD
