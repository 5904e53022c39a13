"""Runs: serial, pinned, counted only when closed; crashes between any two records; two at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

from connectors.clickhouse import Store
from connectors.file_log import LogWriter, create_topic
from meterfold.billing.documents import documents, show_bill
from meterfold.billing.issue import DraftIsStale, NothingToIssue, UnableToIssue, issue_bill, printed
from meterfold.billing.log import FileBillingLog
from meterfold.billing.project import project
from meterfold.billing.rows import UnableToProject
from meterfold.billing.run import RunInProgress, RunOvertaken, UnknownScope, run_bills
from tests.integration.billing_world import NANO, Killed, ListLog, World, midnight_ms, ms
from tests.integration.conftest import empty

FEBRUARY = ms("2024-02-01T00:00Z")
KWH = 1000 * NANO


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


@pytest.fixture
def two_accounts(world: World) -> World:
    """Accounts A and B with nothing but a standing charge of 31.00 a January."""
    world.small(standing="1", bands=[])
    world.account("B")
    world.supply_point("SP2")
    world.tenancy("T2", account="B", supply_point="SP2")
    return world


def reprojected(store: Store, log: ListLog) -> None:
    empty(store)
    project(store, log)


def test_a_run_pins_what_it_saw(two_accounts: World) -> None:
    two_accounts.curated_offset = 7
    two_accounts.frontier(known_at_ms=123)
    known = two_accounts.log.records[-1][0] + 1
    (run,) = run_bills(two_accounts.store, two_accounts.log, FEBRUARY).runs
    (opened,) = two_accounts.log.of_type("run_opened")
    assert opened == {
        "v": 1, "type": "run_opened", "run_id": "LE-R1", "legal_entity": "LE", "account": "", "frontier": [[0, 8, 123]],
        "billing_offset": known, "rule_version": "bills-1", "as_of_ms": FEBRUARY, "lease_until_ms": FEBRUARY + 600_000,
    }  # fmt: skip
    assert run.pins.frontier == ((0, 8, 123),) and run.rule_version == "bills-1"
    assert two_accounts.log.of_type("run_closed") == [
        {"v": 1, "type": "run_closed", "run_id": "LE-R1", "lines": 2, "total": {"GBP": "62.00"}}
    ]


@pytest.mark.long
def test_a_run_that_dies_anywhere_counts_for_nothing_and_the_next_charges_once(two_accounts: World) -> None:
    """One record for the opening, two lines, one for the closing: the log dies after each number of them."""
    store, start = two_accounts.store, two_accounts.log
    for survivors in range(5):
        log = start.revived()
        log.dies_after = survivors
        reprojected(store, log)
        with pytest.raises(Killed):
            run_bills(store, log, FEBRUARY)
        log = log.revived()
        reprojected(store, log)
        assert len(documents(store)) == (2 if survivors == 4 else 0), "only a closed run has drafts"
        if 0 < survivors < 4:
            with pytest.raises(RunInProgress, match="LE-R1 of LE is open"):
                run_bills(store, log, FEBRUARY + 1)
        result = run_bills(store, log, FEBRUARY, take_over=True)
        assert [(document.account, document.total) for document in result.documents] == [("A", 31), ("B", 31)]
        assert [item.number for item in issue_bill(store, log, result.runs[0].run_id, FEBRUARY)] == [
            "INV-000001",
            "INV-000002",
        ]


@pytest.mark.long
def test_a_lease_that_ran_out_lets_the_next_run_begin(two_accounts: World) -> None:
    two_accounts.log.dies_after = 2
    with pytest.raises(Killed):
        run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    log = two_accounts.log.revived()
    with pytest.raises(RunInProgress, match=r"its lease runs out in 1 s"):
        run_bills(two_accounts.store, log, FEBRUARY + 600_000 - 1)
    assert len(run_bills(two_accounts.store, log, FEBRUARY + 600_000).documents) == 2


def test_issuing_waits_for_a_run_that_is_open(two_accounts: World) -> None:
    run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    two_accounts.log.dies_after = 1
    with pytest.raises(Killed):
        run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    with pytest.raises(RunInProgress):
        issue_bill(two_accounts.store, two_accounts.log.revived(), "A", FEBRUARY)


def test_two_runs_at_once_wait_for_each_other(two_accounts: World) -> None:
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: run_bills(two_accounts.store, two_accounts.log, FEBRUARY), range(2)))
    assert sorted(run.run_id for result in results for run in result.runs) == ["LE-R1", "LE-R2"]
    kinds = [
        record["type"]
        for _, _, payload in two_accounts.log.records
        if (record := orjson.loads(payload))["type"] != "reference"
    ]
    assert kinds == ["run_opened", "line", "line", "run_closed"] * 2, "one after the other"
    issued = issue_bill(two_accounts.store, two_accounts.log, "LE-R2", FEBRUARY)
    assert len(issued) == 2
    with pytest.raises(NothingToIssue):
        issue_bill(two_accounts.store, two_accounts.log, "LE-R1", FEBRUARY)


def test_a_run_that_was_overtaken_does_not_count(two_accounts: World) -> None:
    """Another process opens a run while ours is rating: ours must not close, and were it to close, it would not count."""

    class Busy(ListLog):
        def append(self, key: bytes, payload: bytes) -> int:
            record = orjson.loads(payload)
            if record["type"] == "line" and record["position"] == 1 and record["account"] == "A":
                opened = {**self.of_type("run_opened")[-1], "run_id": "LE-R99"}
                super().append(key, orjson.dumps(opened))
            return super().append(key, payload)

    log = Busy(list(two_accounts.log.records), next_offset=two_accounts.log.next_offset)
    with pytest.raises(RunOvertaken, match="overtaken by LE-R99"):
        run_bills(two_accounts.store, log, FEBRUARY)
    ListLog.append(
        log,
        b"LE",
        orjson.dumps({"v": 1, "type": "run_closed", "run_id": "LE-R1", "lines": 2, "total": {"GBP": "62.00"}}),
    )
    log.flush()
    project(two_accounts.store, log)
    assert documents(two_accounts.store) == ()


@pytest.mark.long
@pytest.mark.long
def test_issuing_that_dies_anywhere_skips_no_number_and_takes_none_twice(two_accounts: World) -> None:
    run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    for survivors in range(3):
        log = two_accounts.log.revived()
        log.dies_after = survivors
        reprojected(two_accounts.store, log)
        with pytest.raises(Killed):
            issue_bill(two_accounts.store, log, "LE-R1", FEBRUARY)
        log = log.revived()
        reprojected(two_accounts.store, log)
        if survivors < 2:
            issue_bill(two_accounts.store, log, "LE-R1", FEBRUARY)
        assert [(item["number"], item["account"]) for item in log.of_type("issued")] == [(1, "A"), (2, "B")]
        with pytest.raises(NothingToIssue):
            issue_bill(two_accounts.store, log, "LE-R1", FEBRUARY)
        assert run_bills(two_accounts.store, log, FEBRUARY).documents == ()


def test_the_issued_record_holds_everything_at_once(two_accounts: World) -> None:
    run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    issue_bill(two_accounts.store, two_accounts.log, "A", 55)
    (record,) = two_accounts.log.of_type("issued")
    (document,) = show_bill(two_accounts.store, "INV-000001")
    assert record == {
        "v": 1, "type": "issued", "document_id": "LE-R1/A/2024-01-01/GBP", "legal_entity": "LE", "series": "INV", "number": 1,
        "document_number": "INV-000001", "kind": "invoice", "account": "A", "run_id": "LE-R1", "period_from": "2024-01-01",
        "period_to": "2024-02-01", "currency": "GBP", "total": "31.00", "lines_sha256": document.lines_sha256, "corrects": [],
        "issued_ms": 55, "issued_on": "1970-01-01", "accounting_period": "1970-01",
    }  # fmt: skip


@pytest.mark.long
def test_series_count_on_their_own_per_legal_entity(two_accounts: World) -> None:
    two_accounts.entity("OTHER", series="X/")
    two_accounts.account("C", entity="OTHER")
    two_accounts.supply_point("SP3")
    two_accounts.tenancy("T3", account="C", supply_point="SP3")
    result = run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    assert [run.run_id for run in result.runs] == ["LE-R1", "OTHER-R1"]
    numbers = [
        item.number for account in "CBA" for item in issue_bill(two_accounts.store, two_accounts.log, account, FEBRUARY)
    ]
    assert numbers == ["X/000001", "INV-000001", "INV-000002"]
    assert printed("INV", 1234567) == "INV-1234567"


def test_a_draft_that_would_come_out_otherwise_now_is_not_issued(world: World) -> None:
    world.small().determinants("2024-01-01", "2024-02-01", KWH)
    run_bills(world.store, world.log, FEBRUARY)
    world.adjust(midnight_ms("2024-01-01", world.zone), KWH, old_nano=KWH)
    with pytest.raises(DraftIsStale, match="Run the bills again"):
        issue_bill(world.store, world.log, "A", FEBRUARY)
    run_bills(world.store, world.log, FEBRUARY)
    assert len(issue_bill(world.store, world.log, "A", FEBRUARY)) == 1


def test_a_draft_with_a_line_missing_is_not_issued(two_accounts: World) -> None:
    run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    two_accounts.store.command("ALTER TABLE bill_lines DELETE WHERE account = 'B' SETTINGS mutations_sync = 2")
    with pytest.raises(UnableToIssue, match="closed with 2 lines, but 1"):
        issue_bill(two_accounts.store, two_accounts.log, "A", FEBRUARY)


def test_an_unknown_scope_is_refused(two_accounts: World) -> None:
    for legal_entity, account in ((None, "X"), ("X", None), ("X", "A")):
        with pytest.raises(UnknownScope):
            run_bills(two_accounts.store, two_accounts.log, FEBRUARY, legal_entity, account)


def tables(store: Store) -> dict[str, list[tuple[object, ...]]]:
    names = ("reference_objects", "bill_runs", "bill_lines", "bill_run_closed", "bill_issued", "frontier")
    return {name: store.query(f"SELECT * FROM {name} FINAL ORDER BY ALL").rows for name in names}


@pytest.mark.long
def test_rebuildable_the_same_rows_and_a_run_after_it_adds_nothing(two_accounts: World) -> None:
    store, log = two_accounts.store, two_accounts.log
    run_bills(store, log, FEBRUARY)
    issue_bill(store, log, "A", FEBRUARY)
    before = tables(store)
    assert len(before["bill_lines"]) == 2
    reprojected(store, log)
    assert tables(store) == before
    project(store, log)
    assert tables(store) == before
    issue_bill(store, log, "B", FEBRUARY)
    reprojected(store, log)
    assert run_bills(store, log, FEBRUARY).documents == ()


def test_projecting_in_small_batches_gives_the_same_rows(two_accounts: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run_bills(two_accounts.store, two_accounts.log, FEBRUARY)
    before = tables(two_accounts.store)
    monkeypatch.setattr("meterfold.billing.project.BATCH_RECORDS", 3)
    reprojected(two_accounts.store, two_accounts.log)
    assert tables(two_accounts.store) == before


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        *(
            pytest.param(payload, marks=pytest.mark.long)
            for payload in (b"[]", b'{"v":2,"type":"line"}', b'{"v":1,"type":"new"}', b'{"v":1,"type":"line"}')
        ),
    ],
)
def test_a_billing_record_that_is_none_is_stepped_over_and_stops_runs_and_issues(world: World, payload: bytes) -> None:
    """What stands after it is projected; but nobody knows what it charged or numbered."""
    store, log = world.store, world.log
    world.small(standing="1", bands=[])
    run_bills(store, log, FEBRUARY)
    log.append(b"LE", payload)
    log.flush()
    at = log.records[-1][0]
    world.account("AFTER")
    assert store.query("SELECT billing_offset, payload FROM bill_refused").rows == [(at, payload.decode())]
    assert store.query("SELECT count() FROM ref_accounts WHERE account = 'AFTER'").rows == [(1,)]
    for refused in (lambda: run_bills(store, log, FEBRUARY), lambda: issue_bill(store, log, "A", FEBRUARY)):
        with pytest.raises(UnableToProject, match=f"the billing record at {at} .* meterfold rebuild"):
            refused()
    assert [record["type"] for record in map(orjson.loads, readable(log, at))] == ["reference"], "nothing was appended"


def readable(log: ListLog, after: int) -> list[bytes]:
    return [payload for offset, _, payload in log.records if offset > after]


def test_the_road_on_a_file_log(store: Store, tmp_path: Path) -> None:
    """The same on the log of a data directory, whose offsets are byte positions, reopened between steps."""
    create_topic(tmp_path / "billing", 1)

    def reopened() -> tuple[LogWriter, FileBillingLog]:
        writer = LogWriter(tmp_path / "billing")
        return writer, FileBillingLog(writer, tmp_path / "billing", lambda: FEBRUARY)

    writer, log = reopened()
    world = World(store, log)
    world.small(standing="1", bands=[])
    run_bills(store, log, FEBRUARY)
    writer.close()
    writer, log = reopened()
    assert [item.number for item in issue_bill(store, log, "A", FEBRUARY)] == ["INV-000001"]
    before = tables(store)
    writer.close()
    writer, log = reopened()
    empty(store)
    project(store, log)
    assert tables(store) == before
    assert run_bills(store, log, FEBRUARY).documents == ()
    writer.close()
