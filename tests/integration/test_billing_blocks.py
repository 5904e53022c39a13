"""Periods that cannot be billed yet: each says why, and what is lacking."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.rating import Blocked
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, band, midnight_ms, ms, tariff_version

FEBRUARY = ms("2024-02-02T00:00Z")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def blocked(world: World, now_ms: int = FEBRUARY) -> list[Blocked]:
    """Why nothing is billed: no document may have been made."""
    result = run_bills(world.store, world.log, now_ms)
    assert result.documents == ()
    return list(result.blocked)


def reasons(world: World) -> list[str]:
    return sorted({block.reason for block in blocked(world)})


def test_what_is_not_hardened_names_the_gate_that_is_lacking(world: World) -> None:
    world.small().determinants("2024-01-01", "2024-01-20")
    (block,) = blocked(world)
    assert (block.reason, block.supply_point, block.channel) == ("NOT_HARDENED", "SP", "E")
    assert (block.from_utc, block.until_utc) == (datetime(2024, 1, 20, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
    assert "the gate of SITE through the end of 2024-01-31 is due on 2024-02-03 at 06:00" in block.detail
    assert str(block).startswith(
        "A 2024-01-01 to 2024-02-01: NOT_HARDENED SP/E from 2024-01-20 00:00Z to 2024-02-01 00:00Z"
    )


def test_months_in_a_row_without_reads_are_told_once(world: World) -> None:
    world.small().determinants("2024-01-01", "2024-02-01")
    result = run_bills(world.store, world.log, ms("2024-06-02T00:00Z"))
    assert [document.period_from for document in result.documents] == [date(2024, 1, 1)]
    (block,) = result.blocked
    assert (block.period_from, block.period_to, block.periods) == (date(2024, 2, 1), date(2024, 6, 1), 4)
    assert "end of 2024-05-31" in block.detail
    assert block.remedy.endswith("meterfold gate --until 2024-03-01 --site SITE")


def test_a_hole_a_missing_interval_and_an_overlap(world: World) -> None:
    world.small()
    start = midnight_ms("2024-01-01", world.zone)
    end = midnight_ms("2024-02-01", world.zone)
    world.determinants(start, start + 2 * HALF_HOUR_MS)
    world.determinants(start + 4 * HALF_HOUR_MS, end - HALF_HOUR_MS)
    world.determinants(end - HALF_HOUR_MS, end, 0, quality="MISSING")
    found = {block.reason: block for block in blocked(world)}
    assert sorted(found) == ["HOLE", "MISSING"]
    assert (found["HOLE"].from_utc, found["HOLE"].until_utc) == (
        datetime(2024, 1, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, 2, tzinfo=UTC),
    )
    assert (found["MISSING"].windows, found["MISSING"].from_utc) == (1, datetime(2024, 1, 31, 23, 30, tzinfo=UTC))
    assert found["MISSING"].until_utc == datetime(2024, 2, 1, tzinfo=UTC)
    assert "`from` of its assignment" in found["HOLE"].remedy
    world.windows([(start + HALF_HOUR_MS // 2, start + 4 * HALF_HOUR_MS, NANO)])
    assert "OVERLAP" in reasons(world)


def test_one_interval_short_at_either_end_blocks(world: World) -> None:
    world.small()
    start, end = midnight_ms("2024-01-01", world.zone), midnight_ms("2024-02-01", world.zone)
    world.determinants(start + HALF_HOUR_MS, end)
    assert reasons(world) == ["HOLE"]
    world.determinants(start, start + HALF_HOUR_MS)
    assert run_bills(world.store, world.log, FEBRUARY).documents != ()


def test_one_channel_that_lags_blocks_the_whole_period(world: World) -> None:
    world.small(channels=("E", "F"))
    world.supply_point(channels=("E", "F", "UNPRICED"))
    world.determinants("2024-01-01", "2024-02-01", channel="E")
    (block,) = blocked(world)
    assert (block.reason, block.channel) == ("NOT_HARDENED", "F")


def priced(*bands: dict[str, Any], **rest: Any) -> Callable[[World, str], None]:
    """The case's tariff has these prices."""
    return lambda world, case: world.tariff(case, tariff_version(bands=list(bands) or None, standing="1", **rest))


def times_on_whole_days(world: World, case: str) -> None:
    world.supply_point(case, grid_s="LOCAL_DAY")
    world.tariff(case, tariff_version(bands=[band("a", "1", to="09:00"), band("b", "2")]))


def two_tenants(world: World, case: str) -> None:
    world.account("B")
    world.tenancy("T2", account="B", supply_point=case, from_="2024-01-31", tariff=case)


