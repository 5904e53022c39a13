"""What the collector writes is what the contracts promise."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from connectors.codec import decode_raw, encode
from edge_collector.entry import Entry, Kind, UnableToReadFrame, body_of, entry_frame, entry_of, frames_in
from edge_collector.reading import ClockQuality, Flag, Priority, RegisterReading, StatusKind, StatusReport
from edge_collector.records import (
    decimal_text,
    heartbeat_record,
    read_id,
    register_record,
    status_record,
    telemetry_records,
)
from tests.edge.outbox_world import START_MS, UNSYNCHRONISED, boundary, reading

CONTRACTS = Path(__file__).parents[2] / "contracts"


def judge(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((CONTRACTS / f"{name}.schema.json").read_text("utf-8")))


def checked(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the codec reads it, after the schema has seen it."""
    judge("raw").validate(record)
    return decode_raw(encode(record))


@given(
    count=st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    flags=st.lists(st.sampled_from(list(Flag)), unique=True),
    offset_ms=st.one_of(st.none(), st.integers(-(10**6), 10**6)),
)
def test_any_reading_is_a_raw_record(count: int | None, flags: list[Flag], offset_ms: int | None) -> None:
    clock = ClockQuality(offset_ms is not None, offset_ms, None if offset_ms is None else abs(offset_ms))
    given_one = reading(count=count, flags=tuple(flags), clock=clock)
    record = checked(register_record(given_one, read_id("site", given_one), 7))
    assert record["words"] == list(given_one.words) and record["sequence"] == 7
    assert (record["count"], record["quality"]) == ((0, "MISSING") if count is None else (count, "ACTUAL"))
    assert ("SENTINEL" in record["flags"]) == (count is None or Flag.SENTINEL in flags)
    assert record["flags"].count("SENTINEL") <= 1
    assert record["at_ms"] == boundary(0) + 40
    assert record["timing"].get("offset_ms") == offset_ms


def test_an_unknown_clock_says_nothing_of_itself() -> None:
    record = register_record(reading(clock=UNSYNCHRONISED), "x", 1)
    assert record["timing"] == {"sent_ms": START_MS, "received_ms": START_MS + 80}


def test_a_read_has_one_name() -> None:
    one = reading("SUB-4", 2)
    assert read_id("site", one) == f"site/SUB-4/T/{boundary(2)}"
    assert read_id("site", one, 3) == f"site/SUB-4/T/{boundary(2)}/3"
    exchanged = reading("SUB-4@4711/10", 2)
    assert read_id("site", exchanged) == f"site/SUB-4@4711%2F10/T/{boundary(2)}"
    late = RegisterReading(**{f: getattr(one, f) for f in RegisterReading.__slots__} | {"sent_ms": 5, "count": 1})
    assert read_id("site", late) == read_id("site", one), "neither time nor content is in the name"


@pytest.mark.parametrize("kind", list(StatusKind))
def test_reports_are_raw_records(kind: StatusKind) -> None:
    record = checked(status_record(StatusReport("SUB-4", START_MS, kind, "why", -40, START_MS, START_MS + 1)))
    assert (record["kind"], record["offset_ms"], record["from_ms"]) == (str(kind), -40, START_MS)
    bare = checked(status_record(StatusReport("SUB-4", START_MS, kind, "why")))
    assert set(bare) == {"v", "type", "device", "at_ms", "kind", "detail"}


def test_a_heartbeat_is_a_raw_record() -> None:
    assert checked(heartbeat_record("SUB-4", START_MS, 9))["complete_through_ms"] == START_MS


def test_telemetry_is_one_record_a_device_and_poll() -> None:
    values = [
        reading(device, n, count, register, Priority.TELEMETRY, flags)
        for n in (0, 1)
        for device in ("B", "A")
        for register, count, flags in (("V", 2314, ()), ("P", -5, (Flag.LATE,)), ("F", None, (Flag.LATE,)))
    ]
    records = list(telemetry_records(values))
    for record in records:
        judge("telemetry").validate(record)
    assert [(r["device"], r["at_ms"]) for r in records] == [(d, boundary(n) + 40) for n in (0, 1) for d in ("A", "B")]
    assert records[0]["values"] == {
        "V": {"value": "231.4", "unit": "kWh"},
        "P": {"value": "-0.5", "unit": "kWh"},
        "F": {"value": None, "unit": "kWh"},
    }
    assert records[0]["flags"] == ["LATE"]


def test_the_example_of_telemetry_is_valid() -> None:
    example = json.loads((CONTRACTS / "examples" / "telemetry" / "telemetry.json").read_text("utf-8"))
    judge("telemetry").validate(example)
    assert not judge("telemetry").is_valid({**example, "values": {"power": {"value": -0.2, "unit": "kW"}}})


@given(count=st.integers(-(10**19), 10**19), decimals=st.integers(0, 18))
def test_decimal_text_is_exact(count: int, decimals: int) -> None:
    text = decimal_text(count, decimals)
    assert text is not None and Decimal(text) == Decimal(count).scaleb(-decimals)
    assert judge("telemetry").is_valid(
        {
            "v": 1,
            "type": "telemetry",
            "device": "A",
            "at_ms": 0,
            "values": {"E": {"value": text, "unit": "kWh"}},
            "flags": [],
        }
    )


@given(before=st.binary(max_size=50), after=st.binary(max_size=50), payload=st.binary(max_size=400))
def test_an_entry_is_found_in_any_surroundings(before: bytes, after: bytes, payload: bytes) -> None:
    entry = Entry(7, Kind.READ, "reads.raw", "SUB-4", "SUB-4", payload, 1, 2, "a/b/c/2", 3)
    assert [entry_of(body) for _, body in frames_in(before + entry_frame(entry) + after)] == [entry]


@given(at=st.integers(0, 10_000), change=st.integers(1, 255))
def test_no_changed_byte_goes_unseen(at: int, change: int) -> None:
    frame = bytearray(entry_frame(Entry(7, Kind.READ, "reads.raw", "SUB-4", "SUB-4", b'{"count": 998751}', 1, 2)))
    at %= len(frame)
    frame[at] ^= change
    try:
        magic, _ = body_of(bytes(frame))
    except UnableToReadFrame:
        return
    assert at == 3 and magic != entry_frame(Entry(7, Kind.READ, "", "", "", b""))[:4], "only one state for another"
