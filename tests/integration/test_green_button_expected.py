"""Both Green Button weeks come out of the fold exactly as their expected results say, minute by minute and in all."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from connectors.dead_letter import Problem
from connectors.green_button import read_green_button
from tests.road import Road, assignment, channel, configuration, register
from tests.shared_data import shared

NANO_PER_VALUE = 10**4
"""The files count 10⁻⁵ Wh."""

MINUTE_MS = 60_000
POINT = "SP"
READING = re.compile(r"<start>(\d+)</start>\s*</timePeriod>\s*<value>(\d+)</value>")
BLOCK = re.compile(r"MeterReading/(\d+)/IntervalBlock/.*?</entry>", re.DOTALL)
REGISTERS = {"01": "01/import", "02": "02/export"}


def _names() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "green_button"
    return sorted(path.name for path in folder.glob("*.xml.gz"))


def _records(name: str) -> list[dict[str, Any]]:
    found = list(read_green_button(shared("data/green_button") / name, "test"))
    assert not [str(item) for item in found if isinstance(item, Problem)]
    return [item for item in found if not isinstance(item, Problem)]


def _configured(device: str, first_ms: int) -> list[dict[str, Any]]:
    spans = [register(name, name, "intervals", first_ms) for name in REGISTERS.values()]
    channels = [channel(name, 60, unit="Wh") for name in REGISTERS.values()]
    return [assignment(device, (POINT, first_ms, None)), configuration(device, spans, channels)]


def _stated(name: str) -> dict[str, dict[int, int]]:
    """Register → start in ms → value, by another road than the connector's: patterns over the whole text."""
    text = gzip.decompress((shared("data/green_button") / name).read_bytes()).decode()
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for block in BLOCK.finditer(text):
        for start, value in READING.findall(block[0]):
            found[REGISTERS[block[1]]][int(start) * 1000] = int(value) * NANO_PER_VALUE
    return found


def _current(road: Road) -> dict[str, dict[int, int]]:
    return {name: road.current(POINT, name) for name in REGISTERS.values()}


def _total(found: dict[str, dict[int, int]]) -> int:
    return sum(sum(values.values()) for values in found.values())


def _expected() -> dict[str, dict[str, Any]]:
    return json.loads((shared("data/green_button") / "expected.json").read_text())


def _check_all_actual(road: Road, readings: int) -> None:
    rows = road.rows("determinants")
    assert len(rows) == readings == sum(row["n_actual"] for row in rows)
    assert {row["unit"] for row in rows} == {"Wh"} and not road.rows("adjustments")
    assert {row["verdict"] for row in road.rows("evidence")} == {"ACCEPTED"}
    assert not road.held and not road.dead


def _devices(records: Iterable[dict[str, Any]]) -> set[str]:
    return {record["device"] for record in records}


@pytest.mark.parametrize("name", _names() or ["(shared data absent)"])
def test_a_week_sums_exactly_by_its_reads_alone(name: str) -> None:
    expected = _expected()[name]
    records = _records(name)
    assert _devices(records) == {"9B6C7088/5446AF3F"}
    road = Road().send(_configured("9B6C7088/5446AF3F", expected["first_start"] * 1000)).send(records)
    found = _current(road)
    assert found == _stated(name)
    assert _total(found) == expected["sum_of_values"] * NANO_PER_VALUE
    for values in found.values():
        assert min(values) == expected["first_start"] * 1000 and max(values) == expected["last_start"] * 1000
    _check_all_actual(road, expected["readings"])


def test_where_the_weeks_meet_the_order_of_the_files_does_not_matter() -> None:
    """The last day of the one and the first of the other."""
    names = sorted(_expected())
    early, late = _records(names[0])[-2:], _records(names[1])[:2]
    first_ms, end_ms = early[0]["start_ms"], late[0]["start_ms"] + 1440 * MINUTE_MS
    in_order = Road().send(_configured("9B6C7088/5446AF3F", first_ms)).send([*early, *late]).gate(end_ms)
    late_first = Road().send(_configured("9B6C7088/5446AF3F", first_ms)).send([*late, *early]).gate(end_ms)
    stated: dict[str, dict[int, int]] = defaultdict(dict)
    for name in names:
        for register_name, values in _stated(name).items():
            stated[register_name] |= {at: value for at, value in values.items() if first_ms <= at < end_ms}
    assert _current(in_order) == _current(late_first) == stated
    _check_all_actual(in_order, 4 * 1440)
