"""sql/checks: silent on a healthy store, and each one fires on the defect it is for, seeded by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import run_bills
from meterfold.store import sql_folder
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms
from tests.integration.conftest import empty
from tests.integration.tables import insert_rows

CHECKS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((sql_folder() / "checks").glob("*.sql"))}
KWH = 1000 * NANO
START = midnight_ms("2024-01-01", "Europe/London")

_BILLED: list[World] = []


@pytest.fixture
def healthy(store: Store) -> World:
    """Three months of reads, evidence, ledgers; January corrected after it was issued; February issued; March a draft."""
    if not _BILLED:
        world = World(store, ListLog()).small(standing="0.45", tax=("VAT", "0.05"))
        fold_rows(world, "2024-02-01")
        run_bills(store, world.log, ms("2024-02-01T00:00Z"))
        issue_bill(store, world.log, "A", 1)
        world.adjust(START, -KWH, old_nano=KWH, revision=1)
        world.determinants("2024-02-01", "2024-03-01", KWH)
        run_bills(store, world.log, ms("2024-03-01T00:00Z"))
        issue_bill(store, world.log, "A", 2)
        world.determinants("2024-03-01", "2024-04-01", KWH)
        run_bills(store, world.log, ms("2024-04-02T00:00Z"))
        edition(world, 1, drafted="ann", proposed="ann", approved="ben", effective="ann", withdrawn="ben")
        _BILLED.append(replace(world, log=world.log.revived()))
    empty(store)
    world = World(store, _BILLED[0].log.revived())
    project(store, world.log)
    fold_rows(world, "2024-04-01")
    world.adjust(START, -KWH, old_nano=KWH, revision=1)
    read(world, 1, 0, 0, verdict="CORRECTED")
    world.store.insert(
        "ledger", {"outcome": ["ACCEPTED", "CORRECTED"], "count": [48, 1], "curated_offset": [10_000, 10_000]}
    )
    return world


def fold_rows(world: World, to: str) -> None:
    """Determinants, the evidence for the first day of them, and ledgers that agree."""
    world.determinants("2024-01-01", to, KWH)
    read(world, 0, 0, 1000, count=48)
    world.store.insert(
        "raw_records", {"raw_offset": list(range(10)), "type": ["interval"] * 10, "payload": ["{}"] * 10}
    )
    counts = {"forwarded": 7, "quarantined": 2, "dead_lettered": 1, "intervals_forwarded": 99}
    rows: dict[str, list[Any]] = {"outcome": list(counts), "count": list(counts.values()), "raw_offset": [9] * 4}
    world.store.insert("ingest_ledger", rows)


def read(world: World, raw_partition: int, at: int, quantity: int, verdict: str = "ACCEPTED", count: int = 1) -> None:
    """Evidence of `count` half-hours; `at` counts from the start of 2024."""
    places = range(at, at + count)
    same = {
        "supply_point": "SP", "channel": "E", "raw_partition": raw_partition, "kind": "interval", "device": "D", "quality": "ACTUAL",
        "quantity_nano": quantity * NANO, "verdict": verdict,
    }  # fmt: skip
    insert_rows(
        world.store,
        "evidence",
        {
            **{name: [value] * count for name, value in same.items()},
            "raw_offset": list(places),
            "curated_offset": [1000 * raw_partition + place for place in places],
            "start_ms": [START + place * HALF_HOUR_MS for place in places],
            "end_ms": [START + (place + 1) * HALF_HOUR_MS for place in places],
        },
    )


def fired(store: Store) -> set[str]:
    return {name for name, sql in CHECKS.items() if store.query(sql).rows}


def test_every_check_is_silent_on_a_healthy_store(healthy: World) -> None:
    assert {name: rows for name, sql in CHECKS.items() if (rows := healthy.store.query(sql).rows)} == {}


def test_every_check_is_silent_on_an_empty_store(store: Store) -> None:
    assert fired(store) == set()


def edition(world: World, number: int, **steps: str) -> None:
    """Steps of an edition of TF, each with the person who took it."""
    for action, person in steps.items():
        body = {"body": {"currency": "GBP", "versions": []}} if action == "drafted" else {}
        said = {
            "tariff": "TF",
            "edition": number,
            "action": action,
            "person": person,
            "reason": "a try",
            "booked_ms": 1,
        }
        log_record(world, type="tariff_change", **said, **body)


def log_record(world: World, **record: Any) -> None:
    world.log.append(b"LE", orjson.dumps({"v": 1, **record}))
    world.log.flush()
    project(world.store, world.log)


def another_issued(world: World, **changed: Any) -> None:
    """A second issued record, of the draft of March."""
    draft = next(item for item in reversed(world.log.of_type("line")))
    (document,) = world.store.query(
        "SELECT lines_sha256, total FROM bill_documents WHERE document_id = {id:String}", {"id": draft["document_id"]}
    ).rows
    record = {
        **world.log.of_type("issued")[-1], "document_id": draft["document_id"], "run_id": draft["run_id"], "number": 4,
        "document_number": "INV-000004", "lines_sha256": document[0], "total": str(document[1]), "corrects": [],
        "period_from": draft["period_from"], "period_to": draft["period_to"], "kind": "invoice", **changed,
    }  # fmt: skip
    log_record(world, **record)


def line_again(world: World, **changed: Any) -> None:
    """The last line of the log once more, changed."""
    log_record(world, **{**world.log.of_type("line")[-1], **changed})


def sql(statement: str) -> Callable[[World], None]:
    return lambda world: world.store.command(statement + " SETTINGS mutations_sync = 2")


def determinant_lost(world: World) -> None:
    """The windows of January once more, without one of the first day."""
    world.store.command("TRUNCATE TABLE determinant_stretches")
    world.determinants(START, START + 9 * HALF_HOUR_MS, KWH)
    world.determinants(START + 10 * HALF_HOUR_MS, "2024-04-01", KWH)


def beyond_range(world: World) -> None:
    """Only by going round both the store and the constraint."""
    world.store.command("ALTER TABLE determinant_stretches DROP CONSTRAINT quantities_in_range")
    try:
        world.store.command(
            "INSERT INTO determinant_stretches (supply_point, quantities_nano, cause_subs) VALUES ('HUGE', [5000000000000000000], [0])"
        )
    finally:
        world.store.command(
            "ALTER TABLE determinant_stretches ADD CONSTRAINT quantities_in_range "
            "CHECK arrayAll(quantity -> abs(quantity) < 1000000000000000000, quantities_nano)"
        )


def double_billed(world: World, **changed: Any) -> None:
    """January's first document once more under another run and the next number; its line as `changed`."""
    run, line = world.log.of_type("run_opened")[0], {**world.log.of_type("line")[0], **changed}
    total = "0.00" if "withheld" in line else line["amount"]
    log_record(world, **{**run, "run_id": "LE-R9"})
    log_record(world, **{**line, "run_id": "LE-R9", "document_id": "D9", "line_id": "D9/1", "position": 1})
    log_record(world, type="run_closed", run_id="LE-R9", lines=1, total={"GBP": total})
    found = world.store.query("SELECT lines_sha256 FROM bill_documents WHERE document_id = 'D9'").rows
    record = {
        **world.log.of_type("issued")[0], "document_id": "D9", "run_id": "LE-R9", "number": 4, "document_number": "INV-000004",
        "lines_sha256": found[0][0], "total": total,
    }  # fmt: skip
    log_record(world, **record)


