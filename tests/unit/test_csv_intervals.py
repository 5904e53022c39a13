"""Interval CSV: the real household exactly, strangers' columns, bad lines named, good lines kept."""

import csv
import gzip
import io
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.csv_intervals import IntervalOptions, read_csv_intervals
from connectors.dead_letter import Problem
from tests.shared_data import shared

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPTIONS: dict[str, Any] = {"import_id": "import-1", "version": 7}
STRANGER = OPTIONS | {
    "columns": {"quantity": "value"},
    "device": "m",
    "register": "E",
    "unit": "kWh",
    "interval": "30",
    "time_zone": "UTC",
}
HEADER = "device,register,start,end,quantity,unit,quality,version\n"


def parts(source: Any, budget: int = 10_000, **options: Any) -> tuple[list[dict[str, Any]], list[Problem]]:
    if isinstance(source, str):
        source = io.StringIO(source)
    found = list(read_csv_intervals(source, IntervalOptions(**options), budget=budget))
    return [item for item in found if not isinstance(item, Problem)], [
        item for item in found if isinstance(item, Problem)
    ]


def elements(records: list[dict[str, Any]]) -> list[tuple[int, int | None, int]]:
    """(start_ms, quantity_nano, line) of every interval."""
    out = []
    for record in records:
        values = record.get("quantities_nano", [record.get("quantity_nano")])
        step = record["interval_s"] * 1000 if len(values) > 1 else 0
        out += [(record["start_ms"] + i * step, value, record["source"]["line"] + i) for i, value in enumerate(values)]
    return out


