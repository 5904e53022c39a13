"""Green Button: values exactly, channels by their links, and a bad part that costs itself and no other."""

import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import green_button
from connectors.codec import decode_raw, encode
from connectors.green_button_types import nano_of_count
from tests.shared_data import shared
from tests.unit.green_button_xml import (
    BASE,
    START,
    UPDATED_MS,
    block,
    channel,
    feed,
    meter_reading,
    parts,
    reading,
    reading_type,
    readings,
    usage_point,
)


def good(text: str, **options: Any) -> list[dict[str, Any]]:
    records, problems = parts(text, **options)
    assert not [str(problem) for problem in problems]
    for record in records:
        assert decode_raw(encode(record)) == record
    return records


@pytest.mark.parametrize("name", ["forrestal_2013-12-09_2013-12-15.xml.gz", "forrestal_2013-12-16_2013-12-22.xml.gz"])
def test_the_reference_weeks(name: str) -> None:
    folder = shared("data/green_button")
    expected = json.loads((folder / "expected.json").read_text())[name]
    records, problems = parts(folder / name)
    assert not problems
    values = [value for record in records for value in record["quantities_nano"]]
    assert len(values) == expected["readings"] and sum(values) == expected["sum_of_values"] * 10**4
    assert min(r["start_ms"] for r in records) == expected["first_start"] * 1000
    assert max(r["start_ms"] + 1439 * 60_000 for r in records) == expected["last_start"] * 1000
    assert [(r["register"], len(r["quantities_nano"])) for r in records] == [
        ("01/import", 1440),
        ("02/export", 1440),
    ] * 7
    assert {(r["unit"], r["interval_s"], r["quality"]) for r in records} == {("Wh", 60, "ACTUAL")}


# ---- what a feed says ----


def test_one_block_as_a_record() -> None:
    text = feed(channel(), block(readings(5, 0, 7)))
    [record] = good(text)
    line = next(n for n, said in enumerate(text.splitlines(), 1) if "<IntervalReading>" in said)
    assert record == {
        "v": 1,
        "type": "window",
        "device": "C1/P1",
        "register": "01/import",
        "unit": "Wh",
        "start_ms": START * 1000,
        "interval_s": 900,
        "quantities_nano": [5_000_000, 0, 7_000_000],
        "quality": "ACTUAL",
        "version": UPDATED_MS,
        "source": {"file": "<stream>", "line": line, "import": "import-1"},
    }


@pytest.mark.parametrize(("point", "device"), [
    (f"{BASE}/RetailCustomer/C1/UsagePoint/P1", "C1/P1"),
    ("/espi/1_1/resource/Subscription/S9/UsagePoint/P1", "S9/P1"),
    (f"{BASE}/UsagePoint/P1", "P1"),
    ("UsagePoint/P1", "P1"),
])  # fmt: skip
def test_whose_readings_they_are(point: str, device: str) -> None:
    text = feed(usage_point(point), meter_reading(point=point), reading_type(), block(readings(1), point=point))
    assert [record["device"] for record in good(text)] == [device]


@pytest.mark.parametrize(
    ("flow", "register"),
    [(1, "01/import"), (19, "01/export"), (4, "01/net"), (2, "01/flow2"), (0, "01"), (None, "01")],
)
def test_directions(flow: int | None, register: str) -> None:
    assert [r["register"] for r in good(feed(channel(flowDirection=flow), block(readings(1))))] == [register]


@pytest.mark.parametrize(
    ("uom", "unit"),
    [(72, "Wh"), (71, "VAh"), (73, "varh"), (31, "J"), (42, "m3"), (119, "ft3"), (128, "gal"), (134, "L")],
)
def test_units(uom: int, unit: str) -> None:
    assert [r["unit"] for r in good(feed(channel(uom=uom), block(readings(1))))] == [unit]


@given(st.integers(-(10**5), 10**5), st.integers(-9, 3))
def test_powers_of_ten_are_exact(value: int, power: int) -> None:
    if power >= 0:
        assert nano_of_count(value, 9 + power) == value * 10**9 * 10**power
    else:
        assert nano_of_count(value, 9 + power) * 10**-power == value * 10**9


