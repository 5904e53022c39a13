"""NEM13: two reads of each 250 record, exactly; a contradiction costs its record alone; a broken file is refused with words that help."""

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.codec import decode_raw, encode
from connectors.dead_letter import Problem
from connectors.nem13 import read_nem13
from tests.shared_data import shared
from tests.unit.test_nem12 import nem_ms

HEADER = "100,NEM13,202503020000,MDP,RET"
PREVIOUS, CURRENT = "20250101093000", "20250401101500"


def parts(source: Any, **options: Any) -> tuple[list[dict[str, Any]], list[Problem]]:
    found = list(read_nem13(source, "import-1", **options))
    first_record = next((i for i, item in enumerate(found) if not isinstance(item, Problem)), len(found))
    assert not any(isinstance(item, Problem) for item in found[first_record:]), "a problem after a record"
    return [item for item in found if not isinstance(item, Problem)], [
        item for item in found if isinstance(item, Problem)
    ]


def accumulation(
    before: str = "00100.5",
    after: str = "00220.0",
    quantity: str = "119.5",
    *,
    nmi: str = "NMI1",
    suffix: str = "11",
    serial: str = "S1",
    direction: str = "E",
    previous: str = f"{PREVIOUS},A,,",
    current: str = f"{CURRENT},A,,",
    unit: str = "KWH",
    tail: str = "20250701,20250402103000,",
) -> str:
    return f"250,{nmi},1141,1,{suffix},11,{serial},{direction},{before},{previous},{after},{current},{quantity},{unit},{tail}"


def nem13(*lines: str) -> io.BytesIO:
    return io.BytesIO("\r\n".join((HEADER, *lines, "900", "")).encode())


def only(line: str) -> Problem:
    records, problems = parts(nem13(line))
    assert not records and len(problems) == 1
    assert problems[0].line == 2 and problems[0].remedy and not problems[0].refuses_file
    return problems[0]


def test_one_accumulation_as_two_records() -> None:
    records, problems = parts(nem13(accumulation(current=f"{CURRENT},E64,12,why"), "550,N,,E,"))
    assert not problems
    common = {
        "v": 1,
        "type": "register",
        "device": "NMI1/S1",
        "register": "11",
        "unit": "kWh",
        "decimals": 1,
        "version": nem_ms("20250402103000"),
        "source": {"file": "<stream>", "line": 2, "import": "import-1"},
    }
    assert records == [
        common | {"at_ms": nem_ms(PREVIOUS), "count": 1005, "quality": "ACTUAL"},
        common | {"at_ms": nem_ms(CURRENT), "count": 2200, "quality": "ESTIMATED", "flags": ["E64", "12"]},
    ]
    for record in records:
        assert decode_raw(encode(record)) == record


def test_without_serial_update_time_or_the_last_fields() -> None:
    records, _ = parts(nem13(accumulation(serial="", tail="").rstrip(",")))
    assert {(r["device"], r["version"]) for r in records} == {("NMI1", nem_ms("202503020000"))}


def test_the_market_clock_is_an_option() -> None:
    (east, _), _ = parts(nem13(accumulation()))
    (west, _), _ = parts(nem13(accumulation()), utc_offset_s=8 * 3600)
    assert west["at_ms"] - east["at_ms"] == west["version"] - east["version"] == 2 * 3_600_000


@pytest.mark.parametrize(
    ("before", "after", "quantity"),
    [
        ("00100", "00220", "120"),
        ("00100", "00100", "0"),
        ("100", "220.50", "120.5"),
        ("99890", "02034", "2144"),  # a turn of five digits
        ("99890", "2034", "2144"),  # leading zeros left out
        ("99990.0", "00010.0", "20.0"),
        ("00100.4", "00220.3", "120"),  # the difference rounded
        ("00100.4", "00220.3", "119"),  # or cut off
        ("000000000000000001", "000000000000000003", "2"),
    ],
)
def test_what_a_quantity_may_be(before: str, after: str, quantity: str) -> None:
    records, problems = parts(nem13(accumulation(before, after, quantity)))
    assert not problems
    assert [(r["count"], r["decimals"]) for r in records] == [
        (int(text.replace(".", "")), len(text.partition(".")[2])) for text in (before, after)
    ]


@pytest.mark.parametrize(
    ("before", "after", "quantity", "reason"),
    [
        ("38841", "39013", "31", "quantity_mismatch"),
        ("00100.4", "00220.3", "121", "quantity_mismatch"),
        ("00100", "00220", "120.1", "quantity_mismatch"),
        ("00100", "00220", "4800", "quantity_mismatch"),  # a current transformer's factor
        ("99890", "02034", "2145", "quantity_mismatch"),
        ("099890", "002034", "2144", "quantity_mismatch"),  # six digits do not turn there
        ("00220", "00100", "120", "negative_quantity"),
        ("00220", "00100", "-120", "negative_quantity"),
        ("00100", "00220", "-120", "negative_quantity"),
        ("00100", "00220", "", "not_a_number"),
        ("00100", "00220", "120,5", "cell_count"),
    ],
)
def test_a_quantity_that_its_reads_do_not_say(before: str, after: str, quantity: str, reason: str) -> None:
    assert only(accumulation(before, after, quantity)).reason == reason