def ms(stamp: str) -> int:
    return (datetime.fromisoformat(stamp).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


# ---- the real household ----

HOUSEHOLD = "data/uk_half_hourly/uk-electricity-hdd-only-hourly-sample-1.csv.gz"


def test_the_household_comes_out_exactly() -> None:
    path = shared(HOUSEHOLD)
    records, problems = parts(path, **STRANGER)
    assert not problems
    with gzip.open(path, "rt") as stream:
        expected = [
            (ms(row["start"]), Decimal(row["value"]), line) for line, row in enumerate(csv.DictReader(stream), 2)
        ]
    got = elements(records)
    assert len(got) == len(expected) == 22536
    assert sorted((start, Decimal(nano or 0).scaleb(-9), line) for start, nano, line in got) == sorted(expected)
    assert sum(n - 1 for n in Counter(start for start, _, _ in got).values()) == 15
    assert [record["start_ms"] for record in records] == sorted(record["start_ms"] for record in records)
    assert len(records) < 22536 / 40, "lines that follow each other share a record"
    assert records[0]["source"] == {"file": path.name, "line": 2, "import": "import-1"}


def test_a_record_is_never_two_of_the_same_start() -> None:
    for record in parts(shared(HOUSEHOLD), **STRANGER)[0]:
        starts = [start for start, _, _ in elements([record])]
        assert len(set(starts)) == len(starts)
        assert len({start // 86_400_000 for start in starts}) == 1, "a window stays within a UTC day"


def test_the_household_read_in_local_time_says_what_does_not_fit() -> None:
    records, problems = parts(shared(HOUSEHOLD), **STRANGER | {"time_zone": "Europe/London"})
    assert Counter(problem.reason for problem in problems) == {"ambiguous_stamp": 4, "no_such_local_time": 2}
    assert len(elements(records)) == 22536 - 6


# ---- the format ----


def test_a_line_as_a_record() -> None:
    records, problems = parts(HEADER + "m1,E1,2025-03-01T00:00Z,2025-03-01T00:30Z,1.25,KWH,estimated,3\n", **OPTIONS)
    assert not problems
    assert records == [
        {
            "v": 1,
            "type": "interval",
            "device": "m1",
            "register": "E1",
            "unit": "kWh",
            "start_ms": ms("2025-03-01"),
            "interval_s": 1800,
            "quantity_nano": 1_250_000_000,
            "quality": "ESTIMATED",
            "version": 3,
            "source": {"file": "<stream>", "line": 2, "import": "import-1"},
        }
    ]


def test_lines_that_follow_each_other_share_a_window() -> None:
    lines = [f"2025-03-01T{h:02}:00Z,{h}" for h in (0, 1, 2, 4, 5, 5)]
    records, _ = parts("start,quantity\n" + "\n".join(lines), **STRANGER | {"columns": {}, "interval": "60"})
    assert [(r["type"], r["source"]["line"], r.get("quantities_nano", r.get("quantity_nano"))) for r in records] == [
        ("window", 2, [0, 10**9, 2 * 10**9]),
        ("window", 5, [4 * 10**9, 5 * 10**9]),
        ("interval", 7, 5 * 10**9),
    ]


def test_a_blank_line_a_new_day_and_another_quality_begin_a_record() -> None:
    lines = [
        "2025-03-01T22:00Z,1,",
        "2025-03-01T23:00Z,1,",
        "2025-03-02T00:00Z,1,",
        "",
        "2025-03-02T01:00Z,1,",
        "2025-03-02T02:00Z,1,ESTIMATED",
    ]
    records, _ = parts("start,quantity,quality\n" + "\n".join(lines), **STRANGER | {"columns": {}, "interval": "60"})
    assert [r["source"]["line"] for r in records] == [2, 4, 6, 7]


def test_defaults_stand_for_empty_cells_and_names_have_no_case() -> None:
    text = "DEVICE,Register,Start,quantity,UNIT\n,,2025-03-01T00:00Z,1,\nx,B1,2025-03-01T00:00Z,1,wh\n"
    records, problems = parts(text, **STRANGER | {"columns": {}})
    assert not problems
    assert [(r["device"], r["register"], r["unit"], r["quality"], r["version"]) for r in records] == [
        ("m", "E", "kWh", "ACTUAL", 7),
        ("x", "B1", "Wh", "ACTUAL", 7),
    ]


def test_missing_is_a_null_quantity() -> None:
    records, problems = parts(
        "start,quantity,quality\n2025-03-01,,MISSING\n2025-03-02,0,MISSING\n2025-03-03,,\n",
        **STRANGER | {"columns": {}},
    )
    assert [r["quantity_nano"] for r in records] == [None]
    assert [(p.line, p.reason) for p in problems] == [(3, "missing_with_value"), (4, "missing_value")]


def test_days_of_23_and_25_hours() -> None:
    text = "start,end,quantity\n2025-03-30,2025-03-31,1\n2025-10-26,2025-10-27,1\n2025-05-01,2025-05-03,1\n"
    records, problems = parts(text, **STRANGER | {"columns": {}, "interval": "LOCAL_DAY", "time_zone": "Europe/London"})
    assert [(r["interval_s"], r["source"]["line"]) for r in records] == [("LOCAL_DAY", 2), ("LOCAL_DAY", 3)], problems
    assert [p.line for p in problems] == [4]


def test_the_end_gives_the_length_through_a_clock_change() -> None:
    stamps = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00", "02:30"]
    lines = [f"2025-10-26 {start},2025-10-26 {end},1" for start, end in pairwise(stamps)]
    text = "start,end,quantity\n" + "\n".join(lines)
    records, problems = parts(text, **STRANGER | {"columns": {}, "interval": "", "time_zone": "Europe/London"})
    assert not problems
    assert [start for start, _, _ in elements(records)] == [ms("2025-10-25T23:30") + i * 1_800_000 for i in range(6)]
    assert {r["interval_s"] for r in records} == {1800}


def test_the_last_line_without_a_line_end_and_a_byte_order_mark() -> None:
    content = "\ufeffstart,value\r\n2025-03-01T00:00Z,1\r\n2025-03-01T00:30Z,2".encode()
    records, problems = parts(io.BytesIO(content), **STRANGER)
    assert not problems and records[0]["quantities_nano"] == [10**9, 2 * 10**9]


def test_the_files_of_a_zip_stay_apart() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", "start,value\n2025-03-01T00:00Z,1\n")
        archive.writestr("b.csv", "value,start\n\n2,2025-03-01T00:30Z\n")
    stream.seek(0)
    records, problems = parts(stream, **STRANGER)
    assert not problems
    assert [(r["source"]["file"], r["source"]["line"], r["quantity_nano"]) for r in records] == [
        ("<stream>/a.csv", 2, 10**9),
        ("<stream>/b.csv", 3, 2 * 10**9),
    ]


def test_the_same_word_in_another_column_is_another_thing() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.csv", "device,start,value\nx,2025-03-01T00:00Z,1\n")
        archive.writestr("b.csv", "register,start,value\nx,2025-03-01T00:30Z,2\n")
    stream.seek(0)
    assert [(r["device"], r["register"]) for r in parts(stream, **STRANGER)[0]] == [("x", "E"), ("m", "x")]


def test_other_delimiters_and_quotes() -> None:
    records, problems = parts('start;value;note\n"2025-03-01T00:00Z";1.5;"a; b"\n', **STRANGER | {"delimiter": ";"})
    assert not problems and records[0]["quantity_nano"] == 1_500_000_000


# ---- what is wrong is said, what is right is kept ----

BAD_LINES = [
    ("not_a_number", "m,E,2025-03-01T00:00Z,,1;5,kWh,,", "column quantity: '1;5' is not a number."),
    ("missing_value", "m,E,2025-03-01T00:00Z,,,kWh,,", "column quantity: The quantity is empty."),
    ("too_fine", "m,E,2025-03-01T00:00Z,,1.0000000001,kWh,,", "more than 9 decimals"),
    ("out_of_range", "m,E,2025-03-01T00:00Z,,1e9,kWh,,", "out of range"),
    ("cell_count", "m,E,2025-03-01T00:00Z,,1,5,kWh,,", "The line has 9 cells, the header 8."),
    ("cell_count", "m,E,2025-03-01T00:00Z", "The line has 3 cells, the header 8."),
    ("bad_quotes", 'm,"E,2025-03-01T00:00Z,,1,kWh,,', "quotes of the line do not match"),
    ("not_a_stamp", "m,E,1 March,,1,kWh,,", "column start: '1 March' is not a date and time."),
    ("no_time_zone", "m,E,2025-03-01 00:00,,1,kWh,,", "column start: '2025-03-01 00:00' has no UTC offset."),
    ("missing_value", ",E,2025-03-01T00:00Z,,1,kWh,,", "column device: There is no device."),
    ("unknown_quality", "m,E,2025-03-01T00:00Z,,1,kWh,GOOD,", "column quality: 'GOOD' is not a quality."),
    ("not_a_version", "m,E,2025-03-01T00:00Z,,1,kWh,,9223372036854775808", "column version"),
    ("bad_interval", "m,E,2025-03-01T00:00Z,2025-03-01T02:00Z,1,kWh,,", "From start to end are 7200 seconds."),
    ("bad_interval", "m,E,2025-03-01T00:00Z,2025-03-01T00:00Z,1,kWh,,", "From start to end are 0 seconds."),
]


@pytest.mark.parametrize(("reason", "line", "says"), BAD_LINES)
def test_a_bad_line_is_a_problem_and_the_others_are_kept(reason: str, line: str, says: str) -> None:
    good = "m,E,2025-03-0{}T00:00Z,,1,kWh,,\n"
    records, problems = parts(HEADER + good.format(1) + line + "\n" + good.format(2), **OPTIONS, interval="30")
    assert len(elements(records)) == 2
    (problem,) = problems
    assert (problem.line, problem.reason, problem.refuses_file) == (3, reason, False)
    assert str(problem).startswith("<stream>, line 3") and says in str(problem) and problem.remedy
    assert problem.as_dead_letter("import-1")["payload"]


def test_a_line_that_is_not_text_is_a_problem_of_its_own() -> None:
    content = b"start,value\n2025-03-01T00:00Z,1\n2025-03-01T00:30Z,\xff\n2025-03-01T01:00Z,3\n"
    records, problems = parts(io.BytesIO(content), **STRANGER)
    assert [line for _, _, line in elements(records)] == [2, 4]
    assert [(p.line, p.reason) for p in problems] == [(3, "not_utf8")]


def test_an_overlong_line_is_a_problem_of_its_own() -> None:
    content = b"start,value\n2025-03-01T00:00Z,1\n" + b"x" * 700_000 + b"\n2025-03-01T01:00Z,3\n"
    records, problems = parts(io.BytesIO(content), **STRANGER)
    assert [line for _, _, line in elements(records)] == [2, 4]
    assert [(p.line, p.reason) for p in problems] == [(3, "line_too_long")]


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", {}, "line 1: The file is empty"),
        (
            "2025-03-01T00:00Z,1\n",
            {"columns": {}},
            "The header lacks start, quantity. The header has: 2025-03-01T00:00Z, 1.",
        ),
        ("start,value\n", {"columns": {}}, "The header lacks quantity. The header has: start, value."),
        ("start,value\n", {"device": "", "interval": ""}, "The header lacks end or interval_minutes, device."),
        ("start,value\n", {"device": "", "interval": ""}, "as in --interval 30 --device METER-1."),
        ("start,value\n", {"columns": {}}, "as in --map quantity=THEIR_HEADER."),
        ("start,value\n", {"columns": {"quantity": "kwh"}}, "'kwh', mapped to 'quantity', is not in the header."),
        ("start,value\n", {"columns": {"amount": "value"}}, "There is no column 'amount' to map."),
        ("start,value,VALUE\n", {}, "The column 'value' is in the header twice."),
        (
            "start,value\n2025-03-01 00:00,1\n2025-03-01 00:30,1\n",
            {"time_zone": ""},
            "line 2, column start: '2025-03-01 00:00' has no UTC",
        ),
        ("start,value\n", {"time_zone": "Mars"}, "the import's options: 'Mars' is not a time zone."),
        ("start,value\n2025-03-01 00:00,1\n", {"time_zone": ""}, "as in --time-zone Europe/Berlin."),
        ("start,value\n", {"interval": "61"}, "state it as in --interval 30"),
        ("start,value\n", {"interval": "61"}, "the import's options: '61' is not an interval length."),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_problem(text: str, options: dict[str, Any], says: str) -> None:
    records, problems = parts(text, **STRANGER | options)
    assert not records
    assert len(problems) == 1 and problems[0].refuses_file
    assert says in str(problems[0])


def test_a_gzip_file_that_breaks_off_is_refused_whole() -> None:
    lines = [f"{datetime(2025, 1, 1) + timedelta(minutes=30 * n)}Z,{n}" for n in range(5000)]
    whole = gzip.compress("\n".join(["start,value", *lines]).encode())
    assert len(elements(parts(io.BytesIO(whole), **STRANGER)[0])) == 5000
    records, problems = parts(io.BytesIO(whole[: len(whole) // 2]), **STRANGER)
    assert not records and problems[-1].refuses_file and "cannot be read" in str(problems[-1])


# ---- sorting ----


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_of_lines_comes_out_in_time_order_with_nothing_lost(data: st.DataObject) -> None:
    starts = st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 60), st.integers(0, 999))
    lines = data.draw(st.lists(starts, max_size=60))
    if data.draw(st.booleans()):
        lines.sort()
    text = "device,start,quantity\n" + "".join(
        f"{d},{EPOCH + timedelta(minutes=30 * slot):%Y-%m-%dT%H:%MZ},{q}\n" for d, slot, q in lines
    )
    options = STRANGER | {"columns": {}, "device": ""}
    records, problems = parts(text, budget=data.draw(st.sampled_from([17, 100, 10_000])), **options)
    assert not problems
    keys = [(r["start_ms"], r["device"], r["register"], r["source"]["line"]) for r in records]
    assert keys == sorted(keys)
    got = sorted((line, start, nano) for start, nano, line in elements(records))
    assert got == [(line, slot * 1_800_000, q * 10**9) for line, (_, slot, q) in enumerate(lines, 2)]


def test_sorting_spills_to_disk_and_loses_nothing(tmp_path: Path) -> None:
    lines = [f"2025-01-01T00:{n % 60:02}:{n // 60 % 60:02}Z,{n}" for n in range(3000)]
    path = tmp_path / "shuffled.csv"
    path.write_text("start,value\n" + "\n".join(lines))
    records, problems = parts(path, budget=1_000, **STRANGER | {"interval": "1"})
    assert not problems
    assert sorted(nano or 0 for _, nano, _ in elements(records)) == [n * 10**9 for n in range(3000)]
    assert [r["start_ms"] for r in records] == sorted(r["start_ms"] for r in records)