def withheld_credit(world: World) -> None:
    """A line that withholds a credit: a net claim of less than nothing."""
    changes = {
        "amount": "-5.00",
        "amount_should": "-5.00",
        "amount_was": "0.00",
        "withheld": {"reason": "late", "bearer": "LANDLORD"},
    }
    double_billed(world, **changes)


def payment(world: World, **changed: Any) -> None:
    record = {
        "type": "payment", "payment_id": "P1", "legal_entity": "LE", "account": "A", "currency": "GBP", "amount": "5000.00",
        "received_on": "2024-05-01", "reference": "", "allocations": [], "person": "clerk", "booked_ms": 5, "accounting_period": "2024-05",
    }  # fmt: skip
    log_record(world, **{**record, **changed})


def entry(world: World, **changed: Any) -> None:
    record = {
        "type": "entry", "entry_id": "E1", "legal_entity": "LE", "account": "A", "kind": "fee", "currency": "GBP", "amount": "5.00",
        "on": "2024-05-01", "concerns": "", "person": "clerk", "reason": "reminder", "booked_ms": 5, "accounting_period": "2024-05",
    }  # fmt: skip
    log_record(world, **{**record, **changed})


def twice(book: Callable[..., None], first: dict[str, str], second: dict[str, str]) -> Callable[[World], None]:
    """The same booking as `first` and as `second` say."""

    def seed(world: World) -> None:
        book(world, **first)
        book(world, **second)

    return seed


def contested(world: World, **changed: Any) -> None:
    record = {
        "type": "dispute", "dispute_id": "D1", "legal_entity": "LE", "account": "A", "document_number": "INV-000001", "state": "opened",
        "amount": "1.00", "person": "clerk", "reason": "was away", "booked_ms": 5,
    }  # fmt: skip
    log_record(world, **{**record, **changed})


def released(world: World, **changed: Any) -> None:
    (line, *_) = world.log.of_type("line")
    record = {
        "type": "released", "document_id": line["document_id"], "legal_entity": "LE", "rules": ["AMOUNT"], "person": "clerk",
        "reason": "it is right", "booked_ms": 5,
    }  # fmt: skip
    log_record(world, **{**record, **changed})