def test_finer_than_a_nano_is_exact_or_refused() -> None:
    records, problems = parts(feed(channel(powerOfTenMultiplier=-11), block(readings(4200, 4201, 4300))))
    assert [record["quantities_nano"] for record in records] == [[42], [43]]
    assert [problem.reason for problem in problems] == ["too_fine"]


def test_entries_come_in_any_order_and_channels_beside_each_other() -> None:
    entries = (
        block(readings(1, 2), "02"), block(readings(3, 4), "01"), reading_type("08", flowDirection=19), meter_reading("02", "08"),
        reading_type("07"), meter_reading("01", "07"), usage_point(),
    )  # fmt: skip
    assert [(r["register"], r["quantities_nano"]) for r in good(feed(*entries))] == [
        ("01/import", [3_000_000, 4_000_000]),
        ("02/export", [1_000_000, 2_000_000]),
    ]


def test_several_blocks_stand_in_one_entry() -> None:
    first, second = (
        f"<IntervalBlock xmlns='http://naesb.org/espi'>{readings(n, start=START + n * 900)}</IntervalBlock>"
        for n in (0, 1)
    )
    inner = block("").replace(
        '<IntervalBlock xmlns="http://naesb.org/espi"><interval/>\n</IntervalBlock>', first + second
    )
    assert [(r["start_ms"], r["quantities_nano"]) for r in good(feed(channel(), inner))] == [
        (START * 1000, [0]),
        ((START + 900) * 1000, [1_000_000]),
    ]


