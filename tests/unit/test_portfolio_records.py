"""The portfolio as records: exactly the bodies of the contract, exact numbers, and devices that the fold accepts."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from meterfold.portfolio import Plan, Portfolio, load_file, load_text, plan
from state.configuration import read_device_view

EXAMPLE = Path(__file__).parents[2] / "examples" / "portfolio.yaml"


def loaded(text: str) -> Portfolio:
    portfolio = load_text(text)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return portfolio


@pytest.fixture(scope="module")
def example() -> Plan:
    portfolio = load_file(EXAMPLE)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return plan(portfolio, [])


def body(found: Plan, kind: str, id_: str) -> dict[str, Any]:
    [record] = [item for item in found.reference_records() if (item["kind"], item["id"]) == (kind, id_)]
    assert set(record) == {"v", "type", "kind", "id", "version", "body", "ended"}
    result: dict[str, Any] = record["body"]
    return result


def raw(found: Plan, kind: str, device: str) -> dict[str, Any]:
    [record] = [item for item in found.raw_records() if (item["type"], item["device"]) == (kind, device)]
    return record


def test_the_example_is_a_portfolio_without_problems(example: Plan) -> None:
    assert not example.problems
    assert len(example.added) == 18
    assert [record["version"] for record in example.reference_records()] == [1] * 18


def test_bodies_have_exactly_the_keys_of_the_contract(example: Plan) -> None:
    assert body(example, "legal_entity", "LINDENHOF") == {
        "name": "Lindenhof Housing Ltd",
        "currency": "EUR",
        "invoice_series": "LH",
    }
    site = body(example, "site", "LINDENHOF-7")
    assert set(site) == {"legal_entity", "time_zone", "utc_offsets", "holidays", "timetable", "tzdata"}
    assert site["timetable"] == {"gate_after_days": 3, "gate_at": "06:00"}
    assert site["holidays"][0] == "2026-01-01"
    assert body(example, "supply_point", "FLAT-2") == {
        "site": "LINDENHOF-7",
        "channels": [
            {
                "channel": "E1",
                "unit": "kWh",
                "grid_s": 3600,
                "kind": "intervals",
                "commodity": "electricity",
                "direction": "import",
            },
            {
                "channel": "W1",
                "unit": "m3",
                "grid_s": "LOCAL_DAY",
                "kind": "spans",
                "commodity": "water",
                "direction": "import",
            },
        ],
    }
    assert body(example, "account", "A-2") == {
        "legal_entity": "LINDENHOF",
        "party_id": "P-23",
        "currency": "EUR",
        "billing_from": "2026-01-01",
        "calendar": {"kind": "monthly", "day": 1},
        "opening_position": "-12.40",
    }
    assert body(example, "tenancy", "A-2/FLAT-2/2026-01-01") == {
        "account": "A-2",
        "supply_point": "FLAT-2",
        "from": "2026-01-01",
        "to": "2026-04-01",
        "tariff": "HOME-WATER",
    }


def test_a_tariff_body_keeps_the_bands_as_they_are_tried(example: Plan) -> None:
    tariff = body(example, "tariff", "HOME")
    assert set(tariff) == {"currency", "versions"}
    first, second = tariff["versions"]
    assert first == {
        "version": 1,
        "effective_from": "2026-01-01",
        "energy": [
            {
                "channel": "E1",
                "unit": "kWh",
                "bands": [{"name": "flat", "rate": "0.2845", "months": None, "days": None, "from": None, "to": None}],
            }
        ],
        "standing_per_day": "0.45",
        "tax": {"name": "VAT", "rate": "0.19"},
    }
    assert [band["name"] for band in second["energy"][0]["bands"]] == ["winter peak", "night", "day"]
    assert second["energy"][0]["bands"][1] == {
        "name": "night",
        "rate": "0.229",
        "months": None,
        "days": None,
        "from": "22:00",
        "to": "06:00",
    }


def test_the_raw_records_of_a_device_are_its_whole_timeline(example: Plan) -> None:
    exchange_ms = 1_772_615_220_000  # 2026-03-04 10:07 in Berlin
    assert raw(example, "assignment", "EM-1002") == {
        "v": 1,
        "type": "assignment",
        "device": "EM-1002",
        "version": 1,
        "spans": [{"supply_point": "FLAT-2", "from_ms": 1_767_222_000_000, "to_ms": exchange_ms}],
    }
    configuration = raw(example, "configuration", "EM-2044")
    assert set(configuration) == {"v", "type", "device", "version", "registers", "channels", "calendar"}
    assert configuration["registers"][0] == {
        "register": "1.8.0",
        "channel": "E1",
        "role": "check",
        "from_ms": exchange_ms,
        "to_ms": None,
        "multiplier": 1,
        "decimals": 2,
        "digits": 8,
        "nano_per_count": 10_000_000,
        "max_nano_per_hour": 15_000_000_000,
    }
    assert configuration["channels"] == [
        {
            "channel": "E1",
            "kind": "intervals",
            "unit": "kWh",
            "interval_s": 900,
            "grid_s": 3600,
            "allowance_s": 7200,
            "horizon_days": 35,
            "signed": False,
            "policy": {"interpolate_max_s": 7200, "like_days": 3, "spike_factor": 50, "zero_run_s": 86_400},
        }
    ]
    site = body(example, "site", "LINDENHOF-7")
    assert configuration["calendar"] == {
        "site": "LINDENHOF-7",
        "time_zone": "Europe/Berlin",
        "utc_offsets": site["utc_offsets"],
        "holidays": site["holidays"],
    }
    assert raw(example, "configuration", "PV-9")["channels"][0]["policy"]["like_days"] is None


def test_the_fold_understands_every_configuration(example: Plan) -> None:
    for record in example.raw_records():
        if record["type"] == "configuration":
            view = read_device_view(orjson.loads(orjson.dumps(record)))
            assert {span.channel for span in view.spans} == {channel.channel for channel in view.channels}


LATE = """
legal_entities:
  LE:
    name: L
    currency: EUR
    back_billing: { months: 12, bearer: LANDLORD }
    holds: { change: 0.50, amount: 2500.00 }
