"""NEM12: every day of the reference files exactly, every broken file refused with words that help, nothing half-loaded."""

import gzip
import io
import json
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.dead_letter import Problem
from connectors.nem12 import check_nem12, read_nem12
from tests.shared_data import shared

QUALITY = {"A": "ACTUAL", "S": "SUBSTITUTED", "F": "SUBSTITUTED", "E": "ESTIMATED", "N": "MISSING"}
WORST_FIRST = ["MISSING", "ESTIMATED", "SUBSTITUTED", "CALCULATED", "ACTUAL"]
UNIT = {
    "KWH": "kWh",
    "kWh": "kWh",
    "KVARH": "kvarh",
    "kVArh": "kvarh",
    "kvarh": "kvarh",
    "Wh": "Wh",
    "VArh": "varh",
    "": "unspecified",
}
NEM = timezone(timedelta(hours=10))


def nem_ms(stamp: str) -> int:
    """yyyymmdd[HHMM[SS]] on the market's clock, as ms."""
    layout = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}[len(stamp)]
    return (datetime.strptime(stamp, layout).replace(tzinfo=NEM) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        milliseconds=1
    )


def records(source: Any, **options: Any) -> list[dict[str, Any]]:
    found = list(read_nem12(source, "import-1", **options))
    assert not [str(item) for item in found if isinstance(item, Problem)]
    return [item for item in found if not isinstance(item, Problem)]


def parts(source: Any, **options: Any) -> tuple[list[dict[str, Any]], list[Problem]]:
    found = list(read_nem12(source, "import-1", **options))
    return [item for item in found if not isinstance(item, Problem)], [
        item for item in found if isinstance(item, Problem)
    ]


def the_text(path: Path) -> str:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0]).decode()
    return path.read_text()


# ---- the reference files ----


def expected_days() -> Iterator[tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]]:
    for channel in json.loads(shared("data/nem12/expected.json").read_text()):
        device = f"{channel['nmi']}/{channel['serial']}" if channel["serial"] else channel["nmi"]
        for day in channel["days"]:
            yield (
                (channel["file"], device, channel["suffix"], channel["interval_min"], nem_ms(day["date"])),
                channel,
                day,
            )


def test_every_expected_day_comes_out_exactly() -> None:
    got: dict[tuple[Any, ...], dict[str, Any]] = {}
    for path in sorted(shared("data/nem12").iterdir()):
        if path.suffix in (".csv", ".zip"):
            for record in records(path):
                key = path.name, record["device"], record["register"], record["interval_s"] // 60, record["start_ms"]
                assert key not in got
                got[key] = record
    compared = 0
    for key, channel, day in expected_days():
        check_day(got.pop(key), channel, day, the_text(shared("data/nem12") / channel["file"]).splitlines())
        compared += 1
    assert not got, "days that nobody expects"
    assert compared == 249


def check_day(record: dict[str, Any], channel: dict[str, Any], day: dict[str, Any], lines: list[str]) -> None:
    values = record["quantities_nano"]
    assert len(values) == day["n"] == 1440 // channel["interval_min"]
    assert Decimal(sum(values)).scaleb(-9) == Decimal(day["sum"])
    assert record["unit"] == UNIT[channel["uom"]]
    assert record["version"] == nem_ms(day["update_dt"] or lines[0].split(",")[2])
    if day["quality"] == "V":
        assert "method" not in record
        assert [as_event(span) for span in record["ranges"]] == [as_expected(event) for event in day["events"]]
        assert record["quality"] == min((span["quality"] for span in record["ranges"]), key=WORST_FIRST.index)
    else:
        assert not day["events"] and "ranges" not in record
        assert record["quality"] == QUALITY[day["quality"][0]]
        assert record.get("method", "A") == day["quality"]
        assert record.get("reason", "") == day["reason"]
    source = record["source"]
    assert source["import"] == "import-1" and source["file"].startswith(channel["file"])
    assert lines[source["line"] - 1].startswith(f"300,{day['date']},")


def as_event(span: dict[str, Any]) -> tuple[Any, ...]:
    return span["first"] + 1, span["last"] + 1, span["quality"], span.get("method", "A"), span.get("reason", "")