def entry_of_no_kind(world: World) -> None:
    """Only by going round the log."""
    world.store.command(
        "INSERT INTO account_entries (entry_id, account, currency, kind, amount) VALUES ('E1', 'A', 'GBP', 'mystery', 5)"
    )


def month_closed(world: World, period: str, **rows: int) -> None:
    """A month is closed with these rows in its extracts."""
    extracts = [{"name": name, "rows": count, "sha256": "0" * 64} for name, count in rows.items()]
    log_record(
        world, type="period_closed", legal_entity="LE", period=period, lines=0, sha256="0" * 64, frontier=[], billing_offset=0,
        extracts=extracts, person="clerk", booked_ms=0,
    )  # fmt: skip


def booked_into_a_closed_month(world: World) -> None:
    month_closed(world, "1970-01")
    another_issued(world)


def booked_before_its_day(world: World) -> None:
    log_record(
        world, type="payment", payment_id="P", legal_entity="LE", account="A", currency="GBP", amount="1.00", received_on="2024-02-01",
        reference="", allocations=[], person="clerk", booked_ms=0, accounting_period="2024-01",
    )  # fmt: skip


def months_out_of_order(world: World) -> None:
    month_closed(world, "2030-01")
    month_closed(world, "2030-03")


def period_left_out(world: World) -> None:
    """March is issued, February never was."""
    another_issued(world)
    sql("ALTER TABLE bill_issued DELETE WHERE period_from = '2024-02-01'")(world)


