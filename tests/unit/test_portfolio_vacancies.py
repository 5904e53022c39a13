"""Days without a tenancy: found, checked against who pays for them, and named when they move."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterfold.portfolio import Plan, Portfolio, load_text, plan
from meterfold.portfolio.touches import Touch
from meterfold.portfolio.vacancies import gaps

FILE = """
legal_entities: { LL: { name: Landlord Ltd, currency: GBP } }
sites: { SITE: { time_zone: Europe/London, calendar_from_year: 2025 } }
supply_points:
  FLAT:
    channels: { E1: { interval: 30 } }
    vacant: { account: HOUSE, tariff: EMPTY }
accounts:
  A-1: { party_id: P-1, billing_from: 2026-03-01 }
  HOUSE: { party_id: P-0, billing_from: 2026-03-01 }
tenancies: [{ id: T-1, account: A-1, supply_point: FLAT, from: 2026-03-01, to: 2026-04-21, tariff: EMPTY }]
tariffs:
  EMPTY: { versions: { effective_from: 2026-01-01, energy: { E1: 0.20 } } }
"""


def edited(old: str, new: str) -> str:
    assert FILE.count(old) == 1
    return FILE.replace(old, new)


def planned(text: str, was: Plan | None = None) -> Plan:
    portfolio = load_text(text)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return plan(portfolio, was.reference_records() if was else [])


DAYS = st.integers(0, 30).map(lambda day: date.fromordinal(736_000 + day))
SPANS = st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=6)


@given(SPANS, st.none() | DAYS)
def test_a_day_is_vacant_if_no_tenancy_covers_it(spans: list[tuple[date, date | None]], since: date | None) -> None:
    found = gaps(spans, since)
    firsts = [start for start, end in spans if end is None or start < end]
    for number in range(40):
        day = date.fromordinal(736_000 + number)
        begun = day >= since if since else bool(firsts) and day >= min(firsts)
        is_vacant = begun and not any(start <= day and (end is None or day < end) for start, end in spans)
        assert sum(start <= day and (end is None or day < end) for start, end in found) == is_vacant


def test_whom_it_is_charged_to_stands_in_the_supply_point() -> None:
    record = next(item for item in planned(FILE).reference_records() if item["kind"] == "supply_point")
    assert record["body"]["vacant"] == {"account": "HOUSE", "tariff": "EMPTY", "from": None}
    ended = edited("    channels:", "    ended: { at: 2026-06-01, reason: sold }\n    channels:")
    record = next(item for item in planned(ended, planned(FILE)).reference_records())
    assert record["body"]["vacant"]["to"] == "2026-06-01", "nobody pays for a supply point that is gone"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("to: 2026-04-21", "to: 2026-04-11", [
            Touch("A-1", date(2026, 4, 11), date(2026, 4, 21), "tenancy T-1"),
            Touch("HOUSE", date(2026, 4, 11), None, "tenancy vacant/FLAT/2026-04-11"),
            Touch("HOUSE", date(2026, 4, 21), None, "tenancy vacant/FLAT/2026-04-21"),
        ]),
        ("EMPTY }\naccounts", "EMPTY, from: 2026-02-01 }\naccounts", []),  # before anybody's billing_from
        ("    vacant: { account: HOUSE, tariff: EMPTY }\n", "", [
            Touch("HOUSE", date(2026, 4, 21), None, "tenancy vacant/FLAT/2026-04-21"),
        ]),
    ],
)  # fmt: skip
def test_a_tenancy_that_changes_moves_the_days(old: str, new: str, expected: list[Touch]) -> None:
    assert list(planned(edited(old, new), planned(FILE)).touches) == expected


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ("HOUSE, tariff: EMPTY }", "NOBODY, tariff: EMPTY }", "unknown_reference", ".account"),
        ("HOUSE, tariff: EMPTY }", "HOUSE, tariff: NONE }", "unknown_reference", ".tariff"),
        ("HOUSE, tariff: EMPTY }", "HOUSE }", "missing_key", ".tariff"),
        ("2026-01-01, energy", "2026-01-01, effective_to: 2026-04-21, energy", "version_gap", ".tariff"),
        ("HOUSE: { party_id", "HOUSE: { ended: { at: 2026-05-01, reason: sold }, party_id", "ended_but_used", ""),
    ],
)
def test_what_is_wrong_with_it_is_said(old: str, new: str, code: str, where: str) -> None:
    found = load_text(edited(old, new))
    assert not isinstance(found, Portfolio)
    assert [(problem.code, problem.path) for problem in found] == [(code, f"supply_points.FLAT.vacant{where}")]