def as_expected(event: dict[str, Any]) -> tuple[Any, ...]:
    return event["start"], event["end"], QUALITY[event["quality"][0]], event["quality"], event["reason"]


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        (
            "Example_NEM12_15min_200_30min_300.csv",
            3,
            r"has 48 values, but the 200 record on line 2 says 15-minute .* 96 a day",
        ),
        ("Example_NEM12_15min_200_30min_400.csv", 3, r"400 records cover only intervals 1 to 48 of 96"),
        (
            "Example_NEM12_30min_200_15min_300.csv",
            3,
            r"has 96 values, but the 200 record on line 2 says 30-minute .* 48 a day",
        ),
        (
            "Example_NEM12_30min_200_15min_400.csv",
            3,
            r"has 96 values, but the 200 record on line 2 says 30-minute .* 48 a day",
        ),
        ("Example_NEM12_empty.csv", 2, r"there is no reading in it"),
        ("Example_NEM12_incomplete_interval.csv", 3, r"has 0 values, but .* 48 a day"),
        ("Example_NEM12_missing_header.csv", 2, r"begins with a 200 record; its header, 100,NEM12,… .* is missing"),
        ("Example_NEM12_powercor.csv", 2, r"begins with a 200 record; its header, 100,NEM12,… .* is missing"),
        (
            "Example_NEM12_powercor_missing_fields.csv",
            2,
            r"begins with a 200 record; its header, 100,NEM12,… .* is missing",
        ),
        ("Example_empty_file.csv", 1, r"The file is empty"),
    ],
)
def test_each_invalid_file_is_refused_whole(name: str, line: int, says: str) -> None:
    path = shared("data/nem12/invalid") / name
    loaded, problems = parts(path)
    assert not loaded
    assert [problem.line for problem in problems] == [line]
    message = str(problems[0])
    assert message.startswith(f"{name}, line {line}: ")
    assert re.search(says, message) and problems[0].remedy and "Ask the sender" in message
    assert check_nem12(path) == problems


def test_no_invalid_file_was_forgotten() -> None:
    assert len(list(shared("data/nem12/invalid").iterdir())) == 10


def test_register_files_are_told_apart() -> None:
    loaded, problems = parts(shared("data/nem13/Example_NEM13_consumption_data.csv"))
    assert not loaded
    assert "This is a NEM13 file" in str(problems[0])


def test_a_file_cut_anywhere_is_refused() -> None:
    path = shared("data/nem12/Example_NEM12_multiple_quality.csv")
    whole = path.read_bytes()
    assert parts(io.BytesIO(whole))[0] and parts(io.BytesIO(whole.rstrip()))[0]
    for cut in range(len(whole.rstrip())):
        loaded, problems = parts(io.BytesIO(whole[:cut]))
        assert not loaded and problems, f"cut after {cut} bytes"


# ---- files made here ----

HEADER = "100,NEM12,202503020000,MDP,RET"


def channel(suffix: str = "E1", serial: str = "S1", unit: str = "kWh", minutes: int = 60) -> str:
    return f"200,NMI1,E1B1,1,{suffix},N1,{serial},{unit},{minutes},"


def day(
    date: str = "20250301", quality: str = "A", value: str = "1.5", n: int = 24, tail: str = ",,20250302013000,"
) -> str:
    return f"300,{date},{','.join([value] * n)},{quality},{tail}"


def nem12(*lines: str) -> io.BytesIO:
    return io.BytesIO("\r\n".join((HEADER, *lines, "900", "")).encode())


def test_one_day_as_a_record() -> None:
    (record,) = records(nem12(channel(unit="KWH"), day(quality="F14", tail="32,why,20250302013000,")))
    assert record == {
        "v": 1,
        "type": "day",
        "device": "NMI1/S1",
        "register": "E1",
        "unit": "kWh",
        "start_ms": nem_ms("20250301"),
        "interval_s": 3600,
        "quantities_nano": [1_500_000_000] * 24,
        "quality": "SUBSTITUTED",
        "method": "F14",
        "reason": "32",
        "version": nem_ms("20250302013000"),
        "source": {"file": "<stream>", "line": 3, "import": "import-1"},
    }


def test_a_meter_without_serial_is_its_nmi() -> None:
    assert records(nem12(channel(serial=""), day()))[0]["device"] == "NMI1"


def test_the_market_clock_is_an_option() -> None:
    (east,) = records(nem12(channel(), day()))
    (west,) = records(nem12(channel(), day()), utc_offset_s=8 * 3600)
    assert west["start_ms"] - east["start_ms"] == west["version"] - east["version"] == 2 * 3_600_000


def test_without_update_time_the_version_is_that_of_the_file() -> None:
    assert records(nem12(channel(), day(tail=",,")))[0]["version"] == nem_ms("202503020000")


def test_a_null_day_has_no_quantities() -> None:
    (record,) = records(nem12(channel(), day(quality="N", value="0")))
    assert record["quality"] == "MISSING" and record["quantities_nano"] == [None] * 24


