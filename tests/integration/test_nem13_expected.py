"""Every difference of every NEM13 sample comes out of the fold exactly as expected, and what contradicts itself is refused."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.dead_letter import Problem
from connectors.nem12_records import stamp_ms
from connectors.nem13 import read_nem13
from connectors.nem_envelope import NEM_OFFSET_S
from tests.road import Road, assignment, channel, configuration, register
from tests.shared_data import shared

OFFSET_MS = NEM_OFFSET_S * 1000
CAPACITY_NANO_PER_HOUR = 100 * 10**9
QUALITY = {"A": "actual", "S": "substituted", "E": "estimated"}
Expected = list[dict[str, Any]]


def _expected() -> dict[str, Expected]:
    found: dict[str, Expected] = defaultdict(list)
    for item in json.loads((shared("data/nem13") / "expected.json").read_text()):
        found[item["file"]].append(item)
    return found


def _sound(item: dict[str, Any]) -> bool:
    """A register that is billed runs forwards: of what the reference calls plain, one sample falls, by its own quantity of -10."""
    return item["class"].startswith(("plain", "rollover")) and Decimal(item["quantity"]) >= 0


def _quantity(item: dict[str, Any]) -> Decimal:
    """What the reference's index difference is once its class is taken into account."""
    turn = 10 ** int(item["class"].split("_")[1]) if item["class"].startswith("rollover") else 0
    return Decimal(item["delta"]) + turn


def _key(item: dict[str, Any]) -> tuple[str, str]:
    return f"{item['nmi']}/{item['serial']}", item["suffix"]


def _configured(expected: Expected) -> list[dict[str, Any]]:
    """A spans channel for each register, its digits and decimals as the reference shows them."""
    registers: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for item in expected:
        device, name = _key(item)
        whole, _, fraction = item["prev"].partition(".")
        first = min(stamp_ms(other["prev_dt"], OFFSET_MS) for other in expected if _key(other) == (device, name))
        registers[device][name] = register(
            name, name, "spans", first, decimals=len(fraction), digits=len(whole) + len(fraction),
            nano_per_count=10 ** (9 - len(fraction)), max_nano_per_hour=CAPACITY_NANO_PER_HOUR,
        )  # fmt: skip
    records = []
    for device, spans in registers.items():
        channels = [channel(name, kind="spans") for name in spans]
        first = min(span["from_ms"] for span in spans.values())
        records += [assignment(device, (f"SP {device}", first, None))]
        records += [configuration(device, list(spans.values()), channels, utc_offsets=[[0, NEM_OFFSET_S]])]
    return records


def _samples() -> list[str]:
    folder = Path(__file__).resolve().parents[3] / "shared" / "data" / "nem13"
    return sorted(path.name for path in folder.glob("*") if path.suffix in (".csv", ".zip"))


def _read(name: str) -> tuple[list[dict[str, Any]], list[Problem]]:
    found = list(read_nem13(shared("data/nem13") / name, "test"))
    return [item for item in found if not isinstance(item, Problem)], [p for p in found if isinstance(p, Problem)]


def _spans(road: Road, expected: Expected) -> dict[tuple[str, str, int, int], tuple[Decimal, str]]:
    """(device, register, start, end) to quantity in the unit and quality, adjustments included."""
    found = {}
    for device, name in {_key(item) for item in expected}:
        current = road.current(f"SP {device}", name)
        for row in road.rows("determinants"):
            if (row["supply_point"], row["channel"]) == (f"SP {device}", name):
                quality = next(word for word in QUALITY.values() if row[f"n_{word}"])
                quantity = Decimal(current[row["start_ms"]]).scaleb(-9)
                found[device, name, row["start_ms"], row["end_ms"]] = quantity, quality
    return found


@pytest.mark.parametrize("name", _samples() or ["(shared data absent)"])
def test_every_difference_comes_out_exactly(name: str) -> None:
    expected = _expected()[name]
    assert expected, f"{name} is not in expected.json"
    records, problems = _read(name)
    road = Road().send(_configured(expected)).send(records)
    road.gate(max(stamp_ms(item["cur_dt"], OFFSET_MS) for item in expected))
    assert not road.held and not road.dead
    wanted = {}
    for item in filter(_sound, expected):
        period = stamp_ms(item["prev_dt"], OFFSET_MS), stamp_ms(item["cur_dt"], OFFSET_MS)
        worst = max(item["prev_q"][0], item["cur_q"][0], key="ASE".index)
        wanted[(*_key(item), *period)] = _quantity(item), QUALITY[worst]
    assert _spans(road, expected) == wanted
    assert len(problems) == sum(not _sound(item) for item in expected)
    assert len(records) == 2 * len(wanted)
    assert {row["verdict"] for row in road.rows("evidence")} <= {"ACCEPTED", "CORRECTED", "DUPLICATE"}


def test_what_contradicts_itself_is_refused_with_a_reason_and_a_line() -> None:
    refused: Counter[tuple[str, str]] = Counter()
    for name, expected in _expected().items():
        for problem in _read(name)[1]:
            assert problem.file.startswith(name) and problem.line > 1 and problem.remedy and not problem.refuses_file
            [item] = [i for i in expected if i["nmi"] in problem.payload and i["cur"] in problem.payload]
            refused[item["class"], problem.reason] += 1
    assert refused == {
        ("other", "quantity_mismatch"): 2,
        ("sign_flipped", "negative_quantity"): 1,
        ("plain", "negative_quantity"): 1,  # -10.0, of a register that ran backwards
    }


def test_the_reference_was_compared_whole() -> None:
    every = [item for items in _expected().values() for item in items]
    assert len(every) == 33 and sum(map(_sound, every)) == 29


def test_an_estimate_hardens_nothing_by_itself() -> None:
    name = "Example_NEM13_forward_estimate.csv"
    expected = _expected()[name]
    road = Road().send(_configured(expected)).send(_read(name)[0])
    assert not road.rows("determinants")
    road.gate(stamp_ms("20040408000000", OFFSET_MS))
    [row] = road.rows("determinants")
    assert (row["quantity_nano"], row["hardened_by"]) == (111 * 10**9, "gate")


def test_an_estimate_of_a_day_to_come_is_refused_until_it_has_come() -> None:
    expected = _expected()["Example_NEM13_forward_estimate.csv"]
    records, _ = _read("Example_NEM13_forward_estimate.csv")
    road = Road(received_ms=stamp_ms("20040110000000", OFFSET_MS)).send(_configured(expected)).send(records)
    assert [(row["verdict"], row["checks_failed"]) for row in road.rows("evidence")] == [
        ("ACCEPTED", ()),
        ("REJECTED", ("future",)),
    ]
