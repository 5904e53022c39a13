"""A portfolio against what is in force: nothing twice, nothing silently gone, everything said before it is done."""

from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from meterfold.portfolio import Plan, Portfolio, load_text, plan
from meterfold.portfolio.difference import FieldChange, differences
from meterfold.portfolio.touches import Touch

EXAMPLE = (Path(__file__).parents[2] / "examples" / "portfolio.yaml").read_text(encoding="utf-8")
Record = dict[str, Any]


def planned(text: str, in_force: list[Record]) -> Plan:
    portfolio = load_text(text)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return plan(portfolio, in_force)


def from_log(records: list[Record]) -> list[Record]:
    """As the command line reads them back."""
    return [orjson.loads(orjson.dumps(record)) for record in records]


def edited(*changes: tuple[str, str], text: str = EXAMPLE) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@pytest.fixture(scope="module")
def in_force() -> list[Record]:
    return from_log(planned(EXAMPLE, []).reference_records())


def test_the_same_file_twice_appends_nothing(in_force: list[Record]) -> None:
    again = planned(EXAMPLE, in_force)
    assert again.is_empty and not again.problems and not again.touches
    assert again.reference_records() == [] and again.raw_records() == []
    assert again.lines() == ["= 18 unchanged"]


def test_how_it_is_written_makes_no_difference(in_force: list[Record]) -> None:
    other = edited(
        ("{ E1: E1 } # its register", "{ E1: { channel: E1, role: intervals, multiplier: 1 } } #"),
        ("E1: 0.2845 #", "E1: { unit: kWh, bands: [{ name: flat, rate: '0.284500' }] } #"),
        ("from: 2026-03-04 10:07", "from: 2026-03-04T09:07:00Z"),
        ("holidays: [2026-01-01, 2026-04-03", "holidays: [2026-04-03, 2026-01-01"),
        (
            "{ interval: 15 }",
            "{ interval: 15min, billing_grid: 15, allowance: 120min, horizon_days: 35, signed: false }",
        ),
        ("A-1: { party_id: P-17,", "A-1: { party_id: P-17, currency: EUR, calendar: { kind: monthly, day: 1 },"),
        ("- { account: A-1,", "- { id: A-1/FLAT-1/2026-01-01, account: A-1,"),
    )
    assert planned(other, in_force).lines() == ["= 18 unchanged"]


def test_a_newer_time_zone_database_with_the_same_offsets_changes_nothing(in_force: list[Record]) -> None:
    older = from_log(in_force)
    for record in older:
        if record["kind"] == "site":
            record["body"]["tzdata"] = "2019.1"
    assert planned(EXAMPLE, older).is_empty


def test_the_latest_version_counts_in_whatever_order_records_come(in_force: list[Record]) -> None:
    dearer = planned(edited(("0.2845", "0.30")), in_force)
    log = [*in_force, *from_log(dearer.reference_records()), {"type": "run_opened", "v": 1}]
    assert planned(edited(("0.2845", "0.30")), log[::-1]).is_empty
    back = planned(EXAMPLE, log)
    assert [(record["id"], record["version"]) for record in back.reference_records()] == [("HOME", 3)]


def test_the_difference_is_shown_field_by_field(in_force: list[Record]) -> None:
    found = planned(
        edited(
            ("2026-12-26]", "2027-01-01]"),
            ("standing_per_day: 0.60", "standing_per_day: 0.65"),
            ("{ interval: 15 }", "{ interval: 15, allowance: 1h }"),
            ("  A-3:", "  A-4: { party_id: P-4, billing_from: 2026-06-01 }\n  A-3:"),
            ("decimals: 3, digits: 8, max_per_hour: 2.5", "decimals: 3, digits: 8, max_per_hour: 3"),
        ),
        in_force,
    )
    assert found.lines() == [
        "+ account A-4",
        "~ site LINDENHOF-7",
        "    holidays: -2026-12-26 +2027-01-01",
        *(
            line
            for device in ("EM-1001", "EM-1002", "EM-2044", "PV-9", "WM-55")
            for line in (
                f"~ device {device}",
                "    calendar: that of its site, which has changed",
                *(["    channels[FLAT-1/E1].allowance_s: 7200 -> 3600"] if device == "EM-1001" else []),
                *(
                    ["    registers[FLAT-2/M/W1/spans].max_nano_per_hour: 2500000000 -> 3000000000"]
                    if device == "WM-55"
                    else []
                ),
            )
        ),
        "~ tariff HOME-WATER",
        "    versions[1].standing_per_day: 0.6 -> 0.65",
        "= 11 unchanged",
    ]