def test_ranges_of_a_mixed_day() -> None:
    (record,) = records(
        nem12(channel(), day(quality="V"), "400,1,10,A,,", "400,11,12,N,,", "400,13,24,E52,,", "500,O,RSO,20250301,1")
    )
    assert record["quantities_nano"] == [1_500_000_000] * 10 + [None] * 2 + [1_500_000_000] * 12
    assert record["quality"] == "ESTIMATED"
    assert record["ranges"] == [
        {"first": 0, "last": 9, "quality": "ACTUAL"},
        {"first": 10, "last": 11, "quality": "MISSING"},
        {"first": 12, "last": 23, "quality": "ESTIMATED", "method": "E52"},
    ]


def test_days_come_in_time_order_whatever_the_file_has() -> None:
    found = records(
        nem12(channel("E1"), day("20250303"), day("20250301"), channel("B1"), day("20250302"), day("20250301"))
    )
    assert [(r["start_ms"], r["register"]) for r in found] == [
        (nem_ms("20250301"), "B1"),
        (nem_ms("20250301"), "E1"),
        (nem_ms("20250302"), "B1"),
        (nem_ms("20250303"), "E1"),
    ]


BAD_PARTS = {
    "value_count": ([channel(), day(n=23)], 3, "has 23 values, but the 200 record on line 2 says 60-minute"),
    "cut_line": ([channel(), "300,20250301,1,2,3"], 3, "has 3 values and no quality: the line is cut off"),
    "not_a_number": ([channel(), day().replace(",1.5,", ",1.5,?,", 1).replace(",1.5", "", 1)], 3, "Value 1 of 24: '?'"),
    "too_fine": ([channel(), day(value="0.0000000001")], 3, "Value 1 of 24: '0.0000000001' has more than 9 decimals"),
    "out_of_range": ([channel(), day(value="1000000000")], 3, "'1000000000' is out of range"),
    "unknown_quality": ([channel(), day(quality="X")], 3, "'X' is not a NEM12 quality"),
    "bad_date": ([channel(), day("20250230")], 3, "'20250230' is not a date"),
    "bad_stamp": ([channel(), day(tail=",,2.02503E+13,")], 3, "saved by a spreadsheet"),
    "bad_interval": ([channel(minutes=7), day()], 2, "interval length is '7'"),
    "no_channel_name": (["200,,E1,1,E1,N1,S1,kWh,60,", day()], 2, "has no NMI."),
    "uncovered_range": ([channel(), day(quality="V")], 3, "no 400 record follows it"),
    "bad_range": (
        [channel(), day(quality="V"), "400,1,4,A,,", "400,4,24,A,,"],
        5,
        "must begin at 5 and the day ends at 24",
    ),
    "range_without_v": ([channel(), day(), "400,1,24,A,,"], 4, "300 record on line 3 is A"),
}


@pytest.mark.parametrize("reason", BAD_PARTS)
def test_a_bad_part_refuses_the_file_unless_the_good_is_kept(reason: str) -> None:
    lines, line, says = BAD_PARTS[reason]
    good = [channel("B1"), day("20250305")]

    loaded, problems = parts(nem12(*lines, *good))
    assert not loaded
    assert (problems[0].reason, problems[0].line) == (reason, line) and says in str(problems[0])

    kept, problems = parts(nem12(*lines, *good), keep_good=True)
    assert [(r["register"], r["start_ms"]) for r in kept] == [("B1", nem_ms("20250305"))]
    assert problems[0].reason == reason and not problems[0].refuses_file
    letter = problems[0].as_dead_letter("import-1")
    assert letter["reason"] == reason and letter["source"] == {"file": "<stream>", "line": line, "import": "import-1"}
    assert letter["payload"] and len(letter["payload"]) <= 240


def test_days_of_a_refused_channel_say_so() -> None:
    problems = parts(nem12(channel(minutes=7), day(), day("20250302")), keep_good=True)[1]
    assert [(p.line, p.reason) for p in problems] == [
        (2, "bad_interval"),
        (3, "channel_refused"),
        (4, "channel_refused"),
    ]
    assert "the 200 record on line 2" in str(problems[1])


BAD_FILES = {
    "empty_file": ("", 1),
    "not_nem12": ("start,value\n2025-01-01,1\n", 1),
    "no_header": (f"{channel()}\n{day()}\n900\n", 1),
    "nem13": ("100,NEM13,202503020000,A,B\n900\n", 1),
    "bad_header": ("100,NEM12,2.02503E+11,A,B\n900\n", 1),
    "two_headers": (f"{HEADER}\n{HEADER}\n", 2),
    "no_channel": (f"{HEADER}\n{day()}\n900\n", 2),
    "no_day": (f"{HEADER}\n{channel()}\n400,1,24,A,,\n900\n", 3),
    "no_days": (f"{HEADER}\n{channel()}\n900\n", 3),
    "unknown_record": (f"{HEADER}\n{channel()}\n{day()}\n310,1\n900\n", 4),
    "no_end": (f"{HEADER}\n{channel()}\n{day()}\n", 3),
    "after_end": (f"{HEADER}\n{channel()}\n{day()}\n900\n\n{HEADER}\n", 6),
    "bad_quotes": (f'{HEADER}\n{channel()}\n{day()}\n500,"\n900\n', 4),
}