BAD = {
    "cut_line": "250,NMI1,1141,1,11,11,S1,E,00100.0,20250101093000,A",
    "no_channel_name": accumulation(suffix=""),
    "unknown_direction": accumulation(direction="X"),
    "unknown_quality": accumulation(previous=f"{PREVIOUS},V,,"),
    "bad_period": accumulation(previous=f"{CURRENT},A,,"),
    "bad_stamp": accumulation(current="2.02504E+13,A,,"),
    "not_a_number": accumulation(before="1.005E2"),
    "out_of_range": accumulation(before="100000000000000000.123"),
    "bad_quotes": '250,"NMI1,1141',
}


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_record_costs_itself_and_no_other(reason: str) -> None:
    good = accumulation(nmi="OTHER")
    records, problems = parts(nem13(good, BAD[reason], "550,N,,E,", good.replace("OTHER", "THIRD")))
    assert [record["device"] for record in records] == ["OTHER/S1", "THIRD/S1"] * 2
    assert [(p.reason, p.line) for p in problems] == [(reason, 3)]
    assert str(problems[0]).startswith("<stream>, line 3: ")
    letter = problems[0].as_dead_letter("import-1")
    assert decode_raw(encode(letter)) == letter and letter["source"]["line"] == 3


def test_a_read_of_quality_n_is_no_read_and_the_other_is_kept() -> None:
    records, problems = parts(nem13(accumulation(after="", quantity="", current=f"{CURRENT},N,,")))
    assert [record["count"] for record in records] == [1005]
    assert [problem.reason for problem in problems] == ["missing_read"] and "current" in problems[0].message


def test_reads_come_in_time_order_and_both_of_an_instant_are_sent() -> None:
    later = accumulation("00220.0", "00250.0", "30", previous=f"{CURRENT},A,,", current="20250701101500,A,,")
    records, _ = parts(nem13(later, accumulation()), budget=17)
    assert [(r["at_ms"], r["count"], r["source"]["line"]) for r in records] == [
        (nem_ms(PREVIOUS), 1005, 3),
        (nem_ms(CURRENT), 2200, 2),
        (nem_ms(CURRENT), 2200, 3),
        (nem_ms("20250701101500"), 2500, 2),
    ]


BAD_FILES = {
    "empty_file": ("", 1),
    "not_nem13": ("250;NMI1\n", 1),
    "no_header": (f"{accumulation()}\n900\n", 1),
    "nem12": ("100,NEM12,202503020000,A,B\n900\n", 1),
    "bad_header": ("100,NEM13,2.02503E+11,A,B\n900\n", 1),
    "two_headers": (f"{HEADER}\n{HEADER}\n", 2),
    "no_channel": (f"{HEADER}\n550,N,,E,\n900\n", 2),
    "no_reads": (f"{HEADER}\n900\n", 2),
    "unknown_record": (f"{HEADER}\n{accumulation()}\n300,1\n900\n", 3),
    "no_end": (f"{HEADER}\n{accumulation()}\n", 2),
    "after_end": (f"{HEADER}\n{accumulation()}\n900\n{HEADER}\n", 4),
}


@pytest.mark.parametrize("reason", BAD_FILES)
def test_a_file_that_makes_no_sense_is_refused(reason: str) -> None:
    text, line = BAD_FILES[reason]
    records, problems = parts(io.BytesIO(text.encode()))
    assert not records
    assert [(p.reason, p.line, p.refuses_file) for p in problems] == [(reason, line, True)]


def test_the_two_formats_name_each_other() -> None:
    _, problems = parts(shared("data/nem12/Example_NEM12_actual_interval.csv"))
    assert "Import it with `meterfold import nem12`" in str(problems[0])


def test_a_line_that_is_not_text_costs_itself() -> None:
    broken = nem13(accumulation(), accumulation(nmi="N\xff")).getvalue().replace(b"\xc3\xbf", b"\xff")
    records, problems = parts(io.BytesIO(broken))
    assert len(records) == 2 and [(p.reason, p.line) for p in problems] == [("not_utf8", 3)]


def test_a_file_cut_anywhere_is_refused() -> None:
    whole = nem13(accumulation(), accumulation(nmi="OTHER")).getvalue().rstrip()
    assert len(parts(io.BytesIO(whole))[0]) == 4
    for cut in range(len(whole)):
        records, problems = parts(io.BytesIO(whole[:cut]))
        assert not records and problems[-1].refuses_file, f"cut after {cut} bytes"


def test_gzip_and_zip_are_read(tmp_path: Path) -> None:
    content = nem13(accumulation()).getvalue()
    (tmp_path / "reads.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "reads.zip", "w") as archive:
        archive.writestr("inner.csv", content)
    for name, called in (("reads.csv.gz", "reads.csv.gz"), ("reads.zip", "reads.zip/inner.csv")):
        records, _ = parts(tmp_path / name)
        assert [r["source"]["file"] for r in records] == [called] * 2


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_makes_it_fall_over(data: st.DataObject) -> None:
    content = bytearray(nem13(accumulation(), "550,N,,E,", accumulation("99990", "00010", "20")).getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    records, problems = parts(io.BytesIO(bytes(content)))
    assert records or problems
    for record in records:
        decode_raw(encode(record))