def no_clock(world: World, case: str) -> None:
    world.reference("site", "NOWHERE", {"utc_offsets": [], "holidays": []})
    world.reference("supply_point", case, {"site": "NOWHERE", "channels": []})


def tenancy(**changed: Any) -> Callable[[World, str], None]:
    """The case's tenancy is another."""
    return lambda world, case: world.tenancy(case, **{"account": case, "supply_point": case, "tariff": case, **changed})


CASES: dict[str, tuple[str, Callable[[World, str], None]]] = {
    "no prices yet": ("NO_TARIFF", priced(effective_from="2024-01-10")),
    "unknown tariff": ("NO_TARIFF", tenancy(tariff="NONE")),
    "no band at night": ("NO_BAND", priced(band("day", "0.3", from_="07:00", to="22:00"))),
    "other currency": ("BAD_TARIFF", lambda world, case: world.tariff(case, tariff_version(), currency="EUR")),
    "rate as a number": ("BAD_TARIFF", priced({**band("flat", "1"), "rate": 0.3})),
    "rate with ten places": ("BAD_TARIFF", priced(band("flat", "0.1234567891"))),
    "two bands of one name": ("BAD_TARIFF", priced(band("a", "1", to="09:00"), band("a", "2"))),
    "time that is none": ("BAD_TARIFF", priced(band("a", "1", to="9am"))),
    "standing charge that is none": (
        "BAD_TARIFF",
        lambda world, case: world.tariff(case, tariff_version(standing="free")),
    ),
    "tax that is none": ("BAD_TARIFF", priced(tax=("VAT", "5%"))),
    "two versions of one name": (
        "BAD_TARIFF",
        lambda world, case: world.tariff(case, tariff_version("1"), tariff_version("1", "2024-01-10")),
    ),
    "two versions of one day": (
        "BAD_TARIFF",
        lambda world, case: world.tariff(case, tariff_version("1"), tariff_version("2")),
    ),
    "a channel priced twice": ("BAD_TARIFF", priced(channels=("E", "E"))),
    "no factor between units": ("BAD_TARIFF", lambda world, case: world.supply_point(case, unit="m3")),
    "times on whole days": ("BAD_TARIFF", times_on_whole_days),
    "no such channel": ("NO_CHANNEL", lambda world, case: world.supply_point(case, channels=("OTHER",))),
    "unknown supply point": ("NO_REFERENCE_DATA", tenancy(supply_point="NONE")),
    "no clock": ("NO_REFERENCE_DATA", no_clock),
    "two tenants": ("TENANCY_OVERLAP", two_tenants),
    "ended, but when": ("TENANCY_ENDED_WITHOUT_DATE", tenancy(ended={"reason": "gone"})),
}


def test_reference_data_that_does_not_hold_up_blocks_and_is_named(world: World) -> None:
    """Every case is an account with supply point, tariff and tenancy of its name, sound but for one thing."""
    world.entity()
    world.site()
    for case, (_, spoil) in {**CASES, "sound": ("", lambda world, case: None)}.items():
        world.account(case)
        world.supply_point(case)
        world.tariff(case, tariff_version(standing="1"))
        world.tenancy(case, account=case, supply_point=case, tariff=case)
        world.determinants("2024-01-01", "2024-02-01", supply_point=case)
        spoil(world, case)
    result = run_bills(world.store, world.log, FEBRUARY)
    assert [document.account for document in result.documents] == ["sound"]
    found = {(block.account, block.reason) for block in result.blocked}
    assert {(case, reason) for case, (reason, _) in CASES.items()} <= found
    assert ("B", "TENANCY_OVERLAP") in found, "both tenants are told"


def test_an_account_without_a_calendar_is_named(world: World) -> None:
    world.small(standing="1", bands=[])
    world.account(day=31)
    assert [(block.reason, block.period_from) for block in blocked(world)] == [("NO_CALENDAR", date(2024, 1, 1))]


def test_a_tenancy_of_no_days_overlaps_nothing(world: World) -> None:
    world.small(standing="1", bands=[])
    world.account("B")
    world.tenancy("T2", account="B", from_="2024-01-15", to="2024-01-15")
    assert len(run_bills(world.store, world.log, FEBRUARY).documents) == 1


def test_a_channel_that_no_tariff_prices_holds_nothing_up(world: World) -> None:
    world.small()
    world.supply_point(channels=("E", "REACTIVE"))
    world.determinants("2024-01-01", "2024-02-01")
    assert len(run_bills(world.store, world.log, FEBRUARY).documents) == 1


def test_an_account_of_a_month_not_over_yet_is_neither_billed_nor_blocked(world: World) -> None:
    world.small()
    assert blocked(world, ms("2024-01-31T23:59Z")) == []
