"""Extracts of a month: exact in both formats, and byte-identical for ever once the month is closed."""

import csv
import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import orjson
import pyarrow.parquet as parquet
import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import RunInProgress, run_bills
from meterfold.books.closing import UnableToClose, close_month, verify_months
from meterfold.books.extracts import ORDERS, UnableToExtract, UnknownExtract, named, write_extract
from meterfold.books.months import UnknownBooks
from meterfold.books.showing import balances_of, months_of
from tests.integration.billing_world import NANO, ListLog, World, midnight_ms, ms
from tests.integration.conftest import empty

START = midnight_ms("2024-01-01", "Europe/London")
KWH = 1000 * NANO


def said(world: World, **record: object) -> None:
    world.log.append(b"LE", orjson.dumps({"v": 1, "legal_entity": "LE", "person": "clerk", "booked_ms": 1, **record}))
    world.log.flush()
    project(world.store, world.log)


def paid(world: World, name: str, amount: str, month: str, reference: str = "") -> None:
    said(
        world, type="payment", payment_id=name, account="A", currency="GBP", amount=amount, received_on="2024-02-10", reference=reference,
        allocations=[{"document_number": "INV-000001", "amount": amount}], accounting_period=month,
    )  # fmt: skip


_BILLED: list[World] = []


@pytest.fixture
def billed(store: Store) -> World:
    """January and February metered; January issued in February, paid, and one half-hour of it corrected."""
    if not _BILLED:
        world = World(store, ListLog()).small(standing="0.45", tax=("VAT", "0.05"))
        world.determinants("2024-01-01", "2024-02-01", KWH)
        run_bills(store, world.log, ms("2024-02-01T00:00Z"))
        issue_bill(store, world.log, "A", ms("2024-02-03T00:00Z"))
        paid(world, "P1", "10.00", "2024-02", 'half of it,\n"the rest" follows')
        _BILLED.append(replace(world, log=world.log.revived(), versions=dict(world.versions)))
        empty(store)
    world = World(store, _BILLED[0].log.revived(), versions=dict(_BILLED[0].versions))
    project(store, world.log)
    world.determinants("2024-01-01", "2024-02-01", KWH)
    world.determinants("2024-02-01", "2024-03-01", KWH, quality="MISSING")
    world.adjust(START, -KWH, old_nano=KWH)
    return world


def files(world: World, folder: Path, period: str, format: str = "csv") -> dict[str, bytes]:
    found = {}
    for name in ORDERS:
        written = write_extract(world.store, name, "LE", period, folder / name, format)  # type: ignore[arg-type]
        found[name] = (folder / name).read_bytes()
        assert written.name == name
    return found


def rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode())))


def test_what_extracts_hold(billed: World, tmp_path: Path) -> None:
    found = {name: rows(text) for name, text in files(billed, tmp_path, "2024-02").items()}
    (document,) = found["documents_v1"]
    assert (document["document_number"], document["party_id"], document["total"]) == (
        "INV-000001",
        "P-A",
        document["total"],
    )
    assert Decimal(document["net"]) + Decimal(document["tax"]) == Decimal(document["total"]) == Decimal("483.37")
    assert sum(Decimal(line["amount"]) for line in found["lines_v1"]) == Decimal("483.37")
    assert [(line["tax_point"], line["service_from"]) for line in found["lines_v1"]] == [
        ("2024-01-31", "2024-01-01")
    ] * 3
    assert found["payments_v1"][0]["reference"] == 'half of it,\n"the rest" follows'
    assert found["payments_v1"][0]["allocations"] == "INV-000001=10"
    assert [row["ledger_account"] for row in found["journal_v1"]] == [
        "receivable", "revenue:energy", "revenue:standing", "tax:VAT", "bank", "receivable",
    ]  # fmt: skip
    # January was never closed: its windows are January's, corrections and all
    february = found["determinants_v1"]
    assert len(february) == 29 * 48 and {(row["quantity"], row["quality"]) for row in february} == {("", "MISSING")}
    january = rows(files(billed, tmp_path, "2024-01")["determinants_v1"])
    assert [(row["start_utc"], row["revision"], row["change"], row["quantity"]) for row in january[-1:]] == [
        ("2024-01-01T00:00:00.000Z", "1", "-1000.000000000", "0.000000000")
    ]
    assert len(january) == 31 * 48 + 1
    assert sum(Decimal(row["change"]) for row in january) == (31 * 48 - 1) * 1000
    assert rows(files(billed, tmp_path, "2024-01")["lines_v1"]) == []