def test_only_what_changed_is_appended(in_force: list[Record]) -> None:
    found = planned(edited(("{ interval: 15 }", "{ interval: 15, allowance: 1h }")), in_force)
    assert [(record["kind"], record["id"], record["version"]) for record in found.reference_records()] == [
        ("device", "EM-1001", 2)
    ]
    assert [(record["type"], record["device"], record["version"]) for record in found.raw_records()] == [
        ("configuration", "EM-1001", 2)
    ]
    assert found.touches == ()


def test_lists_of_objects_are_compared_by_name() -> None:
    old = {"bands": [{"name": "a", "rate": "1"}, {"name": "b", "rate": "2"}], "days": ["mon"], "at_ms": 0}
    new = {"bands": [{"name": "b", "rate": "2"}, {"name": "a", "rate": "1"}], "days": ["mon", "tue"], "at_ms": 1000}
    assert differences(old, new) == [
        FieldChange("bands.order", ["a", "b"], ["b", "a"]),
        FieldChange("days", ["mon"], ["mon", "tue"]),
        FieldChange("at_ms", 0, 1000),
    ]
    assert [str(change) for change in differences(old, new)] == [
        "bands.order: a, b -> b, a",
        "days: +tue",
        "at_ms: 1970-01-01T00:00:00Z -> 1970-01-01T00:00:01Z",
    ]
    [gone] = differences(old, {**old, "bands": old["bands"][:1]})  # type: ignore[index]
    assert str(gone) == "bands[b]: name b, rate 2 -> —"


WITHOUT_A3 = edited(
    ("  A-3: { party_id: P-31, billing_from: 2026-04-01 }\n", ""),
    ("  - { account: A-3, supply_point: FLAT-2, from: 2026-04-01, tariff: HOME-WATER }\n", ""),
)


def test_what_is_missing_refuses_the_whole_load(in_force: list[Record]) -> None:
    found = planned(WITHOUT_A3, in_force)
    assert found.missing == (("account", "A-3"), ("tenancy", "A-3/FLAT-2/2026-04-01"))
    assert [problem.code for problem in found.problems] == ["missing", "missing"]
    assert (
        "! accounts.A-3: is in force, but not in the file; put it back, or write under accounts `A-3:`"
        in found.lines()[-2]
    )


def test_what_ended_or_was_withdrawn_with_a_reason_may_go(in_force: list[Record]) -> None:
    text = edited(
        ("accounts:", "accounts:\n  A-3: { withdrawn: { reason: entered twice } }\n  #"),
        ("tenancies:\n", "tenancies:\n  - { id: A-3/FLAT-2/2026-04-01, withdrawn: { reason: entered twice } }\n"),
        text=WITHOUT_A3,
    )
    found = planned(text, in_force)
    assert not found.problems
    records = {(record["kind"], record["id"]): record for record in found.reference_records()}
    assert records["account", "A-3"]["ended"] == {"reason": "entered twice", "withdrawn": True}
    assert records["account", "A-3"]["body"]["party_id"] == "P-31"
    assert [touch for touch in found.touches if touch.account == "A-3"] == [
        Touch("A-3", date(2026, 4, 1), None, "tenancy A-3/FLAT-2/2026-04-01")
    ]
    log = [*in_force, *from_log(found.reference_records())]
    assert planned(text, log).is_empty
    assert planned(WITHOUT_A3, log).is_empty  # once ended, it need not stay in the file