DEFECTS: dict[str, tuple[str, Callable[[World], None]]] = {
    "evidence lost": ("ledger_equals_evidence", sql("ALTER TABLE evidence_stretches DELETE WHERE raw_offset = 7")),
    "evidence judged otherwise": ("ledger_equals_evidence", lambda world: read(world, 0, 7, 1000, verdict="REJECTED")),
    "evidence nobody counted": ("ledger_equals_evidence", lambda world: read(world, 3, 7, 1000, verdict="DUPLICATE")),
    "a raw record without outcome": (
        "ingest_ledger_equals_archive", sql("ALTER TABLE ingest_ledger DELETE WHERE outcome = 'dead_lettered'")
    ),
    "a raw record lost": ("ingest_ledger_equals_archive", sql("ALTER TABLE raw_records DELETE WHERE raw_offset = 3")),
    "determinants that overlap": (
        "determinants_do_not_overlap", lambda world: world.windows([(START + 1, START + HALF_HOUR_MS + 1, KWH)])
    ),
    "a determinant lost": ("determinants_have_no_gap", determinant_lost),
    "a revision lost": ("adjustments_chain", lambda world: world.adjust(START, KWH, revision=3, old_nano=0)),
    "an adjustment of nothing": ("adjustments_chain", lambda world: world.adjust(1, KWH, old_nano=0)),
    "an adjustment on another value": ("adjustments_chain", lambda world: world.adjust(START, KWH, revision=2, old_nano=5)),
    "an adjustment by zero": ("adjustments_chain", lambda world: world.adjust(START, 0, revision=2, old_nano=0)),
    "a quantity that is not its parts": (
        "quantity_is_the_sum_of_its_parts", lambda world: world.adjust(START + 5 * HALF_HOUR_MS, 1, old_nano=KWH)
    ),
    "a quantity out of range": ("quantities_are_in_range", beyond_range),
    "a number skipped": ("numbers_are_gapless", lambda world: another_issued(world, number=5, document_number="INV-000005")),
    "a number twice": ("numbers_are_gapless", lambda world: another_issued(world, number=3, document_number="INV-000003")),
    "an issued line lost": ("issued_documents_are_frozen", sql("ALTER TABLE bill_lines DELETE WHERE position = 2 AND run_id = 'LE-R1'")),
    "an issued document without lines": ("issued_documents_are_frozen", lambda world: another_issued(world, document_id="NONE")),
    "another total": ("issued_documents_are_frozen", lambda world: another_issued(world, total="1.00")),
    "another hash": ("issued_documents_are_frozen", lambda world: another_issued(world, lines_sha256="ab" * 32)),
    "an invoice called a credit note": ("issued_documents_are_frozen", lambda world: another_issued(world, kind="credit_note")),
    "an issued line changed": (
        "issued_documents_are_frozen",
        lambda world: log_record(world, **{**world.log.of_type("line")[0], "amount": "0.01"}),
    ),
    "a difference that is none": ("lines_add_up", lambda world: line_again(world, amount="1.00")),
    "a quantity difference that is none": ("lines_add_up", lambda world: line_again(world, quantity="1")),
    "billed twice": ("nothing_is_billed_twice", double_billed),
    "a determinant billed and gone": (
        "billed_quantities_were_metered", determinant_lost
    ),
    "an adjustment seen and not billed": (
        "billed_quantities_were_metered", lambda world: world.adjust(START + 40 * 48 * HALF_HOUR_MS, KWH, old_nano=KWH)
    ),
    "more billed than was metered": ("billed_quantities_were_metered", lambda world: double_billed(world, quantity_should="9999")),
    "a period left out": (
        "no_period_is_left_unbilled",
        period_left_out,
    ),
    "a posting that does not balance": ("journal_balances", lambda world: another_issued(world, total="1.00")),
    "a receivable without lines": ("receivable_equals_balances", lambda world: another_issued(world, total="1.00")),
    "tax of a run that does not count": (
        "journal_tax_equals_tax_lines", sql("ALTER TABLE bill_run_closed DELETE WHERE run_id = 'LE-R1'")
    ),
    "a line posted twice": (
        "issued_lines_are_posted_once", lambda world: log_record(world, **{**world.log.of_type("line")[0], "account": "B"})
    ),
    "a document in a closed month": ("nothing_is_booked_into_a_closed_month", booked_into_a_closed_month),
    "a payment before its day": ("nothing_is_booked_into_a_closed_month", booked_before_its_day),
    "a month closed out of order": ("months_close_in_order", months_out_of_order),
    "a closed month with a row lost": ("closed_months_have_their_rows", lambda world: month_closed(world, "1970-01", lines_v1=99)),
    "a closed run with a line lost": (
        "closed_runs_are_whole", sql("ALTER TABLE bill_lines DELETE WHERE position = 1 AND run_id = 'LE-R3'")
    ),
    "a closed run with another total": ("closed_runs_are_whole", lambda world: line_again(world, amount="1.00")),
    "a release of a draft that is none": ("releases_cite_what_held", lambda world: released(world, document_id="NONE")),
    "a release from no rule": ("releases_cite_what_held", lambda world: released(world, rules=[])),
    "a release from a rule that there is not": ("releases_cite_what_held", lambda world: released(world, rules=["WHIM"])),
    "a credit withheld": ("only_net_claims_are_withheld", withheld_credit),
    "an entry of no kind": ("balances_add_up", entry_of_no_kind),
    "a payment beyond a document": (
        "payments_fit_what_they_pay",
        lambda world: payment(world, allocations=[{"document_number": "INV-000001", "amount": "4999.00"}]),
    ),
    "a payment of a document that is none": (
        "payments_fit_what_they_pay",
        lambda world: payment(world, allocations=[{"document_number": "INV-000009", "amount": "1.00"}]),
    ),
    "a payment that says more than it is": (
        "payments_fit_what_they_pay",
        lambda world: payment(world, amount="1.00", allocations=[{"document_number": "INV-000001", "amount": "2.00"}]),
    ),
    "a reversal of nothing": ("payments_fit_what_they_pay", lambda world: entry(world, reverses="E0")),
    "a name booked twice": ("bookings_are_said_once", twice(payment, {}, {"amount": "1.00"})),
    "an entry reversed twice": (
        "bookings_are_said_once",
        twice(entry, {"entry_id": "E2", "reverses": "E1", "amount": "-5.00"}, {"entry_id": "E3", "reverses": "E1", "amount": "-5.00"}),
    ),
    "a dispute of a document that is none": (
        "disputes_are_of_documents", lambda world: contested(world, document_number="INV-000009")
    ),
    "a dispute of more than there is": ("disputes_are_of_documents", lambda world: contested(world, amount="5000.00")),
    "a dispute settled that was never opened": ("disputes_are_of_documents", lambda world: contested(world, state="upheld")),
    "a fee in another currency": ("money_stays_in_its_currency", lambda world: entry(world, currency="EUR")),
    "a billing record that is none": (
        "billing_log_is_understood", lambda world: log_record(world, type="from_the_future")
    ),
    "a price approved by who proposed it": (
        "tariff_steps_are_legal", lambda world: edition(world, 2, drafted="ann", proposed="ann", approved="Ann ")
    ),
    "a price in effect that nobody approved": (
        "tariff_steps_are_legal", lambda world: edition(world, 2, drafted="ann", proposed="ann", effective="ann")
    ),
    "an edition withdrawn twice": ("tariff_steps_are_legal", lambda world: edition(world, 1, withdrawn="ann")),
    "a version appended late": (
        "reference_versions_rise", lambda world: log_record(world, type="reference", kind="site", id="SITE", version=0, body={}, ended=None)
    ),
}  # fmt: skip


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_check_fires_on_its_defect(healthy: World, defect: str) -> None:
    check, seed = DEFECTS[defect]
    seed(healthy)
    assert healthy.store.query(CHECKS[check]).rows


def test_every_check_has_a_defect() -> None:
    assert {check for check, _ in DEFECTS.values()} == set(CHECKS)
