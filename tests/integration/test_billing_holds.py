"""Drafts that a rule holds, their release, and what waits for a person."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.clickhouse import Store
from meterfold.accounts.booking import enter, pay
from meterfold.accounts.disputes import dispute, settle
from meterfold.billing.documents import documents
from meterfold.billing.holds import DraftIsHeld, NothingToRelease, holds, open_drafts, release
from meterfold.billing.issue import issue_bill, release_bill
from meterfold.billing.preview import preview_bills, reproduce_run
from meterfold.billing.project import project
from meterfold.billing.run import run_bills
from tests.integration.billing_world import NANO, ListLog, World, midnight_ms, ms, tariff_version
from tests.integration.conftest import empty

KWH = 1000 * NANO
HOLDS = {"estimated_share": "0.25", "change": "0.5", "amount": "1000"}
FEBRUARY, MARCH = ms("2024-02-01T12:00Z"), ms("2024-03-01T12:00Z")

_JANUARY: list[World] = []


@pytest.fixture
def january(store: Store) -> World:
    """January of account A is issued: 1,488 kWh at 0.30 is 446.40; a standing charge of 31.00 for account B. Holds as above."""
    if not _JANUARY:
        world = World(store, ListLog(), now_ms=FEBRUARY).small()
        world.entity(holds=HOLDS)
        world.account("B")
        world.supply_point("SP2")
        world.tariff("STANDING", tariff_version(bands=[], standing="1"))
        world.tenancy("T2", account="B", supply_point="SP2", tariff="STANDING")
        world.determinants("2024-01-01", "2024-02-01", KWH)
        (run,) = run_bills(store, world.log, FEBRUARY).runs
        assert holds(store, run.documents) == (), "nothing to compare with, actual reads, an ordinary total"
        issue_bill(store, world.log, run.run_id, FEBRUARY)
        _JANUARY.append(replace(world, log=world.log.revived(), versions=dict(world.versions)))
    empty(store)
    world = World(store, _JANUARY[0].log.revived(), versions=dict(_JANUARY[0].versions), now_ms=MARCH)
    project(store, world.log)
    world.determinants("2024-01-01", "2024-02-01", KWH)
    return world


def held(world: World, target: str = "A") -> list[tuple[str, str]]:
    return [(hold.rule, hold.detail) for hold in holds(world.store, open_drafts(world.store, target))]


def test_a_draft_is_held_released_and_issued(january: World) -> None:
    """February is four times January; the tenant's draft waits, the other account's goes out with the run."""
    store, log = january.store, january.log
    january.determinants("2024-02-01", "2024-03-01", 4 * KWH, quality="ESTIMATED")
    preview = preview_bills(store, log, MARCH)
    before = len(log.records)
    (run,) = run_bills(store, log, MARCH).runs
    assert [(d.account, d.lines, d.total) for d in preview.documents] == [
        (
            d.account,
            tuple(replace(line, line_id=line.line_id.replace(run.run_id, "preview")) for line in d.lines),
            d.total,
        )
        for d in run.documents
    ]
    assert before == len(log.records) - 2 - run.lines, "a preview writes nothing"
    assert held(january) == [
        ("AMOUNT", "the total is 1670.40 GBP, beyond 1000.00"),
        ("CHANGE", "net a day is 57.6 GBP, was 14.4 before: changed by more than 0.5 of it"),
        ("ESTIMATED_SHARE", "1 of the metered quantity is estimated, more than 0.25"),
    ]
    with pytest.raises(
        DraftIsHeld, match=r"held by AMOUNT: the total is 1670.40 GBP, beyond 1000.00.*held by CHANGE.*bill release A"
    ):
        issue_bill(store, log, "A", MARCH)
    issued = issue_bill(store, log, run.run_id, MARCH)
    assert [item.account for item in issued] == ["B"], "what is not held goes out"
    assert work(january) == [("HELD_DRAFT", "A")] * 3
    found = release_bill(store, log, "A", "clerk-7", "the tenant heats by electricity", MARCH)
    assert [hold.rule for hold in found] == ["AMOUNT", "CHANGE", "ESTIMATED_SHARE"]
    (record,) = log.of_type("released")
    assert (record["rules"], record["person"]) == (["AMOUNT", "CHANGE", "ESTIMATED_SHARE"], "clerk-7")
    run_bills(store, log, MARCH)
    with pytest.raises(NothingToRelease):
        release(store, log, open_drafts(store, "A"), "clerk-7", "again", MARCH)
    assert held(january) == [], "the same lines of a later run stay released"
    january.adjust(midnight_ms("2024-02-01", january.zone), KWH, old_nano=4 * KWH, quality="ESTIMATED")
    run_bills(store, log, MARCH)
    assert len(held(january)) == 3, "other lines are held again"
    release_bill(store, log, "A", "clerk-7", "the tenant heats by electricity", MARCH)
    assert [item.number for item in issue_bill(store, log, "A", MARCH)] == ["INV-000004"]
    assert reproduce_run(store, log, run.run_id).others == (), "as the run saw it, before the adjustment"
    assert work(january) == []


def work(world: World) -> list[tuple[str, str]]:
    return [
        (kind, account)
        for kind, account in world.store.query(
            "SELECT kind, account FROM work_list ORDER BY kind, account, subject, why"
        ).rows
    ]


@pytest.mark.long
def test_goodwill_after_a_dispute_stays_and_a_correction_of_an_account_that_ended_waits(january: World) -> None:
    store, log = january.store, january.log
    number = documents(store, "documents.account = 'A'")[0].number
    pay(store, log, "A", "446.40", FEBRUARY, "bank")
    dispute(store, log, number, "20", FEBRUARY, "clerk", "was away")
    assert work(january) == [("OPEN_DISPUTE", "A")]
    settle(store, log, number, "upheld", FEBRUARY, "clerk", "two days without heating")
    enter(
        store,
        log,
        "A",
        "goodwill",
        "20",
        FEBRUARY,
        "clerk",
        "two days without heating",
        is_credit=True,
        concerns=number,
    )
    body = {
        "legal_entity": "LE", "party_id": "P-A", "currency": "GBP", "billing_from": "2024-01-01", "calendar": {"kind": "monthly", "day": 1},
        "opening_position": "0.00",
    }  # fmt: skip
    january.tenancy("T", to="2024-02-01")
    january.reference("account", "A", body, {"reason": "moved out", "at": "2024-02-10"})
    assert work(january) == [], "in credit, but a view has no clock: nothing is known yet of the day on which it ends"
    january.adjust(midnight_ms("2024-01-01", january.zone), -100 * KWH, old_nano=KWH)
    drafts = [document for document in run_bills(store, log, MARCH).documents if document.account == "A"]
    assert [line.amount for line in drafts[0].lines] == [Decimal("-30")], "what was given is not taken back"
    assert held(january) == [("ACCOUNT_CLOSED", "it corrects what was billed, and the account has ended: moved out")]
    assert work(january) == [("CLOSED_ACCOUNT", "A"), ("CREDIT_OF_CLOSED_ACCOUNT", "A")]
    release_bill(store, log, "A", "clerk", "he gets it back", MARCH)
    issue_bill(store, log, "A", MARCH)
    ((balance, credited, open_, status),) = store.query(
        "SELECT account_balances.balance, credited, open, status FROM document_balances, account_balances "
        "WHERE document_number = {number:String} AND account_balances.account = 'A'", {"number": number},
    ).rows  # fmt: skip
    assert (balance, credited, open_, status) == (Decimal("-50"), Decimal("50"), 0, "paid")


@pytest.mark.long
def test_a_check_that_finds_something_holds_every_draft_until_it_is_released(january: World) -> None:
    store, log = january.store, january.log
    run_bills(store, log, MARCH)
    store.command("ALTER TABLE bill_lines DELETE WHERE account = 'A' SETTINGS mutations_sync = 2")
    assert held(january, "B") == [
        (
            "CHECK_FAILED",
            "closed_runs_are_whole, issued_documents_are_frozen found something; `meterfold check` shows it",
        )
    ]
    with pytest.raises(DraftIsHeld, match="CHECK_FAILED"):
        issue_bill(store, log, "B", MARCH)
    release_bill(store, log, "B", "clerk", "it is about A alone", MARCH)
    assert len(issue_bill(store, log, "B", MARCH)) == 1


def test_a_run_that_comes_out_otherwise_is_told(january: World) -> None:
    """Only a line that was not what its run made of what it saw."""
    line = january.log.of_type("line")[0]
    january.store.command(
        "ALTER TABLE bill_lines UPDATE amount = 446.41, payload = replaceAll(payload, '446.40', '446.41') WHERE line_id = '"
        + line["line_id"]
        + "' "
        "SETTINGS mutations_sync = 2"
    )
    found = reproduce_run(january.store, january.log, "LE-R1")
    assert [(other.line_id, "446.41" in other.logged, "446.41" in other.again) for other in found.others] == [
        (line["line_id"], True, False)
    ]