def test_an_ended_tenancy_stops_on_that_day(in_force: list[Record]) -> None:
    found = planned(
        edited(
            (
                "FLAT-1, from: 2026-01-01, tariff: HOME }",
                "FLAT-1, from: 2026-01-01, tariff: HOME, ended: { at: 2026-09-01, reason: moved out } }",
            )
        ),
        in_force,
    )
    [record] = found.reference_records()
    assert record["body"]["to"] == "2026-09-01"
    assert record["ended"] == {"reason": "moved out", "at": "2026-09-01"}
    assert found.touches == (Touch("A-1", date(2026, 9, 1), None, "tenancy A-1/FLAT-1/2026-01-01"),)


@pytest.mark.parametrize(
    ("ending", "spans"),
    [
        ("ended: { at: 2026-09-01 12:00, reason: scrapped }", [(1_767_222_000_000, 1_788_256_800_000)]),
        ("withdrawn: { reason: typing error }", []),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_device_that_ends_is_cut_there(
    in_force: list[Record], ending: str, spans: list[tuple[int, int]], whole: bool
) -> None:
    rest = EXAMPLE[EXAMPLE.index("  PV-9:") + len("  PV-9:") : EXAMPLE.index("accounts:")]
    text = edited(("  PV-9:" + rest, f"  PV-9:\n    {ending}" + (rest if whole else "\n")))
    found = planned(text, in_force)
    assert not found.problems
    assignment, configuration = found.raw_records()
    assert [(span["from_ms"], span["to_ms"]) for span in assignment["spans"]] == spans
    assert [(span["from_ms"], span["to_ms"]) for span in configuration["registers"]] == spans
    assert len(configuration["channels"]) == len(spans)
    assert (assignment["version"], configuration["version"]) == (2, 2)
    assert planned(text, [*in_force, *from_log(found.reference_records())]).is_empty


def test_what_has_ended_can_come_back(in_force: list[Record]) -> None:
    gone = planned(
        edited(
            ("  A-3: {", "  A-3: { ended: { at: 2027-01-01, reason: sold },"),
            ("from: 2026-04-01, tariff", "from: 2026-04-01, to: 2027-01-01, tariff"),
        ),
        in_force,
    )
    log = [*in_force, *from_log(gone.reference_records())]
    back = planned(EXAMPLE, log)
    assert [(record["id"], record["version"], record["ended"]) for record in back.reference_records()] == [
        ("A-3", 3, None),
        ("A-3/FLAT-2/2026-04-01", 3, None),
    ]


def test_a_device_that_left_the_file_still_stands_where_it_stood(in_force: list[Record]) -> None:
    gone = "  EM-1002: { ended: { at: 2026-03-04 10:07, reason: scrapped } }\n"
    start, end = EXAMPLE.index("  EM-1002:"), EXAMPLE.index("  EM-2044:")
    first = planned(EXAMPLE[:start] + gone + EXAMPLE[end:], in_force)
    log = [*in_force, *from_log(first.reference_records())]
    without = EXAMPLE[:start] + EXAMPLE[end:]
    assert planned(without, log).is_empty
    found = planned(edited(("from: 2026-03-04 10:07 }", "from: 2026-02-04 }"), text=without), log)
    assert [problem.code for problem in found.problems] == ["two_feeds"]
    assert "EM-1002, which is no longer in the file, fed FLAT-2/E1" in str(found.problems[0])


def test_a_load_that_was_cut_off_between_the_logs_is_done_again(in_force: list[Record]) -> None:
    longer = edited(("{ interval: 15 }", "{ interval: 15, allowance: 1h }"))
    cut_off = planned(longer, in_force).raw_records()  # appended; the reference records were not
    again = planned(longer, [*in_force, *cut_off])
    assert [(r["type"], r["version"]) for r in again.raw_records()] == [("assignment", 3), ("configuration", 3)]
    back = planned(EXAMPLE, [*in_force, *cut_off])
    assert [(r["type"], r["version"]) for r in back.raw_records()] == [("assignment", 3), ("configuration", 3)]
    assert back.raw_records()[1]["channels"][0]["allowance_s"] == 7200
    assert "    raw version: 1 -> 2" in back.lines()


TOUCHES: list[tuple[str, str, list[Touch]]] = [
    ("E1: 0.2845", "E1: 0.2945", [Touch("A-1", date(2026, 1, 1), date(2026, 7, 1), "tariff HOME")]),
    (
        "W1: { unit: m3, rate: 4.20 }",
        "W1: { unit: m3, rate: 4.30 }",
        [
            Touch("A-2", date(2026, 1, 1), date(2026, 4, 1), "tariff HOME-WATER"),
            Touch("A-3", date(2026, 4, 1), None, "tariff HOME-WATER"),
        ],
    ),
    ("effective_from: 2026-07-01", "effective_from: 2026-08-01", [Touch("A-1", date(2026, 7, 1), date(2026, 8, 1), "tariff HOME")]),
    ("to: 2026-04-01, tariff", "to: 2026-03-15, tariff", [
        Touch("A-2", date(2026, 3, 15), date(2026, 4, 1), "tenancy A-2/FLAT-2/2026-01-01"),
    ]),
    (
        "from: 2026-01-01, tariff: HOME }",
        "from: 2026-01-01, tariff: HOME-2 }",
        [
            Touch("A-1", date(2026, 1, 1), None, "tariff HOME-2"),
            Touch("A-1", date(2026, 1, 1), None, "tenancy A-1/FLAT-1/2026-01-01"),
        ],
    ),
    ("multiplier: 40", "multiplier: 80", []),  # nobody is billed for the roof
    ("max_per_hour: 2.5", "max_per_hour: 2", [
        Touch("A-2", date(2026, 1, 1), date(2026, 4, 1), "device WM-55"),
        Touch("A-3", date(2026, 4, 1), None, "device WM-55"),
    ]),
    ("2026-05-01, 2026-12-25", "2026-12-25", [
        Touch("A-1", date(2026, 5, 1), date(2026, 5, 2), "calendar of site LINDENHOF-7"),
        Touch("A-3", date(2026, 5, 1), date(2026, 5, 2), "calendar of site LINDENHOF-7"),
    ]),
    ("P-23, billing_from: 2026-01-01", "P-23, billing_from: 2026-02-01", [
        Touch("A-2", date(2026, 1, 1), date(2026, 2, 1), "billing_from"),
    ]),
    ("P-17, billing_from", "P-17, calendar: { day: 15 }, billing_from", [Touch("A-1", date(2026, 1, 1), None, "calendar")]),
    ("opening_position: -12.40", "opening_position: -12.50", [Touch("A-2", date(2026, 1, 1), date(2026, 1, 2), "opening_position")]),
    ("{ interval: 15 }", "{ interval: 15, policy: { like_days: 5 } }", []),
    ("gate_at: 06:00", "gate_at: 07:00", []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), TOUCHES)
def test_a_change_names_the_accounts_and_days_that_it_reaches(
    in_force: list[Record], old: str, new: str, expected: list[Touch]
) -> None:
    text = edited((old, new))
    if "HOME-2" in text:
        text += "  HOME-2:\n    versions: { effective_from: 2026-01-01, energy: { E1: 0.1 } }\n"
    assert list(planned(text, in_force).touches) == expected


def test_an_exchange_moved_by_an_hour_touches_that_day(in_force: list[Record]) -> None:
    text = edited(
        ("to: 2026-03-04 10:07", "to: 2026-03-04 11:07"), ("from: 2026-03-04 10:07", "from: 2026-03-04 11:07")
    )
    found = planned(text, in_force)
    assert {(touch.account, touch.from_date, touch.to_date) for touch in found.touches} == {
        ("A-2", date(2026, 3, 4), date(2026, 3, 5))
    }


def test_a_touch_reads_as_a_sentence() -> None:
    assert (
        str(Touch("A-1", date(2026, 1, 1), date(2026, 2, 1), "tariff T"))
        == "account A-1 from 2026-01-01 to 2026-02-01: tariff T"
    )
    assert str(Touch("A-1", date(2026, 1, 1), None, "tariff T")) == "account A-1 from 2026-01-01 on: tariff T"