"""


def test_a_legal_entity_may_say_what_is_too_late_and_what_is_held() -> None:
    assert body(plan(loaded(LATE), []), "legal_entity", "LE") == {
        "name": "L", "currency": "EUR", "invoice_series": "LE",
        "back_billing": {"months": 12, "bearer": "LANDLORD", "reason": "the period ended more than 12 months before"},
        "holds": {"change": "0.50", "amount": "2500.00"},
    }  # fmt: skip
    [problem] = load_text(LATE.replace("2500.00", "2500.001"))  # type: ignore[misc]
    assert str(problem).endswith("write at most 2 decimals") and "holds.amount" in str(problem)


def test_records_are_the_same_bytes_every_time(example: Plan) -> None:
    portfolio = load_file(EXAMPLE)
    assert isinstance(portfolio, Portfolio)
    again = plan(portfolio, [])
    assert orjson.dumps(again.reference_records()) == orjson.dumps(example.reference_records())
    assert orjson.dumps(again.raw_records()) == orjson.dumps(example.raw_records())


HOUSE = """
legal_entities: { LE: { name: L, currency: EUR } }
sites: { S: { time_zone: Europe/London } }
supply_points:
  SP-1: { channels: { C: { kind: totals, interval: 30 }, D: { kind: totals, interval: 30 } } }
  SP-2: { channels: { C: { kind: totals, interval: 60 } } }
devices:
  M:
    assignments: %s
    registers: %s