def test_gaps_other_lengths_and_a_day_of_minutes_begin_a_record() -> None:
    inner = (
        readings(1, 2)
        + readings(3, start=START + 2700)
        + reading(START + 3600, 4, 1800)
        + reading(START + 5400, 5, 1800)
    )
    found = [
        (r["start_ms"] // 1000 - START, r["interval_s"], len(r["quantities_nano"]))
        for r in good(feed(channel(), block(inner)))
    ]
    assert found == [(0, 900, 2), (2700, 900, 1), (3600, 1800, 2)]
    long = block(readings(*range(3000), duration=60))
    assert [len(r["quantities_nano"]) for r in good(feed(channel(), long))] == [1440, 1440, 120]


def test_local_days_stand_alone() -> None:
    inner = reading(START, 1, 86_400) + reading(START + 86_400, 2, 82_800) + reading(START + 169_200, 3, 90_000)
    found = good(feed(channel(), block(inner)))
    assert [(r["interval_s"], r["quantities_nano"]) for r in found] == [("LOCAL_DAY", [n * 10**6]) for n in (1, 2, 3)]


def test_a_duration_left_out_is_that_of_the_type() -> None:
    inner = readings(1, 2).replace("<duration>900</duration>", "")
    assert [r["interval_s"] for r in good(feed(channel(intervalLength=900), block(inner)))] == [900]
    assert [p.reason for p in parts(feed(channel(), block(inner)))[1]] == ["not_an_integer"] * 2


@pytest.mark.parametrize(("codes", "quality"), [
    ((0, 14, 17, 18, 19), "ACTUAL"), ((11, 15), "CALCULATED"), ((7,), "SUBSTITUTED"), ((8, 9, 10, 12, 13, 16), "ESTIMATED"),
])  # fmt: skip
def test_qualities(codes: tuple[int, ...], quality: str) -> None:
    for code in codes:
        [record] = good(feed(channel(), block(reading(START, 1, quality=code))))
        assert record["quality"] == quality and record.get("method", str(code)) == str(code)


def test_qualities_that_differ_become_ranges_and_the_types_stands_for_none() -> None:
    inner = reading(START, 1, quality=0) + reading(START + 900, 2, quality=8) + reading(START + 1800, 3, quality=8)
    inner += reading(START + 2700, 4) + reading(
        START + 3600, 5, quality="17</quality></ReadingQuality><ReadingQuality><quality>9"
    )
    [record] = good(feed(channel(defaultQuality=11), block(inner)))
    assert record["quality"] == "ESTIMATED" and "method" not in record
    assert record["ranges"] == [
        {"first": 0, "last": 0, "quality": "ACTUAL"},
        {"first": 1, "last": 2, "quality": "ESTIMATED", "method": "8"},
        {"first": 3, "last": 3, "quality": "CALCULATED", "method": "11"},
        {"first": 4, "last": 4, "quality": "ESTIMATED", "method": "17 9"},
    ]


@pytest.mark.parametrize(("entry_says", "feed_says", "version"), [
    ("2025-02-01T08:00:00Z", "", UPDATED_MS),
    ("2025-02-01T09:00:00.1239999+01:00", "", UPDATED_MS + 123),
    ("2025-02-01T08:00:00", "", UPDATED_MS),
    ("", "2025-02-01T08:00:00Z", UPDATED_MS),
])  # fmt: skip
def test_versions(entry_says: str, feed_says: str, version: int) -> None:
    text = feed(channel(), block(readings(1), updated=entry_says), updated=feed_says)
    assert [record["version"] for record in good(text)] == [version]


def test_records_come_in_time_order_and_a_start_twice_is_sent_twice() -> None:
    late = block(readings(9, start=START + 900), updated="2025-03-01T00:00:00Z")
    early = block(readings(1, 2) + readings(2, start=START + 900))
    found = [
        (r["start_ms"] // 1000 - START, r["quantities_nano"]) for r in good(feed(channel(), late, early), budget=17)
    ]
    assert found == [(0, [1_000_000, 2_000_000]), (900, [9_000_000]), (900, [2_000_000])]


# ---- bad parts ----


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (reading(START + 900, "1.5"), "not_an_integer"),
        (reading(START + 900, "1e3"), "not_an_integer"),
        (reading(START + 900, ""), "not_an_integer"),
        (reading(START + 900, "9" * 40), "not_an_integer"),
        (reading(START + 900, "9" * 18), "out_of_range"),
        (reading(START + 900, 1, duration=-900), "bad_duration"),
        (reading(START + 900, 1, duration=0), "bad_duration"),
        (reading(START + 900, 1, duration=2_592_000), "bad_duration"),
        (reading("2025-01-01T00:15:00Z", 1), "not_an_integer"),
        (reading(-900, 1), "bad_start"),
        (reading("9" * 15, 1), "bad_start"),
        (reading(START + 900, 1, quality=99), "unknown_quality"),
        (reading(START + 900, 1, quality="good"), "unknown_quality"),
        (reading(START + 450, 1), "overlapping_readings"),
        (reading(START, 1, duration=1800), "overlapping_readings"),
    ],
)
def test_a_bad_reading_costs_itself(bad: str, reason: str) -> None:
    text = feed(channel(), block(readings(1) + bad + readings(3, start=START + 1800)))
    records, problems = parts(text)
    assert [r["start_ms"] // 1000 - START for r in records] == [0, 1800]
    line = [n for n, said in enumerate(text.splitlines(), 1) if "<IntervalReading>" in said][1]
    assert [(p.reason, p.line, p.refuses_file) for p in problems] == [(reason, line, False)]
    assert problems[0].remedy and "start" in problems[0].payload
    letter = problems[0].as_dead_letter("import-1")
    assert decode_raw(encode(letter)) == letter


BAD_CHANNELS = {
    "unknown_uom": usage_point() + meter_reading() + reading_type(uom=38),
    "not_an_integer": usage_point() + meter_reading() + reading_type(powerOfTenMultiplier="kilo"),
    "bad_multiplier": usage_point() + meter_reading() + reading_type(powerOfTenMultiplier=300),
    "not_quantities": usage_point() + meter_reading() + reading_type(accumulationBehaviour=3),
    "unknown_quality": usage_point() + meter_reading() + reading_type(defaultQuality=77),
    "no_reading_type": usage_point() + meter_reading(),
    "no_meter_reading": usage_point() + reading_type(),
    "no_usage_point": meter_reading() + reading_type(),
}


@pytest.mark.parametrize("reason", BAD_CHANNELS)
def test_a_bad_channel_costs_its_blocks_and_no_other(reason: str) -> None:
    other = f"{BASE}/RetailCustomer/C2/UsagePoint/P2"
    sound = usage_point(other) + meter_reading("09", "99", other) + reading_type("99")
    blocks = [block(readings(n, start=START + n * 900), "09", other, number=n) for n in (0, 1)]
    text = feed(BAD_CHANNELS[reason], sound, blocks[0], block(readings(1, 2)), blocks[1])
    records, problems = parts(text)
    assert [(r["device"], r["start_ms"] // 1000 - START) for r in records] == [("C2/P2", 0), ("C2/P2", 900)]
    assert [problem.reason for problem in problems] == [reason]
    assert "<IntervalBlock" in text.splitlines()[problems[0].line - 1] and problems[0].remedy


def test_a_block_that_nobody_can_date_costs_itself() -> None:
    text = feed(channel(), block(readings(1), updated="yesterday"), block(readings(2, start=START + 900)))
    records, problems = parts(text)
    assert [r["quantities_nano"] for r in records] == [[2_000_000]]
    assert [problem.reason for problem in problems] == ["no_version"]


def test_a_file_cut_anywhere_keeps_the_entries_that_are_whole() -> None:
    whole = feed(channel(), block(readings(1, 2)), block(readings(3, start=START + 1800), number=2))
    ends = [at for at in range(len(whole)) if whole.startswith("</entry>", at)]
    for cut in range(len(whole.rstrip())):
        records, problems = parts(whole[:cut])
        kept = sum(end + len("</entry>") <= cut for end in ends) - 3  # those before are no blocks
        assert len(records) == max(kept, 0), f"cut after {cut} bytes"
        assert problems and problems[0].line and problems[0].remedy


def test_many_problems_are_counted_rather_than_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(green_button, "MAX_PROBLEMS", 5)
    records, problems = parts(feed(channel(), block(readings(*["x"] * 20, 1))))
    assert len(records) == 1 and [p.reason for p in problems] == ["not_an_integer"] * 5 + ["more_problems"]
    assert problems[-1].message.startswith("15 more")


# ---- where files come from ----


def test_plain_gzip_zip_and_text_are_the_same(tmp_path: Path) -> None:
    text = feed(channel(), block(readings(1, 2)))
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "a.xml.gz").write_bytes(gzip.compress(text.encode()))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("inner.xml", text)
        archive.writestr("second.xml", text.replace("UsagePoint/P1", "UsagePoint/P2"))
    plain, packed, zipped = (parts(tmp_path / name)[0] for name in ("a.xml", "a.xml.gz", "a.zip"))
    assert [r | {"source": None} for r in plain] == [r | {"source": None} for r in packed]
    assert [r["source"]["file"] for r in zipped] == ["a.zip/inner.xml", "a.zip/second.xml"]
    assert parts(io.StringIO(text))[0][0]["quantities_nano"] == plain[0]["quantities_nano"]
    assert parts(text.encode("utf-16"))[0] == [] or parts(text.replace("UTF-8", "UTF-16").encode("utf-16"))[0]


def test_a_file_in_one_line_tells_its_places_by_character() -> None:
    text = feed(channel(), block(readings(1) + reading(START + 900, "x"))).replace("\n", "")
    [problem] = parts(text)[1]
    assert problem.line == 1 and text[int(problem.column) - 1 :].startswith("<IntervalReading>")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(days: int) -> int:
        path = tmp_path / f"{days}.xml"
        blocks = (block(readings(*range(96), start=START + n * 86_400), number=n) for n in range(days))
        path.write_text(feed(channel(), *blocks))
        tracemalloc.start()
        try:
            assert len([1 for _ in green_button.read_green_button(path, "i", budget=2_000)]) == days
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(25), peak(100)
    assert large < 1.3 * small, (small, large)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_makes_it_fall_over(data: st.DataObject) -> None:
    content = bytearray(feed(channel(), block(readings(1, 2) + reading(START + 1800, 3, quality=8))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    records, problems = parts(bytes(content))
    assert records or problems
    for record in records:
        decode_raw(encode(record))
