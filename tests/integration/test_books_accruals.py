"""What is unbilled at the end of a month, against amounts worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import issue_bill
from meterfold.billing.rating import Pins
from meterfold.billing.run import run_bills
from meterfold.books.accruing import Accrued, accrue_month, unbilled
from meterfold.books.closing import UnableToClose, close_month
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms, tariff_version

KWH = 1000 * NANO
JANUARY_15 = midnight_ms("2024-01-15", "Europe/London")


def lines(accrued: Accrued) -> list[tuple[str, str, Decimal, Decimal]]:
    return [(line.account, line.currency, line.net, line.tax) for line in accrued.lines]


def pounds(net: str, tax: str, account: str = "A") -> tuple[str, str, Decimal, Decimal]:
    return (account, "GBP", Decimal(net), Decimal(tax))


@pytest.fixture
def world(store: Store) -> World:
    """A flat billed from the 15th to the 14th: a kWh a half-hour at 0.30, 0.50 a day, 10 % on both."""
    made = World(store, ListLog()).small(standing="0.50", tax=("VAT", "0.1"))
    made.account(billing_from="2024-01-15", day=15)
    made.determinants("2024-01-15", "2024-03-01", KWH)
    return made


@pytest.mark.long
def test_an_accrual_is_what_was_delivered_and_not_billed(world: World) -> None:
    store, log = world.store, world.log
    # 17 days of January: 816 half-hours and 17 days
    january = accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-02-01T00:00Z"))
    assert lines(january) == [pounds("253.30", "25.33")]
    assert not january.left_out and not january.in_part
    # the same when February is in, and even when the whole period was billed in February: that bill is no record of January
    run_bills(store, log, ms("2024-02-15T00:00Z"))
    (bill,) = issue_bill(store, log, "A", ms("2024-02-16T00:00Z"))
    assert bill.number == "INV-000001"
    assert lines(accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-03-01T00:00Z"))) == lines(january)
    # February: 15 days of the second period; the first was billed whole (31 days: 446.40 + 15.50, 46.19)
    february = accrue_month(store, log, "LE", "2024-02", "finance", ms("2024-03-01T00:00Z"))
    assert lines(february) == [pounds("223.50", "22.35")]
    # a correction of January that is known in March is unbilled at the end of February, as it is worked out then
    world.adjust(JANUARY_15, 2 * KWH, old_nano=KWH)
    corrected = accrue_month(store, log, "LE", "2024-02", "finance", ms("2024-03-02T00:00Z"))
    assert lines(corrected) == [pounds("224.10", "22.41")]
    _is_posted(store)
    _is_pinned(store, log)


def _is_posted(store: Store) -> None:
    """The last accrual of each month, on its last day, and back on the next."""
    found = store.query(
        "SELECT accounting_period, day, ledger_account, debit, credit FROM journal WHERE source_type = 'accrued' "
        "ORDER BY day, ledger_account"
    ).rows
    zero, one, two = Decimal(0), Decimal("253.30"), Decimal("224.10")
    assert found == [
        ("2024-01", date(2024, 1, 31), "accrued_income", one, zero), ("2024-01", date(2024, 1, 31), "accrued_revenue", zero, one),
        ("2024-02", date(2024, 2, 1), "accrued_income", zero, one), ("2024-02", date(2024, 2, 1), "accrued_revenue", one, zero),
        ("2024-02", date(2024, 2, 29), "accrued_income", two, zero), ("2024-02", date(2024, 2, 29), "accrued_revenue", zero, two),
        ("2024-03", date(2024, 3, 1), "accrued_income", zero, two), ("2024-03", date(2024, 3, 1), "accrued_revenue", two, zero),
    ]  # fmt: skip


def _is_pinned(store: Store, log: ListLog) -> None:
    """Every accrual follows from what its record pins, whatever came later."""
    for record in log.of_type("accrued"):
        frontier = tuple((row[0], row[1], row[2]) for row in record["frontier"])
        cut_on = date(2024, 3, 1) if record["period"] == "2024-02" else date(2024, 2, 1)
        pins = Pins("LE", "", frontier, record["billing_offset"], record["as_of_ms"], cut_on=cut_on)
        again = unbilled(store, pins, record["period"])
        assert [(line.account, line.currency, line.net, line.tax) for line in again.lines] == [
            (line["account"], line["currency"], Decimal(line["net"]), Decimal(line["tax"])) for line in record["lines"]
        ]


@pytest.mark.long
def test_what_is_not_known_or_cannot_be_rated_is_said(world: World) -> None:
    store, log = world.store, world.log
    world.supply_point("SP2")
    world.account("B", billing_from="2024-01-01")
    world.tenancy("T2", account="B", supply_point="SP2", tariff="LATER")
    world.tariff("LATER", tariff_version(effective_from="2024-02-01", standing="1", bands=[]))
    world.supply_point("SP3")
    world.account("C", billing_from="2024-01-01")
    world.tenancy("T3", account="C", supply_point="SP3")
    world.determinants("2024-01-01", midnight_ms("2024-01-01", world.zone) + 10 * HALF_HOUR_MS, KWH, supply_point="SP3")
    accrued = accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-03-01T00:00Z"))
    assert lines(accrued) == [pounds("253.30", "25.33"), pounds("18.50", "1.85", "C")]
    assert [(block.account, block.reason) for block in accrued.left_out] == [("B", "NO_TARIFF")]
    assert accrued.in_part == {"NOT_HARDENED": 1}


def test_an_accrual_only_of_a_month_that_is_over_and_open(world: World) -> None:
    store, log = world.store, world.log
    with pytest.raises(UnableToClose, match="accrue it from 2024-02-01 on"):
        accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-01-31T23:59Z"))
    accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-02-01T00:00Z"))
    assert close_month(store, log, "LE", "2024-01", "finance", ms("2024-02-01T00:00Z")).accrued
    with pytest.raises(UnableToClose, match="is closed, and its accrual with it; accrue 2024-02"):
        accrue_month(store, log, "LE", "2024-01", "finance", ms("2024-02-01T00:00Z"))
