"""Curated readings as columns: what is scanned is what the codec reads, and whatever else there is stays with the codec."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.codec import RAW_SHAPES, check_shape, decode, encode
from connectors.file_log import Frames
from connectors.file_log.frame import decode_frames, encode_frame
from connectors.scan import LOCAL_DAYS, Names, ReadingColumns, scan_curated
from state.codes import QUALITY_OF
from state.interval_list import spread_qualities
from tests.unit.spoiling import spoiled

Record = dict[str, Any]
EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples" / "curated"
TEXTS = ("SP-1", "SP-2", "M000001", "E1", "B2", "kWh", "m³", "Zähler/7", "😀", "a b", "x" * 40)
QUALITIES = tuple(QUALITY_OF)
INTEGERS = (0, 1, -1, 9, 10, 123_456_789, -(10**17), 10**18 - 1, 10**18, 2**63 - 1, -(2**63))
FIELDS = (
    "raw_partition", "raw_offset", "sub", "origin_partition", "origin_offset", "origin_sub", "received_ms", "version", "start_ms",
    "interval_s", "number", "decimals", "is_reset",
)  # fmt: skip


def frames_of(payloads: list[bytes]) -> Frames:
    chunk = b"".join(encode_frame(at, b"key", payload) for at, payload in enumerate(payloads))
    records, _ = decode_frames(chunk, 2, 1000, len(payloads))
    return Frames.of_records(2, chunk, 1000, records)


def a_head(rng: Random, kind: str) -> Record:
    record: Record = {
        "v": 1, "type": kind, "supply_point": rng.choice(TEXTS), "raw": [rng.randrange(4), rng.randrange(1 << 40)],
        "sub": rng.choice([0, 0, 3, 47]), "received_ms": rng.randrange(1 << 41), "device": rng.choice(TEXTS),
        "register": rng.choice(TEXTS), "unit": rng.choice(TEXTS), "quality": rng.choice(QUALITIES),
        "version": rng.choice([0, 1, -5, 2**62, -(2**62), 1_700_000_000_000]),
    }  # fmt: skip
    if rng.random() < 0.2:
        record["origin"] = [rng.randrange(9), rng.randrange(1 << 40), rng.randrange(100)]
    return record


def intervals(rng: Random) -> Record:
    number = rng.choice([1, 1, 2, 48])
    record = {
        **a_head(rng, "intervals"), "start_ms": rng.choice([0, -5, 1_767_225_600_000, 10**15]),
        "interval_s": rng.choice([1, 300, 1800, 86_400, "LOCAL_DAY"]),
        "quantities_nano": [rng.choice([*INTEGERS, None, rng.randrange(10**9)]) for _ in range(number)],
    }  # fmt: skip
    if rng.random() < 0.3:
        record["ranges"] = [a_range(rng, number) for _ in range(rng.randrange(4))]
    return record


def a_range(rng: Random, number: int) -> Record:
    places = [-1, 0, 1, number - 1, number, 2**63 - 1, -(2**63)]
    found = {"first": rng.choice(places), "last": rng.choice(places), "quality": rng.choice(QUALITIES)}
    return {**found, **{name: rng.choice(["", "F52"]) for name in ("method", "reason") if rng.random() < 0.4}}


def register(rng: Random) -> Record:
    record = {
        **a_head(rng, "register"), "at_ms": rng.choice([0, 1_767_225_600_000, -(10**15)]), "count": rng.choice(INTEGERS),
        "decimals": rng.choice([0, 3, 18]),
    }  # fmt: skip
    more = {"event": "reset", "words": [0, 65_535], "flags": ["", "é"], "sequence": -(2**63)}
    return {**record, **{name: value for name, value in more.items() if rng.random() < 0.3}}


def a_reading(rng: Random) -> Record:
    return intervals(rng) if rng.random() < 0.6 else register(rng)


def expected(record: Record) -> Record:
    """What the fold reads in a record."""
    is_list = record["type"] == "intervals"
    raw, sub = record["raw"], record["sub"]
    origin = record.get("origin") or [*raw, sub]
    values = record["quantities_nano"] if is_list else [record["count"]]
    return {
        "kind": 0 if is_list else 1, "name": tuple(record[key] for key in ("supply_point", "device", "register", "unit")),
        "raw_partition": raw[0], "raw_offset": raw[1], "sub": sub, "origin_partition": origin[0], "origin_offset": origin[1],
        "origin_sub": origin[2], "received_ms": record["received_ms"], "version": record["version"],
        "start_ms": record["start_ms" if is_list else "at_ms"],
        "interval_s": (LOCAL_DAYS if record["interval_s"] == "LOCAL_DAY" else record["interval_s"]) if is_list else 0,
        "number": len(values), "decimals": 0 if is_list else record["decimals"], "is_reset": record.get("event") == "reset",
        "values": values, "qualities": spread_qualities(record) if is_list else [QUALITY_OF[record["quality"]]],
    }  # fmt: skip


def found(columns: ReadingColumns, names: Names, at: int) -> Record:
    first, number = int(columns.first[at]), int(columns.number[at])
    elements = slice(first, first + number)
    values = zip(columns.value[elements].tolist(), columns.is_number[elements].tolist(), strict=True)
    return {
        "kind": int(columns.kind[at]), "name": names.values[columns.name[at]],
        **{name: getattr(columns, name)[at].item() for name in FIELDS},
        "values": [value if is_number else None for value, is_number in values],
        "qualities": columns.quality[elements].tolist(),
    }  # fmt: skip


def check(payloads: list[bytes], names: Names) -> int:
    """Scan, and compare what was scanned with what the codec reads; how many were not scanned."""
    columns = scan_curated(frames_of(payloads), names)
    assert sorted([*columns.at.tolist(), *columns.others.tolist()]) == list(range(len(payloads)))
    assert columns.at.tolist() == sorted(columns.at) and columns.others.tolist() == sorted(columns.others)
    assert columns.first.tolist() == [sum(columns.number[:at]) for at in range(len(columns.at))]
    assert sum(columns.number) == len(columns.value) == len(columns.is_number) == len(columns.quality)
    for place, at in enumerate(columns.at):
        record = decode(payloads[at])
        assert found(columns, names, place) == expected(record), payloads[at]
        assert encode(record) == payloads[at]
        kind = "window" if record["type"] == "intervals" else "register"
        check_shape({**record, "type": kind}, RAW_SHAPES[kind], kind)
    return len(columns.others)


def test_readings_are_scanned_as_the_codec_reads_them() -> None:
    rng, names = Random(1), Names()
    for number in (0, 1, 7, 300, 300):
        assert check([encode(a_reading(rng)) for _ in range(number)], names) == 0
    assert len(set(names.values)) == len(names.values)


def test_the_examples_of_the_contract() -> None:
    payloads = {path.stem: encode(json.loads(path.read_text("utf-8"))) for path in sorted(EXAMPLES.iterdir())}
    columns = scan_curated(frames_of(list(payloads.values())), Names())
    scanned = {list(payloads)[at] for at in columns.at}
    assert scanned == {name for name in payloads if name.startswith(("intervals", "register"))}
    check(list(payloads.values()), Names())


def test_a_slice_of_frames_is_scanned_like_the_frames() -> None:
    rng, names = Random(2), Names()
    payloads = [encode(a_reading(rng)) for _ in range(20)]
    whole, part = scan_curated(frames_of(payloads), names), scan_curated(frames_of(payloads)[5:12], names)
    assert [found(part, names, at) for at in range(7)] == [found(whole, names, at + 5) for at in range(7)]


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_records_are_left_out_or_read_as_the_codec_does(seed: int) -> None:
    left_out = spoil_and_check(seed, 3_000)
    assert 1_000 < left_out < 3_000, "the spoiling is too rough or too soft to show anything"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
def test_many_spoiled_records(seed: int) -> None:
    spoil_and_check(seed, 100_000)


def spoil_and_check(seed: int, number: int) -> int:
    rng, names = Random(seed), Names()
    return check([spoiled(rng, encode(a_reading(rng))) for _ in range(number)], names)


def test_names_are_compared_by_their_texts() -> None:
    """Not by where one text ends and the next begins, nor by a hash; and each new table of slots keeps them all."""
    rng, names = Random(3), Names()
    record = intervals(rng)
    texts = [("ab", "c", "d", "e"), ("a", "bc", "d", "e"), ("a", "b", "cd", "e"), ("a", "b", "c", "de")]
    texts += [(f"SP{at}", f"M{at}", "E1", "kWh") for at in range(3_000)]
    keys = ("supply_point", "device", "register", "unit")
    written = {encode({**record, **dict(zip(keys, text, strict=True))}): text for text in texts}
    payloads = list(written)
    for part in (payloads[:10], payloads[:2_000], payloads, payloads[::-1]):
        columns = scan_curated(frames_of(part), names)
        assert [names.values[number] for number in columns.name] == [written[payload] for payload in part]
    assert names.values == texts