"""


@pytest.mark.parametrize(
    ("register", "nano_per_count", "max_nano_per_hour"),
    [
        ("{ channel: C }", 10**9, None),
        ("{ channel: C, decimals: 1 }", 10**8, None),
        ("{ channel: C, decimals: 3, multiplier: 40 }", 40 * 10**6, None),
        ("{ channel: C, decimals: 10, multiplier: 10 }", 1, None),
        ("{ channel: C, per_count: 0.01 }", 10**7, None),
        ("{ channel: C, per_count: 0.000000001 }", 1, None),
        ("{ channel: C, per_count: '0.123456789' }", 123_456_789, None),
        ("{ channel: C, max_per_hour: 50 }", 10**9, 50 * 10**9),
        ("{ channel: C, max_per_hour: 0.1 }", 10**9, 10**8),
        ("{ channel: C, max_per_hour: 0.000000003 }", 10**9, 3),
    ],
)
def test_one_count_is_an_exact_number_of_nano_units(
    register: str, nano_per_count: int, max_nano_per_hour: int | None
) -> None:
    found = plan(loaded(HOUSE % ("{ supply_point: SP-1, from: 2026-01-01 }", f"{{ R: {register} }}")), [])
    [row] = raw(found, "configuration", "M")["registers"]
    assert (row["nano_per_count"], row["max_nano_per_hour"]) == (nano_per_count, max_nano_per_hour)


def test_registers_are_cut_to_each_assignment_and_tell_equal_channel_names_apart() -> None:
    spans = "[{ supply_point: SP-1, from: 2026-01-01, to: 2026-02-01 }, { supply_point: SP-2, from: 2026-03-01 }]"
    configuration = raw(plan(loaded(HOUSE % (spans, "{ R: C }")), []), "configuration", "M")
    assert [(row["supply_point"], row["from_ms"], row["to_ms"]) for row in configuration["registers"]] == [
        ("SP-1", 1_767_225_600_000, 1_769_904_000_000),
        ("SP-2", 1_772_323_200_000, None),
    ]
    assert [(row["supply_point"], row["interval_s"]) for row in configuration["channels"]] == [
        ("SP-1", 1800),
        ("SP-2", 3600),
    ]


def test_equal_channel_names_that_the_device_does_not_feed_need_no_telling_apart() -> None:
    spans = "[{ supply_point: SP-1, from: 2026-01-01, to: 2026-02-01 }, { supply_point: SP-2, from: 2026-03-01 }]"
    registers = "{ Q: { channel: D, to: 2026-02-01 }, R: { channel: C, from: 2026-03-01 } }"
    configuration = raw(plan(loaded(HOUSE % (spans, registers)), []), "configuration", "M")
    assert all("supply_point" not in row for row in [*configuration["registers"], *configuration["channels"]])


def test_assignments_that_touch_are_one_so_that_no_register_chain_breaks() -> None:
    spans = "[{ supply_point: SP-1, from: 2026-02-01 }, { supply_point: SP-1, from: 2026-01-01, to: 2026-02-01 }]"
    found = plan(loaded(HOUSE % (spans, "{ R: C }")), [])
    assert len(raw(found, "assignment", "M")["spans"]) == len(raw(found, "configuration", "M")["registers"]) == 1


def test_a_register_may_change_its_factor_within_an_assignment() -> None:
    registers = "{ R: [{ channel: C, to: 2026-02-01 }, { channel: C, from: 2026-02-01, multiplier: 2 }] }"
    found = plan(loaded(HOUSE % ("{ supply_point: SP-1, from: 2026-01-01 }", registers)), [])
    rows = raw(found, "configuration", "M")["registers"]
    assert [(row["multiplier"], row["nano_per_count"]) for row in rows] == [(1, 10**9), (2, 2 * 10**9)]
    assert rows[0]["to_ms"] == rows[1]["from_ms"]


def test_units_take_the_spelling_that_the_connectors_deliver() -> None:
    text = HOUSE.replace("interval: 60", "interval: 60, unit: KVARH") % (
        "{ supply_point: SP-2, from: 2026-01-01 }",
        "{ R: C }",
    )
    assert raw(plan(loaded(text), []), "configuration", "M")["channels"][0]["unit"] == "kvarh"