@pytest.mark.parametrize("keep_good", [False, True])
@pytest.mark.parametrize("reason", BAD_FILES)
def test_a_file_that_makes_no_sense_is_refused_in_either_mode(reason: str, keep_good: bool) -> None:
    text, line = BAD_FILES[reason]
    loaded, problems = parts(io.BytesIO(text.encode()), keep_good=keep_good)
    assert not loaded
    assert [(p.reason, p.line, p.refuses_file) for p in problems] == [(reason, line, True)]


def test_a_line_that_is_not_text_refuses_the_file() -> None:
    broken = (
        nem12(channel(), day("20250301"), day("20250302"), channel("B\xff"), day())
        .getvalue()
        .replace(b"\xc3\xbf", b"\xff")
    )
    loaded, problems = parts(io.BytesIO(broken), keep_good=True)
    assert not loaded and problems[0].line == 5 and "not UTF-8" in str(problems[0])


# ---- where files come from ----


def test_zip_members_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    path = tmp_path / "delivery.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder")
        archive.writestr("folder/a.V01", nem12(channel(), day("20250302")).getvalue())
        archive.writestr("b", nem12(channel(), day("20250301")).getvalue())
        archive.writestr("__MACOSX/._b", b"\x00\x05\x16\x07")
    found = records(path)
    assert [r["source"]["file"] for r in found] == ["delivery.zip/b", "delivery.zip/folder/a.V01"]
    with path.open("rb") as stream:
        assert records(stream) == found
        assert not stream.closed


def test_one_bad_member_refuses_the_zip(tmp_path: Path) -> None:
    path = tmp_path / "delivery.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.csv", nem12(channel(), day()).getvalue())
        archive.writestr("bad.csv", nem12(channel(), day(n=23)).getvalue())
    loaded, problems = parts(path)
    assert not loaded and str(problems[0]).startswith("delivery.zip/bad.csv, line 3: ")


def test_broken_archives_are_problems(tmp_path: Path) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.csv", nem12(channel(), day()).getvalue())
    damaged = bytearray(whole.getvalue())
    damaged[60] ^= 1  # within the stored data: the checksum no longer agrees
    packed = gzip.compress(nem12(channel(), *[day(value=str(n)) for n in range(200)]).getvalue())
    for content in (bytes(damaged), whole.getvalue()[:100], packed[: len(packed) // 2]):
        loaded, problems = parts(io.BytesIO(content), keep_good=True)
        assert not loaded and problems[-1].refuses_file and "cannot be read" in str(problems[-1])
    loaded, problems = parts(tmp_path / "not-there.csv")
    assert not loaded and "No such file" in str(problems[0])


def test_gzip_and_text_files_are_read(tmp_path: Path) -> None:
    content = nem12(channel(), day()).getvalue()
    (tmp_path / "day.csv.gz").write_bytes(gzip.compress(content))
    (plain,) = records(io.StringIO(content.decode()))
    (packed,) = records(tmp_path / "day.csv.gz")
    assert plain | {"source": None} == packed | {"source": None}


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(days: int) -> int:
        path = tmp_path / f"{days}.csv"
        first = datetime(2020, 1, 1)
        dates = [f"{first + timedelta(days=n):%Y%m%d}" for n in range(days)]
        path.write_bytes(
            nem12(channel(), *(day(date, value=f"{n % 500}.25") for n, date in enumerate(dates))).getvalue()
        )
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_nem12(path, "i", budget=1_000)) == days
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(2000), peak(8000)  # 80 and 320 runs on disk
    assert large < 1.5 * small, (small, large)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_makes_it_fall_over(data: st.DataObject) -> None:
    content = bytearray(
        nem12(channel(), day(), day("20250302", quality="V"), "400,1,12,A,,", "400,13,24,S14,1,").getvalue()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    loaded, problems = parts(io.BytesIO(bytes(content)))
    assert not (loaded and problems)
    kept, problems = parts(io.BytesIO(bytes(content)), keep_good=True)
    assert all(len(r["quantities_nano"]) * r["interval_s"] == 86_400 for r in kept)
    assert kept or problems
