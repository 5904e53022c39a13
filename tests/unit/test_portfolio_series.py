"""Price series as they are written, in the file or beside it; what is refused; whose bills a restated price touches."""

from pathlib import Path

import pytest

from meterfold.portfolio import Portfolio, load_file, load_text, plan
from tests.unit.test_portfolio_charges import framed

FIRST = "{ start: 2026-01-01T00:00Z, price: 0.1 }"
SECOND = "{ start: 2026-01-01T01:30+01:00, end: 2026-01-01T01:00Z, price: -0.02 }"
SPOT = f"SPOT: {{ step: 30, prices: [{FIRST}, {SECOND}] }}"
TWICE = SPOT.replace("01:30+01:00", "01:00+01:00").replace("T01:00Z", "T00:30Z")
WATER = SPOT.replace("step", "unit: m3, step")
AT_SPOT = "charges: { U: { kind: energy, channel: E1, series: SPOT, times: 1.05, plus: 0.01 } }"


def written(series: str, terms: str = AT_SPOT) -> str:
    return framed(terms) + f"\nseries: {{ {series} }}\n"


def test_prices_without_a_gap_are_one_span_and_a_charge_is_at_them(tmp_path: Path) -> None:
    rows = ["start,end,price", "2026-01-01T00:30Z,2026-01-01T01:00Z,-0.02", "2026-01-01T00:00Z,2026-01-01T00:30Z,0.100"]
    (tmp_path / "spot.csv").write_text("\n".join([*rows, "2026-01-02T00:00Z,2026-01-02T00:30Z,1"]))
    (tmp_path / "portfolio.yaml").write_text(written("SPOT: { step: 30, file: spot.csv }"))
    found = load_file(tmp_path / "portfolio.yaml")
    assert isinstance(found, Portfolio), [str(problem) for problem in found]
    bodies = {record["kind"]: record["body"] for record in plan(found, []).reference_records()}
    first = 1_767_225_600_000
    assert bodies["series"] == {
        "unit": "kWh", "currency": "GBP", "step_s": 1800,
        "spans": [{"from_ms": first, "prices": "0.1 -0.02"}, {"from_ms": first + 86_400_000, "prices": "1"}],
    }  # fmt: skip
    assert bodies["tariff"]["versions"][0]["charges"] == [
        {
            "name": "U", "kind": "energy", "quantity": {"channel": "E1", "unit": "kWh", "share": "1"}, "series": "SPOT", "times": "1.05",
            "plus": "0.01",
        },
    ]  # fmt: skip


MISTAKES = [
    ("missing_key", "SPOT: { step: 30 }", AT_SPOT, "SPOT", "neither `prices` nor `file`"),
    ("bad_value", SPOT.replace("30,", "40,", 1), AT_SPOT, "step", "15, 30 or 60"),
    ("bad_value", SPOT.replace("00:00Z", "00:00"), AT_SPOT, "start", "does not say its offset"),
    ("bad_value", SPOT.replace("T01:00Z", "T02:00Z"), AT_SPOT, "prices.1", "is not for 30 minutes"),
    ("version_overlap", TWICE, AT_SPOT, "prices.1", "has a price already"),
    ("bad_value", "SPOT: { step: 30, file: nowhere.csv }", AT_SPOT, "file", "no file that the path"),
    ("unknown_reference", SPOT, AT_SPOT.replace("SPOT", "SPOOT"), "charges.U.series", "did you mean SPOT"),
    ("unit_not_convertible", SPOT, AT_SPOT.replace("times", "unit: MWh, times"), "charges.U.unit", "per kWh"),
    ("bad_value", SPOT, AT_SPOT.replace("times: 1.05", "steps: { over: 2 }"), "charges.U.steps", "sum of a period"),
    ("unknown_key", SPOT, AT_SPOT.replace("times: 1.05", "bands: []"), "charges.U.bands", "means nothing here"),
    ("needs_intervals", WATER, AT_SPOT.replace("E1", "W1"), "charges.U.series", "30 minutes"),
    ("needs_intervals", "SPOT: { step: 5, prices: [] }", AT_SPOT, "charges.U.series", "5 minutes are a multiple"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "series", "terms", "place", "says"), MISTAKES)
def test_a_mistake_is_named_with_its_place(code: str, series: str, terms: str, place: str, says: str) -> None:
    found = load_text(written(series, terms))
    assert not isinstance(found, Portfolio)
    assert {problem.code for problem in found} == {code}, [str(problem) for problem in found]
    assert any(place in problem.path and says in str(problem) for problem in found), [str(problem) for problem in found]


def test_a_file_is_told_off_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "spot.csv").write_text(
        "start,price\n2026-01-01T00:00Z,0,1\n2026-01-01T00:30Z,free\n2026-01-01T01:00,1\n"
    )
    found = load_text(written("SPOT: { step: 30, file: spot.csv }"), tmp_path)
    assert not isinstance(found, Portfolio)
    assert [f"spot.csv line {line}" in str(problem) for line, problem in zip((2, 3, 4), found, strict=True)] == [
        True
    ] * 3


def test_a_restated_price_touches_its_day() -> None:
    was = load_text(written(SPOT))
    now = load_text(written(SPOT.replace("-0.02", "0.02")))
    assert isinstance(was, Portfolio) and isinstance(now, Portfolio)
    (touch,) = plan(now, plan(was, []).reference_records()).touches
    assert (touch.why, str(touch.from_date), str(touch.to_date)) == ("series SPOT", "2026-01-01", "2026-01-03")
