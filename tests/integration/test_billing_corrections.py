"""What changed after it was billed: charged or reversed by the difference, on a document that cites the original."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, UnknownBill, show_bill
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import RunResult, run_bills
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, band, midnight_ms, ms, tariff_version
from tests.integration.conftest import empty

KWH = 1000 * NANO
NEW_YEAR = midnight_ms("2024-01-01", "Europe/London")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


_BILLED: list[World] = []


@pytest.fixture
def billed(world: World) -> World:
    """January 2024 of account A is issued as INV-000001: 1,488 kWh at 0.30, standing charge 13.95, VAT 5 %.

    Billed once; the tests after the first start from a copy of that log, projected again.
    """
    if not _BILLED:
        world.small(standing="0.45", tax=("VAT", "0.05")).determinants("2024-01-01", "2024-02-01", KWH)
        run(world)
        issue(world)
        _BILLED.append(replace(world, log=world.log.revived(), versions=dict(world.versions)))
    original = _BILLED[0]
    empty(world.store)
    copy = World(world.store, original.log.revived(), versions=dict(original.versions))
    project(copy.store, copy.log)
    copy.determinants("2024-01-01", "2024-02-01", KWH)
    return copy


def run(world: World, account: str | None = None) -> RunResult:
    return run_bills(world.store, world.log, world.now_ms, account=account)


def issue(world: World, target: str = "A") -> list[str]:
    return [item.number for item in issue_bill(world.store, world.log, target, world.now_ms)]


def lines(document: Document) -> list[tuple[str, str, str, str]]:
    return [
        (line.kind, f"{line.amount_was:.2f}", f"{line.amount_should:.2f}", f"{line.amount:.2f}")
        for line in document.lines
    ]


def test_the_first_bill(billed: World) -> None:
    (document,) = show_bill(billed.store, "INV-000001")
    assert lines(document) == [
        ("energy", "0.00", "446.40", "446.40"),
        ("standing", "0.00", "13.95", "13.95"),
        ("tax", "0.00", "23.02", "23.02"),
    ]
    assert (document.status, document.number, document.total) == ("issued", "INV-000001", Decimal("483.37"))
    assert show_bill(billed.store, "A") == (document,) == show_bill(billed.store, document.document_id)


def test_running_again_adds_nothing(billed: World) -> None:
    result = run(billed)
    assert result.documents == ()
    assert billed.log.of_type("run_closed")[-1] == {
        "v": 1,
        "type": "run_closed",
        "run_id": "LE-R2",
        "lines": 0,
        "total": {},
    }


def test_a_late_read_is_charged_by_the_difference_citing_the_original(billed: World) -> None:
    billed.adjust(NEW_YEAR, 10 * KWH, old_nano=KWH)
    (document,) = run(billed).documents
    assert lines(document) == [("energy", "446.40", "449.40", "3.00"), ("tax", "23.02", "23.17", "0.15")]
    assert (document.kind, document.corrects, document.total) == ("invoice", ("INV-000001",), Decimal("3.15"))
    assert next(line.quantity for line in document.lines) == 10
    assert issue(billed) == ["INV-000002"]
    assert run(billed).documents == ()


def test_a_correction_downwards_is_a_credit_note(billed: World) -> None:
    billed.adjust(NEW_YEAR, -KWH, old_nano=KWH)
    (document,) = run(billed).documents
    assert (document.kind, document.total, document.corrects) == ("credit_note", Decimal("-0.32"), ("INV-000001",))
    assert lines(document) == [("energy", "446.40", "446.10", "-0.30"), ("tax", "23.02", "23.00", "-0.02")]


@pytest.mark.long
def test_a_correction_of_a_correction_cites_both(billed: World) -> None:
    billed.adjust(NEW_YEAR, -KWH, old_nano=KWH)
    run(billed)
    issue(billed)
    billed.adjust(NEW_YEAR, 3 * KWH, revision=2, old_nano=0)
    (document,) = run(billed).documents
    assert document.corrects == ("INV-000001", "INV-000002")
    assert lines(document) == [("energy", "446.10", "447.00", "0.90"), ("tax", "23.00", "23.05", "0.05")]
    issue(billed)
    total = sum(item.total for number in (1, 2, 3) for item in show_bill(billed.store, f"INV-{number:06}"))
    assert (
        total
        == Decimal("483.37") - Decimal("0.32") + Decimal("0.95")
        == (Decimal("447.00") + Decimal("13.95")) + Decimal("23.05")
    )


def test_a_change_below_the_cent_makes_no_line_and_is_not_lost(billed: World) -> None:
    billed.adjust(NEW_YEAR, 10 * NANO, old_nano=KWH)  # 0.01 kWh: 0.003
    assert run(billed).documents == ()
    billed.adjust(NEW_YEAR, 10 * NANO, revision=2, old_nano=KWH + 10 * NANO)  # 0.006 in all: a cent
    (document,) = run(billed).documents
    (line,) = document.lines
    assert (line.amount, line.quantity) == (Decimal("0.01"), Decimal("0.02"))


def test_a_price_restated_moves_every_line_it_made(billed: World) -> None:
    billed.tariff("TF", tariff_version(standing="0.45", tax=("VAT", "0.05"), bands=[band("flat", "0.29")]))
    (document,) = run(billed).documents
    assert lines(document) == [("energy", "446.40", "431.52", "-14.88"), ("tax", "23.02", "22.27", "-0.75")]


def test_a_key_on_one_side_only_is_charged_or_reversed_whole(billed: World) -> None:
    """The band has another name now, and the tax another rate."""
    billed.tariff("TF", tariff_version(tax=("VAT", "0.2"), bands=[band("renamed", "0.30")]))
    (document,) = run(billed).documents
    found = [
        (line.kind, line.band, f"{line.amount_was:.2f}", f"{line.amount_should:.2f}", line.rate)
        for line in document.lines
    ]
    assert sorted(found) == [
        ("energy", "flat", "446.40", "0.00", Decimal("0.3")),
        ("energy", "renamed", "0.00", "446.40", Decimal("0.3")),
        ("standing", "", "13.95", "0.00", Decimal("0.45")),
        ("tax", "VAT", "0.00", "89.28", Decimal("0.2")),
        ("tax", "VAT", "23.02", "0.00", Decimal("0.05")),
    ]
    assert document.total == Decimal("446.40") + Decimal("89.28") - Decimal("483.37")


def test_a_tenancy_that_was_withdrawn_is_reversed_whole(billed: World) -> None:
    billed.tenancy("T", ended={"reason": "entered by mistake", "withdrawn": True})
    (document,) = run(billed).documents
    assert (document.kind, document.total) == ("credit_note", Decimal("-483.37"))


def test_a_tenancy_that_ended_earlier_moves_what_follows_to_the_next_account(billed: World) -> None:
    billed.tenancy("T", to="2024-01-16")
    billed.account("B")
    billed.tenancy("T2", account="B", from_="2024-01-16")
    documents = {document.account: document for document in run(billed).documents}
    energy = {account: document.lines[0] for account, document in documents.items()}
    assert (energy["A"].quantity_should, energy["A"].quantity) == (720, -768)
    assert (energy["B"].quantity_should, energy["B"].quantity_was) == (768, 0)
    assert documents["A"].corrects == ("INV-000001",) and documents["B"].corrects == ()


def test_a_billed_period_that_became_missing_is_left_as_it_is(billed: World) -> None:
    billed.adjust(NEW_YEAR, -KWH, old_nano=KWH, quality="MISSING")
    result = run(billed)
    assert result.documents == ()
    assert next((block.reason, block.period_from, block.windows) for block in result.blocked) == (
        "MISSING",
        date(2024, 1, 1),
        1,
    )


@pytest.mark.long
def test_a_calendar_that_changes_after_billing_blocks_instead_of_reversing(billed: World) -> None:
    """Neither is January reversed, nor is any part of it charged again as part of another period."""
    billed.determinants("2024-02-01", "2024-03-01", KWH)
    for change in ({"day": 15}, {"billing_from": "2024-01-20"}):
        billed.account(**change)
        result = run(billed)
        assert [document.period_from for document in result.documents if document.period_from < date(2024, 2, 1)] == []
        assert ("CALENDAR_CHANGED", date(2024, 1, 1)) in [(block.reason, block.period_from) for block in result.blocked]


def test_new_periods_and_corrections_are_documents_of_their_own(billed: World) -> None:
    billed.determinants("2024-02-01", "2024-03-01", KWH)
    billed.adjust(NEW_YEAR, KWH, old_nano=KWH)
    january, february = run(billed).documents
    assert (january.period_from, january.corrects) == (date(2024, 1, 1), ("INV-000001",))
    assert (february.period_from, february.corrects) == (date(2024, 2, 1), ())
    assert issue(billed) == ["INV-000002", "INV-000003"]


def test_a_run_sees_only_its_frontier(billed: World) -> None:
    """A row that the fold has stored, but not yet vouched for, is not billed."""
    billed.adjust(NEW_YEAR, KWH, old_nano=KWH, is_within_frontier=False)
    assert run(billed).documents == ()
    billed.frontier()
    assert len(run(billed).documents) == 1


@pytest.mark.long
def test_a_new_run_replaces_the_draft_that_was_not_issued(billed: World) -> None:
    billed.adjust(NEW_YEAR, KWH, old_nano=KWH)
    (old,) = run(billed).documents
    billed.adjust(NEW_YEAR, KWH, revision=2, old_nano=2 * KWH)
    (new,) = run(billed).documents
    assert show_bill(billed.store, "A") == (new,)
    assert show_bill(billed.store, old.document_id)[0].status == "replaced"
    assert lines(new)[0] == ("energy", "446.40", "447.00", "0.60"), "the replaced draft was never billed"
    billed.adjust(NEW_YEAR, -2 * KWH, revision=3, old_nano=3 * KWH)
    assert run(billed).documents == ()
    assert show_bill(billed.store, "A")[0].number == "INV-000001", "nothing to charge: the draft is gone"


@pytest.mark.long
def test_a_run_for_one_account_leaves_the_drafts_of_others(world: World) -> None:
    world.small(standing="1", bands=[])
    world.account("B")
    world.supply_point("SP2")
    world.tenancy("T2", account="B", supply_point="SP2")
    world.now_ms = ms("2024-02-01T00:00Z")
    run(world)
    run(world, account="A")
    assert [show_bill(world.store, account)[0].run_id for account in ("A", "B")] == ["LE-R2", "LE-R1"]


def test_what_is_unknown_is_said(billed: World) -> None:
    with pytest.raises(UnknownBill, match="nothing is billed under 'nobody'"):
        show_bill(billed.store, "nobody")


@pytest.mark.long
def test_a_free_band_is_shown_on_the_first_document_and_never_again(world: World) -> None:
    world.small(bands=[band("free", "0", to="00:30"), band("rest", "0.30")]).determinants(
        "2024-01-01", "2024-02-01", KWH
    )
    (document,) = run(world).documents
    assert [(line.band, line.quantity, line.amount) for line in document.lines] == [
        ("free", 31, 0), ("rest", 31 * 47, Decimal("437.10")),
    ]  # fmt: skip
    issue(world)
    world.adjust(NEW_YEAR, KWH, old_nano=KWH)
    world.adjust(NEW_YEAR + HALF_HOUR_MS, KWH, old_nano=KWH)
    (document,) = run(world).documents
    assert [line.band for line in document.lines] == ["rest"]
