"""Raw readings as columns: what is scanned is what `decode_raw` lets in and reads, and whatever else there is stays with it."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.codec import decode_raw, encode
from connectors.file_log import Frames
from connectors.file_log.frame import decode_frames, encode_frame
from connectors.scan import LOCAL_DAYS, Names, scan_raw
from connectors.scan import raw_table as row_of
from connectors.scan.raw_table import TYPES
from tests.unit.raw_readings import a_reading
from tests.unit.spoiling import spoiled

Record = dict[str, Any]
EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples" / "raw"


def frames_of(entries: list[tuple[bytes, bytes]]) -> Frames:
    """(key, payload) each."""
    chunk = b"".join(encode_frame(at, *entry) for at, entry in enumerate(entries))
    records, _ = decode_frames(chunk, 2, 1000, len(entries))
    return Frames.of_records(2, chunk, 1000, records)


def keyed(rng: Random, payload: bytes) -> tuple[bytes, bytes]:
    """A payload under its device, sometimes under another key."""
    try:
        device = str(decode_raw(payload).get("device", ""))
    except ValueError:
        device = "M000001"
    return rng.choice([b"", b"M", device.encode() + b"1"]) if rng.random() < 0.05 else device.encode(), payload


def expected(record: Record) -> Record:
    """What routing reads in a record."""
    is_register = record["type"] == "register"
    length = 0 if is_register else record["interval_s"]
    return {
        "kind": int(is_register), "type": record["type"], "name": tuple(record[key] for key in ("device", "register", "unit")),
        "start_ms": record["at_ms" if is_register else "start_ms"], "interval_s": LOCAL_DAYS if length == "LOCAL_DAY" else length,
        "number": len(record.get("quantities_nano", (0,))),
    }  # fmt: skip


def check(entries: list[tuple[bytes, bytes]], names: Names) -> int:
    """Scan, and compare what was scanned with what the codec reads; how many were not scanned."""
    frames = frames_of(entries)
    columns = scan_raw(frames, names)
    assert sorted([*columns.at.tolist(), *columns.others.tolist()]) == list(range(len(entries)))
    assert columns.at.tolist() == sorted(columns.at) and columns.others.tolist() == sorted(columns.others)
    for place, at in enumerate(columns.at.tolist()):
        key, payload = entries[at]
        record = decode_raw(payload)
        found = {
            "kind": int(columns.kind[place]), "type": TYPES[columns.type[place]], "name": names.values[columns.name[place]],
            **{name: getattr(columns, name)[place].item() for name in ("start_ms", "interval_s", "number")},
        }  # fmt: skip
        assert found == expected(record), payload
        assert encode(record) == payload and key.decode() == record["device"]
        tail = frames.data[columns.table[row_of.TAIL, place] : frames.payload_end[at]]
        assert tail.startswith(b',"type":"register"' if found["kind"] else b',"unit":"')
    return len(columns.others)


def test_readings_are_scanned_as_the_codec_reads_them() -> None:
    rng, names = Random(1), Names()
    for number in (0, 1, 7, 500, 500):
        records = [a_reading(rng) for _ in range(number)]
        assert check([(record["device"].encode(), encode(record)) for record in records], names) == 0


def test_the_examples_of_the_contract() -> None:
    records = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(EXAMPLES.iterdir())}
    entries = [(record.get("device", "").encode(), encode(record)) for record in records.values()]
    columns = scan_raw(frames_of(entries), Names())
    scanned = {list(records)[at] for at in columns.at}
    assert scanned == {name for name, record in records.items() if record["type"] in TYPES}
    check(entries, Names())


@pytest.mark.parametrize("seed", range(3))
def test_spoiled_records_are_left_out_or_read_as_the_codec_does(seed: int) -> None:
    left_out = spoil_and_check(seed, 3_000)
    assert 1_000 < left_out < 2_950, "the spoiling is too rough or too soft to show anything"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
def test_many_spoiled_records(seed: int) -> None:
    spoil_and_check(seed, 100_000)


def spoil_and_check(seed: int, number: int) -> int:
    rng, names = Random(seed), Names()
    return check([keyed(rng, spoiled(rng, encode(a_reading(rng)))) for _ in range(number)], names)
