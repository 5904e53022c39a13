"""Why this amount: a line traced to its reads, file and line; and bills as files for finance."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import UnknownBill
from meterfold.billing.explain import explain_line
from meterfold.billing.export import export_bills
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import run_bills
from meterfold.store import sql_folder
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, band, midnight_ms, ms
from tests.integration.tables import insert_rows

KWH = 1000 * NANO
START = midnight_ms("2024-01-01", "Europe/London")
NOW = ms("2024-02-05T00:00Z")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def raw(world: World, offset: int, **record: Any) -> None:
    """A raw record in the archive."""
    row = {
        "raw_partition": 1,
        "raw_offset": offset,
        "device": record.get("device", "D"),
        "type": record["type"],
        "received_ms": 5,
        "payload": orjson.dumps(record),
    }
    world.store.insert("raw_records", {name: [value] for name, value in row.items()})


def read(world: World, offset: int, sub: int, start_ms: int, **rest: Any) -> None:
    """Evidence for one half-hour, from a raw record."""
    row = {
        "supply_point": "SP", "channel": "E", "raw_partition": 1, "raw_offset": offset, "raw_sub": sub, "origin_partition": 1,
        "origin_offset": offset, "origin_sub": sub, "curated_offset": 50, "kind": "interval", "device": "D", "register": "R",
        "start_ms": start_ms, "end_ms": start_ms + HALF_HOUR_MS, "quantity_nano": KWH, "quality": "ACTUAL", "version": 3,
        "verdict": "ACCEPTED", **rest,
    }  # fmt: skip
    insert_rows(world.store, "evidence", {name: [value] for name, value in row.items()})


_BILLED: list[ListLog] = []


@pytest.fixture
def billed(world: World) -> World:
    """January with a night band: two half-hours were read from line 7 of a file, and the first was corrected from line 9 of another."""
    if _BILLED:
        world.log = _BILLED[0].revived()
        project(world.store, world.log)
    else:
        world.small(bands=[band("night", "0.10", to="07:00"), band("day", "0.30")], standing="1", tax=("VAT", "0.05"))
    world.determinants("2024-01-01", "2024-02-01", KWH)
    raw(world, 10, type="configuration", device="D", version=1, registers=[])
    raw(world, 11, type="day", source={"file": "january.csv", "line": 7, "import": "I1"})
    read(world, 11, 0, START)
    read(world, 11, 1, START + HALF_HOUR_MS)
    read(world, 11, 20, START + 20 * HALF_HOUR_MS)
    read(world, 12, 0, START, verdict="CONFLICTING", quantity_nano=1)
    if not _BILLED:
        run_bills(world.store, world.log, NOW)
        issue_bill(world.store, world.log, "A", NOW)
        _BILLED.append(world.log.revived())
    raw(world, 13, type="interval", source={"file": "late.csv", "line": 9, "import": "I2"})
    read(world, 13, 0, START, verdict="CORRECTED", quantity_nano=3 * KWH, version=4, curated_offset=200)
    world.adjust(START, 2 * KWH, old_nano=KWH)
    return world


def test_a_line_is_traced_to_its_reads_file_and_line(billed: World) -> None:
    explained = explain_line(billed.store, "INV-000001/2")
    assert explained.number == "INV-000001" and explained.line["band"] == "night"
    assert (explained.line["rate"], explained.line["amount"]) == (Decimal("0.1"), Decimal("43.40"))
    assert explained.line["minor_digits"] == 2
    assert (explained.run_id, explained.rule_version) == ("LE-R1", "bills-1")
    assert len(explained.windows) == 31 * 14 and sum(item.quantity for item in explained.windows) == 1000 * 31 * 14
    first = explained.windows[0]
    assert (first.start_utc, first.local_date, first.unit, first.revision) == (
        datetime(2024, 1, 1, tzinfo=UTC),
        date(2024, 1, 1),
        "Wh",
        0,
    )
    assert (first.rule_version, first.config_version, first.hardened_by) == (1, 1, "read")
    reads = [
        (item.start_utc.hour, item.start_utc.minute, item.raw_offset, item.raw_sub, item.file, item.line)
        for item in explained.evidence
    ]
    assert reads == [(0, 0, 11, 0, "january.csv", 7), (0, 30, 11, 1, "january.csv", 7)], (
        "accepted, and inside the night band"
    )
    assert explained.sources == (("january.csv", 7),)
    (configuration,) = explained.configurations
    assert (configuration.device, configuration.version, configuration.raw_partition, configuration.raw_offset) == (
        "D",
        1,
        1,
        10,
    )
    assert [(item.kind, item.id, item.version) for item in explained.references] == [
        ("account", "A", 1), ("site", "SITE", 1), ("supply_point", "SP", 1), ("tariff", "TF", 1), ("tenancy", "T", 1),
    ]  # fmt: skip
    assert explained.adjustments == explained.earlier_lines == explained.taxed_charges == ()


def test_a_configuration_is_found_by_the_views_that_ingest_counted(world: World) -> None:
    """Before a configuration an assignment gives no view; what is repeated or contradicts itself gives none at all."""
    raw(world, 1, type="assignment", device="D", version=0, spans=[])
    raw(world, 2, type="configuration", device="D", version=7)  # view 1
    raw(world, 3, type="configuration", device="D", version=7)
    raw(world, 4, type="assignment", device="D", version=9, spans=[])  # contradicts itself
    raw(world, 5, type="assignment", device="D", version=1, spans=[])  # view 2
    raw(world, 6, type="configuration", device="OTHER", version=3)
    raw(world, 7, type="configuration", device="D", version=8)  # view 3
    world.store.insert("dead_letters", {"raw_partition": [1], "raw_offset": [4], "reason": ["contradiction"]})
    sql = (sql_folder() / "explain" / "configurations.sql").read_text("utf-8")

    def found(*versions: int) -> list[tuple[str, int, int]]:
        rows = world.store.query(sql, {"devices": ["D", "OTHER"], "versions": list(versions)}).rows
        return [(device, version, offset) for device, version, _, offset, *_ in rows]

    assert found(1) == [("D", 7, 2), ("OTHER", 3, 6)]
    assert found(2) == [("D", 7, 2)]
    assert found(2, 3) == [("D", 7, 2), ("D", 8, 7)]
    assert found(8) == []


def test_a_correction_shows_what_is_new_since_the_document_it_corrects(billed: World) -> None:
    (document,) = run_bills(billed.store, billed.log, NOW).documents
    explained = explain_line(billed.store, document.lines[0].line_id)
    assert (explained.line["amount_was"], explained.line["amount_should"], explained.number) == (
        Decimal("43.40"),
        Decimal("43.60"),
        "",
    )
    (change,) = explained.adjustments
    assert (change.start_utc, change.delta, change.reason, change.is_new) == (
        datetime(2024, 1, 1, tzinfo=UTC),
        2000,
        "CORRECTED_READ",
        True,
    )
    assert [(item.document_number, item.amount) for item in explained.earlier_lines] == [
        ("INV-000001", Decimal("43.40"))
    ]
    assert [(item.raw_offset, item.verdict, item.is_in_force, item.file, item.line) for item in explained.evidence][:2] == [
        (11, "ACCEPTED", False, "january.csv", 7), (13, "CORRECTED", True, "late.csv", 9),
    ]  # fmt: skip
    assert explained.sources == (("january.csv", 7), ("late.csv", 9))


@pytest.mark.long
def test_an_explanation_is_the_same_for_ever(billed: World) -> None:
    before = explain_line(billed.store, "INV-000001/2")
    billed.small(bands=[band("night", "0.50")], standing="9")
    billed.adjust(START, KWH, revision=2, old_nano=3 * KWH)
    run_bills(billed.store, billed.log, NOW)
    issue_bill(billed.store, billed.log, "A", NOW)
    assert explain_line(billed.store, "INV-000001/2") == before


def test_a_tax_is_explained_by_the_charges_it_is_on(billed: World) -> None:
    explained = explain_line(billed.store, "INV-000001/4")
    assert explained.line["kind"] == "tax" and explained.windows == explained.evidence == ()
    charges = [(item.kind, item.band, item.amount) for item in explained.taxed_charges]
    assert charges == [
        ("energy", "day", Decimal("316.20")),
        ("energy", "night", Decimal("43.40")),
        ("standing", "", Decimal("31.00")),
    ]
    assert explained.line["quantity_should"] == Decimal("390.60") and explained.line["amount"] == Decimal("19.53")


def test_a_standing_charge_is_explained_by_tenancy_and_tariff(billed: World) -> None:
    explained = explain_line(billed.store, "INV-000001/3")
    assert (explained.line["kind"], explained.line["quantity"], explained.windows) == ("standing", 31, ())
    assert {item.kind for item in explained.references} == {"account", "site", "supply_point", "tariff", "tenancy"}


@pytest.mark.long
def test_register_reads_are_named_from_before_the_first_window_to_after_the_last(world: World) -> None:
    world.small(bands=[band("flat", "1")])
    world.determinants("2024-01-01", "2024-02-01", KWH)
    words = {"type": "register", "words": [17, 4], "source": {"file": "reads.csv", "line": 3}}
    for offset, (day, count) in enumerate(
        {"2023-12-01": 1, "2023-12-30": 2, "2024-01-15": 3, "2024-02-02": 4, "2024-03-01": 5}.items()
    ):
        at = ms(f"{day}T12:00Z")
        raw(world, offset, **words)
        read(world, offset, 0, at, end_ms=at, kind="register", quantity_nano=None, count=count, decimals=1)
    (document,) = run_bills(world.store, world.log, NOW).documents
    found = explain_line(world.store, document.lines[0].line_id).evidence
    assert [(item.count, item.decimals, item.words, item.file, item.line) for item in found] == [
        (count, 1, "[17,4]", "reads.csv", 3) for count in (2, 3, 4)
    ]


def test_a_line_that_is_not_there(billed: World) -> None:
    for line in ("", "INV-000001", "INV-000001/99", "LE-R1"):
        with pytest.raises(UnknownBill):
            explain_line(billed.store, line)


def test_finance_gets_every_issued_line_exactly(billed: World) -> None:
    run_bills(billed.store, billed.log, NOW)
    rows = list(csv.DictReader(io.StringIO(export_bills(billed.store, "csv"))))
    assert [(row["number"], row["kind"], row["band"], row["amount"]) for row in rows] == [
        ("INV-000001", "energy", "day", "316.20"), ("INV-000001", "energy", "night", "43.40"), ("INV-000001", "standing", "", "31.00"),
        ("INV-000001", "tax", "VAT", "19.53"),
    ]  # fmt: skip
    issue_bill(billed.store, billed.log, "A", NOW)
    bills = json.loads(export_bills(billed.store, "json"))
    assert [(bill["number"], bill["corrects"], bill["total"], len(bill["lines"])) for bill in bills] == [
        ("INV-000001", [], "410.13", 4), ("INV-000002", ["INV-000001"], "0.21", 2),
    ]  # fmt: skip
    assert sum(Decimal(bill["total"]) for bill in bills) == Decimal("410.34")
    with pytest.raises(ValueError, match="csv or json"):
        export_bills(billed.store, "xml")  # type: ignore[arg-type]
