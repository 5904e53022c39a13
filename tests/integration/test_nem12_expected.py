"""Every day of every NEM12 sample comes out of the fold exactly as its expected results say."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dead_letter import Problem
from connectors.nem12 import read_nem12
from tests.road import Road, assignment, channel, configuration, register
from tests.shared_data import shared

NEM = timezone(timedelta(hours=10))
DAY_MS = 86_400_000
QUALITIES = {"A": "actual", "S": "substituted", "F": "substituted", "E": "estimated"}
Days = dict[tuple[str, str, int], list[dict[str, Any]]]


def _expected() -> dict[str, Days]:
    """By file: (device, register, interval minutes) → its days."""
    found: dict[str, Days] = defaultdict(lambda: defaultdict(list))
    for item in json.loads((shared("data/nem12") / "expected.json").read_text()):
        device = f"{item['nmi']}/{item['serial']}" if item["serial"] else item["nmi"]
        found[item["file"]][device, item["suffix"], item["interval_min"]] += item["days"]
    return found


def _midnight_ms(text: str) -> int:
    return int(datetime.strptime(text, "%Y%m%d").replace(tzinfo=NEM).astimezone(UTC).timestamp() * 1000)


def _configured(days: Days, records: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Reference data that fits a file: a channel for each device, register and interval length, for its days."""
    units = {(r["device"], r["register"], r["interval_s"]): r["unit"] for r in records}
    by_device = defaultdict(list)
    for device, name, minutes in days:
        by_device[device].append((name, minutes))
    for device, channels in by_device.items():
        spans, definitions = [], []
        for name, minutes in channels:
            starts = [_midnight_ms(day["date"]) for day in days[device, name, minutes]]
            first, last = min(starts), max(starts) + DAY_MS
            ident = f"{name}-{minutes}"
            spans.append(register(name, ident, "intervals", first, last))
            unit = units[device, name, minutes * 60]
            definitions.append(channel(ident, minutes * 60, unit=unit, signed=True))
        first = min(span["from_ms"] for span in spans)
        yield assignment(device, (f"SP {device}", first, None))
        yield configuration(device, spans, definitions, utc_offsets=[[0, 36000]])


def _samples() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "nem12"
    return sorted(path.name for path in folder.glob("*") if path.suffix in (".csv", ".zip"))


@pytest.mark.parametrize("name", _samples() or ["(shared data absent)"])
def test_every_day_comes_out_exactly(name: str) -> None:
    path = shared("data/nem12") / name
    found = list(read_nem12(path, "test"))
    assert not [item for item in found if isinstance(item, Problem)]
    records = [item for item in found if not isinstance(item, Problem)]
    days = _expected()[name]
    assert days, f"{name} is not in expected.json"
    road = Road().send(_configured(days, records)).send(records)
    road.gate(max(_midnight_ms(day["date"]) for group in days.values() for day in group) + DAY_MS)
    assert not road.held and not road.dead
    for (device, register_name, minutes), group in days.items():
        rows = _by_day(road, f"SP {device}", f"{register_name}-{minutes}")
        for day in group:
            _check_day(day, rows[_midnight_ms(day["date"])], minutes)
        _check_days_between(rows, group)


def _by_day(road: Road, point: str, ident: str) -> dict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in road.rows("determinants"):
        if (row["supply_point"], row["channel"]) == (point, ident):
            found[(row["start_ms"] + 36_000_000) // DAY_MS * DAY_MS - 36_000_000].append(row)
    adjusted = road.current(point, ident)
    for rows in found.values():
        for row in rows:
            row["quantity_nano"] = adjusted[row["start_ms"]]
    return found


def _check_day(day: dict[str, Any], rows: list[dict[str, Any]], minutes: int) -> None:
    assert len(rows) == day["n"] == 1440 // minutes
    assert Decimal(sum(row["quantity_nano"] for row in rows)).scaleb(-9) == Decimal(day["sum"])
    ranges = day["events"] or [{"start": 1, "end": day["n"], "quality": day["quality"]}]
    wanted: Counter[str] = Counter()
    for item in ranges:
        wanted[QUALITIES[item["quality"][0]]] += item["end"] - item["start"] + 1
    got = {quality: sum(row[f"n_{quality}"] for row in rows) for quality in set(QUALITIES.values())}
    assert {quality: count for quality, count in got.items() if count} == dict(wanted)


def _check_days_between(rows: dict[int, list[dict[str, Any]]], group: list[dict[str, Any]]) -> None:
    """Days that the file does not hold are said to be missing or estimated, never quietly there."""
    given = {_midnight_ms(day["date"]) for day in group}
    for start, others in rows.items():
        if start not in given:
            assert all(row["n_actual"] == row["n_substituted"] == 0 for row in others)
