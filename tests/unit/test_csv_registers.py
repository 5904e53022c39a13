"""Register CSV: the labelled Modbus samples, resolutions, events, order."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv_registers import RegisterOptions, read_csv_registers
from connectors.dead_letter import Problem
from tests.shared_data import shared

OPTIONS: dict[str, Any] = {"import_id": "import-1", "version": 7, "unit": "kWh"}
HEADER = "device,register,at,total,unit,quality,version,event\n"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parts(source: Any, budget: int = 10_000, **options: Any) -> tuple[list[dict[str, Any]], list[Problem]]:
    if isinstance(source, str):
        source = io.StringIO(source)
    found = list(read_csv_registers(source, RegisterOptions(**options), budget=budget))
    return [item for item in found if not isinstance(item, Problem)], [
        item for item in found if isinstance(item, Problem)
    ]


def test_a_line_as_a_record() -> None:
    records, problems = parts(HEADER + "m1,T1,2025-03-01T00:00Z,00123.40,KWH,CALCULATED,3,Reset\n", **OPTIONS)
    assert not problems
    assert records == [
        {
            "v": 1,
            "type": "register",
            "device": "m1",
            "register": "T1",
            "at_ms": 1_740_787_200_000,
            "unit": "kWh",
            "count": 12340,
            "decimals": 2,
            "quality": "CALCULATED",
            "version": 3,
            "event": "reset",
            "source": {"file": "<stream>", "line": 2, "import": "import-1"},
        }
    ]


SAMPLES: dict[str, Any] = {"columns": {"device": "case", "at": "ts_utc", "total": "register_value"}, "register": "T"}


@pytest.mark.parametrize("resolution", [None, 3])
def test_the_labelled_samples(resolution: int | None) -> None:
    path = shared("data/modbus_registers/register_reads_labelled.csv")
    records, problems = parts(path, **OPTIONS, **SAMPLES, resolution_decimals=resolution)
    with path.open() as stream:
        rows = dict(enumerate(csv.DictReader(stream), 2))
    assert len(records) + len(problems) == len(rows)

    # The float garbage does not fit a register: a dead letter each, with its line and its reason.
    assert {rows[problem.line]["register_value"] for problem in problems} == {"1.832278249396618e21"}
    assert {problem.reason for problem in problems} == {"out_of_range"}
    assert all(rows[problem.line]["label"] == "bad" for problem in problems)
    assert str(problems[0]).startswith(
        f"{path.name}, line 4, column register_value: '1.832278249396618e21' is out of range"
    )

    for record in records:
        row = rows[record["source"]["line"]]
        total = Decimal(row["register_value"])
        if resolution is not None:
            total = total.quantize(Decimal("0.001"), rounding=ROUND_HALF_EVEN)
        assert Decimal(record["count"]).scaleb(-record["decimals"]) == total
        assert record["decimals"] == (-total.as_tuple().exponent if resolution is None else resolution)  # type: ignore[operator]
        assert record["device"] == row["case"]
        assert EPOCH + timedelta(milliseconds=record["at_ms"]) == datetime.fromisoformat(row["ts_utc"])
    # Negative totals are read as they are: the fold judges them.
    assert (
        sum(record["count"] < 0 for record in records)
        == sum(row["register_value"].startswith("-") for row in rows.values())
        > 0
    )


@pytest.mark.parametrize(
    ("reason", "line", "says"),
    [
        ("not_a_number", "m,T,2025-03-01T00:00Z,nan,kWh,,,", "column total: 'nan' is not a number."),
        ("not_a_number", "m,T,2025-03-01T00:00Z,,kWh,,,", "column total: The number is missing."),
        ("out_of_range", "m,T,2025-03-01T00:00Z,1e19,kWh,,,", "does not fit 64 bits"),
        ("missing_read", "m,T,2025-03-01T00:00Z,,kWh,MISSING,,", "it says nothing"),
        ("unknown_event", "m,T,2025-03-01T00:00Z,1,kWh,,,rollover", "column event: 'rollover' is not an event."),
        ("not_a_stamp", "m,T,soon,1,kWh,,,", "column at"),
    ],
)
def test_a_bad_line_is_a_problem_and_the_others_are_kept(reason: str, line: str, says: str) -> None:
    good = "m,T,2025-03-0{}T00:00Z,1,kWh,,,\n"
    records, problems = parts(HEADER + good.format(1) + line + "\n" + good.format(2), **OPTIONS)
    assert [record["source"]["line"] for record in records] == [2, 4]
    assert [(p.line, p.reason, p.refuses_file) for p in problems] == [(3, reason, False)]
    assert says in str(problems[0])


def test_the_repeated_hour_of_hourly_reads() -> None:
    stamps = ["00:00", "01:00", "01:00", "02:00"]
    text = "at,total\n" + "".join(f"2025-10-26 {stamp},{n}\n" for n, stamp in enumerate(stamps))
    records, problems = parts(text, **OPTIONS, device="m", register="T", time_zone="Europe/London")
    assert not problems
    assert [(record["count"], (record["at_ms"] - records[0]["at_ms"]) // 3_600_000) for record in records] == [
        (0, 0),
        (1, 1),
        (2, 2),
        (3, 3),
    ]


@pytest.mark.parametrize("decimals", [-1, 19])
def test_an_impossible_resolution_is_refused(decimals: int) -> None:
    records, problems = parts("at,total\n", **OPTIONS, device="m", register="T", resolution_decimals=decimals)
    assert not records and problems[0].refuses_file and "is impossible" in str(problems[0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(-50, 10**9))),
    st.sampled_from([17, 100, 10_000]),
)
def test_any_order_of_lines_comes_out_in_time_order_with_nothing_lost(
    lines: list[tuple[str, int, int]], budget: int
) -> None:
    text = "device,at,total\n" + "".join(
        f"{d},{EPOCH + timedelta(seconds=at):%Y-%m-%dT%H:%M:%SZ},{n}\n" for d, at, n in lines
    )
    records, problems = parts(text, budget=budget, **OPTIONS, register="T")
    assert not problems
    got = [(r["at_ms"], r["device"], r["source"]["line"], r["count"]) for r in records]
    assert got == sorted((at * 1000, device, line, n) for line, (device, at, n) in enumerate(lines, 2))