@pytest.mark.long
def test_parquet_has_exact_decimals_and_the_same_bytes_again(billed: World, tmp_path: Path) -> None:
    once, again = (files(billed, tmp_path, "2024-02", "parquet") for _ in range(2))
    assert once == again
    lines = parquet.read_table(tmp_path / "lines_v1")
    assert str(lines.schema.field("amount").type) == "decimal128(38, 4)"
    assert str(lines.schema.field("tax_point").type).startswith("date32")
    assert sum(lines["amount"].to_pylist()) == Decimal("483.37")
    assert lines.column_names == rows_head(billed, tmp_path)


def rows_head(world: World, folder: Path) -> list[str]:
    write_extract(world.store, "lines_v1", "LE", "2024-02", folder / "head")
    return next(csv.reader(io.StringIO((folder / "head").read_text())))


def test_a_closed_month_stays_byte_for_byte_whatever_comes_after(billed: World, tmp_path: Path) -> None:
    store, log = billed.store, billed.log
    opened = files(billed, tmp_path, "2024-01")
    january = close_month(store, log, "LE", "2024-01", "finance", ms("2024-03-05T00:00Z"))
    february = close_month(store, log, "LE", "2024-02", "finance", ms("2024-03-05T00:00Z"))
    assert [(item.currency, item.documents, item.total) for item in february.sums] == [("GBP", 1, Decimal("483.37"))]
    assert not january.sums and not january.accrued
    was = {period: files(billed, tmp_path, period) for period in ("2024-01", "2024-02")}
    assert was["2024-01"] == opened
    assert [item.rows for item in february.extracts] == [1, 3, 6, 1, 29 * 48]
    # everything goes on: corrections, another clock, another ledger, another party, bills, payments
    billed.adjust(START + 1_800_000, -KWH, old_nano=KWH)
    billed.adjust(START, KWH, old_nano=0, revision=2)
    billed.reference(
        "legal_entity",
        "LE",
        {"name": "LE Ltd", "currency": "GBP", "invoice_series": "INV", "ledger": {"revenue": "4400"}},
    )
    billed.site(zone="Pacific/Auckland")
    billed.site(zone="Europe/London")
    billed.account(day=1)
    billed.determinants("2024-03-01", "2024-04-01", KWH)
    run_bills(store, log, ms("2024-04-01T00:00Z"))
    (credit,) = issue_bill(store, log, "A", ms("2024-03-31T00:00Z"))[:1]
    assert credit.kind == "credit_note"
    paid(billed, "P2", "1.00", "2024-03")
    assert {period: files(billed, tmp_path, period) for period in was} == was
    assert all(item.is_same for item in verify_months(store, "LE"))
    march = close_month(store, log, "LE", "2024-03", "finance", ms("2024-04-05T00:00Z"))
    found = {name: rows(text) for name, text in files(billed, tmp_path, "2024-03").items()}
    assert len(found["documents_v1"]) == march.extracts[0].rows == 2 and {
        row["ledger_account"] for row in found["journal_v1"]
    } >= {"4400"}
    changed = [Decimal(row["change"]) for row in found["determinants_v1"]]
    assert sum(changed) == (31 * 48 - 2) * 1000 and sorted(changed)[:2] == [-1000, 1000], (
        "March lost an hour; January was corrected twice"
    )
    # and all of it again from the log
    windows = (
        store.query("SELECT * FROM determinant_stretches").dicts(),
        store.query("SELECT * FROM adjustments").dicts(),
    )
    frontier = store.query("SELECT * FROM frontier FINAL WHERE kind = 'fold'").dicts()
    empty(store)
    for table, stored in (("determinant_stretches", windows[0]), ("adjustments", windows[1]), ("frontier", frontier)):
        store.insert(table, {name: [row[name] for row in stored] for name in stored[0]})
    project(store, log.revived())
    assert {period: files(billed, tmp_path, period) for period in was} == was
    assert len(verify_months(store, "LE")) == 15 and all(item.is_same for item in verify_months(store, "LE"))
    # and verifying can fail
    store.command("ALTER TABLE bill_lines DELETE WHERE position = 3 SETTINGS mutations_sync = 2")
    assert {item.name for item in verify_months(store, "LE", "2024-02") if not item.is_same} == {
        "documents_v1",
        "lines_v1",
        "journal_v1",
    }


def test_months_close_in_order_and_only_once(billed: World) -> None:
    store, log, now = billed.store, billed.log, ms("2024-04-05T00:00Z")
    for period, why in (
        ("2024-03", "the first of LE in which something is booked is 2024-02"),
        ("2024-04", "is not over"),
    ):
        with pytest.raises(UnableToClose, match=why):
            close_month(store, log, "LE", period, "finance", now)
    with pytest.raises(UnknownBooks, match="'2024-4' is no month"):
        close_month(store, log, "LE", "2024-4", "finance", now)
    with pytest.raises(UnknownBooks, match="NONE is not in the portfolio; it has LE"):
        close_month(store, log, "NONE", "2024-02", "finance", now)
    run = log.of_type("run_opened")[0]
    said(billed, **{**run, "run_id": "LE-R9", "lease_until_ms": now + 1000})
    with pytest.raises(RunInProgress, match="LE-R9"):
        close_month(store, log, "LE", "2024-02", "finance", now)
    close_month(store, log, "LE", "2024-02", "finance", now + 1000)
    for period, why in (("2024-02", "closed already"), ("2024-01", "closed already"), ("2024-04", "is not over")):
        with pytest.raises(UnableToClose, match=why):
            close_month(store, log, "LE", period, "finance", now + 1000)
    with pytest.raises(UnableToClose, match=r"the next one of LE is 2024-03"):
        close_month(store, log, "LE", "2024-04", "finance", ms("2024-06-01T00:00Z"))
    with pytest.raises(UnableToClose, match="has not closed 2024-03"):
        verify_months(store, "LE", "2024-03")


def test_what_a_person_looks_at(billed: World) -> None:
    store = billed.store
    zero = Decimal(0)
    assert balances_of(store, "LE", "2024-02").rows == [
        ("GBP", "bank", "", Decimal("10.00"), zero, Decimal("10.00")),
        ("GBP", "receivable", "", Decimal("483.37"), Decimal("10.00"), Decimal("473.37")),
        ("GBP", "revenue:energy", "", zero, Decimal("446.40"), Decimal("-446.40")),
        ("GBP", "revenue:standing", "", zero, Decimal("13.95"), Decimal("-13.95")),
        ("GBP", "tax:VAT", "", zero, Decimal("23.02"), Decimal("-23.02")),
    ]
    assert balances_of(store, "LE", "2024-01").rows == []
    record = {
        "period": "2024-01",
        "lines": 0,
        "sha256": "0" * 64,
        "frontier": [],
        "billing_offset": 0,
        "extracts": [],
        "booked_ms": 86_400_000,
    }
    said(billed, type="period_closed", **record)
    assert [row[:7] for row in months_of(store, "LE").rows] == [
        ("2024-01", 0, 0, 0, "no", "closed", "clerk"), ("2024-02", 1, 1, 0, "no", "open", ""),
    ]  # fmt: skip


def test_names_and_files(billed: World, tmp_path: Path) -> None:
    assert named("lines") == named("lines_v1") == "lines_v1"
    with pytest.raises(UnknownExtract, match=r"no extract line; there are documents_v1, "):
        named("line")
    with pytest.raises(UnableToExtract, match="cannot be written"):
        write_extract(billed.store, "lines_v1", "LE", "2024-02", tmp_path)
    odd = tmp_path / "it's a\\file"
    assert write_extract(billed.store, "lines_v1", "LE", "2024-02", odd).rows == 3
    assert list(tmp_path.iterdir()) == [odd]
