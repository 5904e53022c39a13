"""The views over the fold's rows: current, as known at, provisional, completeness, quarantine, reference data."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.clickhouse import Store
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms, utc_offsets
from tests.integration.tables import insert_rows

T0 = ms("2024-01-01T00:00Z")
LATER = 1_700_000_100_000


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def current(store: Store, columns: str = "quantity", source: str = "current_determinants") -> list[tuple[Any, ...]]:
    return store.query(f"SELECT {columns} FROM {source} ORDER BY supply_point, channel, start_utc, end_utc").rows


# -- determinants -------------------------------------------------------------------------------------------------------


def test_current_is_the_determinant_and_every_adjustment_to_it(world: World) -> None:
    world.determinants(T0, T0 + 2 * HALF_HOUR_MS, 500 * NANO, quality="ESTIMATED")
    world.adjust(T0, 25 * NANO, revision=1, quality="ACTUAL", reason="ESTIMATE_REPLACED")
    world.adjust(T0, -30 * NANO, revision=2, old_nano=525 * NANO, quality="ACTUAL")
    names = "quantity, quantity_hardened, revision, quality, n_actual, n_estimated, last_reason"
    assert current(world.store, names) == [
        (Decimal(495), Decimal(500), 2, "ACTUAL", 1, 0, "CORRECTED_READ"),
        (Decimal(500), Decimal(500), 0, "ESTIMATED", 0, 1, ""),
    ]


def test_rows_that_are_delivered_twice_count_once(world: World) -> None:
    for _ in range(2):
        world.curated_offset = 0
        world.determinants(T0, T0 + HALF_HOUR_MS)
        world.adjust(T0, -NANO)
    assert current(world.store) == [(Decimal(499),)]


def test_what_is_wholly_missing_is_null_and_not_zero(world: World) -> None:
    world.determinants(T0, T0 + HALF_HOUR_MS, 0, quality="MISSING")
    assert current(world.store, "quantity, n_missing, missing_reason") == [(None, 1, "NO_REFERENCE")]
    world.adjust(T0, 7 * NANO, old_nano=0, reason="LATE_READ")
    assert current(world.store, "quantity, n_missing, missing_reason") == [(Decimal(7), 0, "")]


def test_an_adjustment_without_its_determinant_shows_nothing(world: World) -> None:
    world.adjust(T0, NANO)
    assert current(world.store) == []


def test_sums_of_the_largest_quantities_do_not_wrap(world: World) -> None:
    largest = 10**18 - 1
    world.determinants(T0, T0 + 1000 * HALF_HOUR_MS, largest)
    assert world.store.query("SELECT sum(quantity) FROM current_determinants").rows == [
        (Decimal(largest * 1000).scaleb(-9),)
    ]


def test_as_known_at_gives_the_same_answer_before_and_after_later_data(world: World) -> None:
    world.determinants(T0, T0 + 2 * HALF_HOUR_MS, known_at_ms=1000)
    world.adjust(T0, NANO, known_at_ms=2000)
    asked = [f"determinants_as_known_at(known_at_ms = {at})" for at in (999, 1000, 1999, 2000)]
    asked += [
        f"determinants_within_frontier(partitions = [0], next_offsets = [{offset}])" for offset in (100, 101, 200, 201)
    ]
    before = [current(world.store, "*", source) for source in asked]
    world.adjust(T0, 5 * NANO, revision=2, old_nano=501 * NANO, known_at_ms=3000)
    world.determinants(T0 + 2 * HALF_HOUR_MS, T0 + 4 * HALF_HOUR_MS, known_at_ms=3000)
    assert [current(world.store, "*", source) for source in asked] == before
    assert [len(rows) for rows in before] == [0, 2, 2, 2, 0, 2, 2, 2]
    assert current(world.store, "quantity", asked[2])[0] == (Decimal(500),)
    assert current(world.store, "quantity", asked[3])[0] == (Decimal(501),)
    assert current(world.store)[0] == (Decimal(506),)


def test_a_partition_that_is_not_in_the_frontier_is_not_seen(world: World) -> None:
    world.determinants(T0, T0 + HALF_HOUR_MS)
    assert current(world.store, "*", "determinants_within_frontier(partitions = [1], next_offsets = [9999])") == []


def test_effective_adjustments_say_which_is_in_force(world: World) -> None:
    world.determinants(T0, T0 + HALF_HOUR_MS)
    world.adjust(T0, NANO)
    world.adjust(T0, NANO, revision=2, old_nano=501 * NANO)
    rows = world.store.query(
        "SELECT revision, is_latest, old_quantity, new_quantity, delta FROM effective_adjustments ORDER BY revision"
    ).rows
    assert rows == [(1, 0, Decimal(500), Decimal(501), Decimal(1)), (2, 1, Decimal(501), Decimal(502), Decimal(1))]


# -- provisional --------------------------------------------------------------------------------------------------------


def read(store: Store, offset: int, start_ms: int, quantity: int, verdict: str = "ACCEPTED", **rest: Any) -> None:
    row = {
        "supply_point": "SP", "channel": "E", "raw_offset": offset, "curated_offset": offset, "origin_offset": offset, "kind": "interval",
        "start_ms": start_ms, "end_ms": start_ms + HALF_HOUR_MS, "quantity_nano": quantity * NANO, "quality": "ACTUAL",
        "verdict": verdict, **rest,
    }  # fmt: skip
    insert_rows(store, "evidence", {name: [value] for name, value in row.items()})


def test_provisional_is_the_evidence_in_force_of_what_is_not_hardened(world: World) -> None:
    read(world.store, 1, T0, 10)
    read(world.store, 2, T0 + HALF_HOUR_MS, 20)
    read(world.store, 3, T0 + HALF_HOUR_MS, 21, "CORRECTED")
    read(world.store, 4, T0 + HALF_HOUR_MS, 99, "CONFLICTING")
    read(world.store, 5, T0 + 2 * HALF_HOUR_MS, 30, supply_point="OTHER")
    world.determinants(T0, T0 + HALF_HOUR_MS)
    rows = world.store.query(
        "SELECT supply_point, start_ms, quantity, raw_offset FROM provisional_intervals ORDER BY supply_point, start_ms"
    ).rows
    assert rows == [("OTHER", T0 + 2 * HALF_HOUR_MS, Decimal(30), 5), ("SP", T0 + HALF_HOUR_MS, Decimal(21), 3)]


# -- completeness -------------------------------------------------------------------------------------------------------


def completeness(store: Store) -> dict[date, tuple[int, ...]]:
    rows = store.query(
        "SELECT local_date, expected, actual, calculated, substituted, estimated, missing, open FROM completeness_per_local_day "
        "ORDER BY supply_point, channel, local_date"
    ).rows
    return {row[0]: tuple(row[1:]) for row in rows}


def test_days_on_which_the_clock_changes_have_46_and_50_half_hours(world: World) -> None:
    world.small()
    world.determinants("2024-03-30", "2024-04-02")
    world.determinants("2024-10-26", "2024-10-29")
    days = completeness(world.store)
    assert [days[date(2024, 3, day)][:2] for day in (30, 31)] == [(48, 48), (46, 46)]
    assert [days[date(2024, 10, day)][:2] for day in (26, 27, 28)] == [(48, 48), (50, 50), (48, 48)]
    assert days[date(2024, 6, 1)] == (48, 0, 0, 0, 0, 0, 48), "a day with nothing at all is there, and open"


def test_each_quality_is_counted_and_days_are_never_netted(world: World) -> None:
    world.small()
    start = midnight_ms("2024-01-01", world.zone)
    for at, quality in enumerate(("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")):
        world.determinants(start + at * HALF_HOUR_MS, start + (at + 1) * HALF_HOUR_MS, 0, quality=quality)
    world.determinants("2024-01-02", "2024-01-03")
    days = completeness(world.store)
    assert days == {date(2024, 1, 1): (48, 1, 1, 1, 1, 1, 43), date(2024, 1, 2): (48, 48, 0, 0, 0, 0, 0)}


def test_a_channel_of_local_days_expects_one_window_a_day(world: World) -> None:
    world.small()
    world.supply_point("SP", grid_s="LOCAL_DAY")
    days = [date(2024, 3, 29) + timedelta(days=at) for at in range(4)]
    world.windows(
        [(midnight_ms(day, world.zone), midnight_ms(day + timedelta(days=1), world.zone), NANO) for day in days]
    )
    assert completeness(world.store) == dict.fromkeys(days, (1, 1, 0, 0, 0, 0, 0))


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/London",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
    ],
)
def test_a_local_day_starts_where_the_time_zone_says(store: Store, zone: str) -> None:
    """Against zoneinfo, every day of four years; Cairo's clocks jump at midnight, so that its day starts at 01:00."""
    clock = utc_offsets(zone)
    begins, offsets = [row[0] for row in clock], [row[1] for row in clock]
    found = store.query(
        "SELECT toDate('2023-01-02') + number AS day, "
        "meterfold_day_start_ms(day, {begins:Array(Int64)}, {ends:Array(Int64)}, {s:Array(Int32)}) "
        "FROM numbers(1400) ORDER BY day",
        {"begins": begins, "ends": [*begins[1:], 2**62], "s": offsets},
    ).rows
    for day, start_ms in found:
        local = datetime.fromtimestamp(start_ms / 1000, ZoneInfo(zone))
        before = datetime.fromtimestamp(start_ms / 1000 - 1, ZoneInfo(zone))
        assert local.date() == day and before.date() < day, day


# -- quarantine and reference data --------------------------------------------------------------------------------------


def held(store: Store, offset: int, origin: int, **rest: Any) -> None:
    row = {"device": "D", "raw_offset": offset, "origin_offset": origin, "reason": "unconfigured", **rest}
    store.insert("quarantine", {name: [value] for name, value in row.items()})


def test_what_was_released_and_came_in_is_no_longer_open(store: Store) -> None:
    store.insert("raw_records", {"raw_offset": [1, 2], "payload": ["one", "two"]})
    held(store, 1, 1)
    held(store, 2, 2)
    read(store, 1, T0, 5, "REJECTED")
    assert store.query("SELECT raw_offset, payload FROM open_quarantine ORDER BY raw_offset").rows == [
        (1, "one"),
        (2, "two"),
    ]
    read(store, 10, T0, 5, origin_offset=1)
    assert store.query("SELECT raw_offset FROM open_quarantine").rows == [(2,)]
    held(store, 11, 2)
    assert store.query("SELECT raw_offset, origin_offset, payload FROM open_quarantine").rows == [(11, 2, "two")]


def test_reference_views_give_the_latest_version_and_mark_what_ended(world: World) -> None:
    world.small(standing="0.45", tax=("VAT", "0.050"))
    world.tenancy("T", to="2024-06-01", ended={"reason": "moved out", "at": "2024-06-01"})
    world.tenancy("T2", from_="2024-06-01", ended={"reason": "a mistake", "withdrawn": True})
    store = world.store
    rows = store.query(
        "SELECT tenancy, version, from_date, to_date, ended_reason, is_withdrawn FROM ref_tenancies ORDER BY tenancy"
    ).rows
    assert rows == [
        ("T", 2, date(2024, 1, 1), date(2024, 6, 1), "moved out", False),
        ("T2", 1, date(2024, 6, 1), None, "a mistake", True),
    ]
    assert store.query("SELECT account, party_id, currency, billing_from, calendar_day FROM ref_accounts").rows == [
        ("A", "P-A", "GBP", date(2024, 1, 1), 1)
    ]
    assert store.query(
        "SELECT tariff, tariff_version, standing_per_day, tax_name, tax_rate_text FROM ref_tariff_versions"
    ).rows == [("TF", "1", Decimal("0.45"), "VAT", "0.05")]
    assert store.query("SELECT channel, band, rate, from_minute, to_minute FROM ref_tariff_bands").rows == [
        ("E", "flat", Decimal("0.3"), 0, 1440)
    ]
    assert store.query("SELECT site, time_zone, gate_after_days, gate_at FROM ref_sites").rows == [
        ("SITE", "Europe/London", 3, "06:00")
    ]
    first, second = store.query("SELECT from_ms, until_ms, offset_s FROM ref_utc_offsets ORDER BY from_ms LIMIT 2").rows
    assert first[0] == -(2**63) and first[1] == second[0] and (first[2], second[2]) == (0, 3600)


def test_a_version_is_in_force_from_its_offset_to_the_next(world: World) -> None:
    world.entity(series="OLD")
    known = world.log.next_offset
    world.entity(series="NEW")
    series = world.store.query(
        "SELECT invoice_series FROM ref_legal_entities_history "
        "WHERE known_from_offset < {known:UInt64} AND {known:UInt64} <= known_until_offset",
        {"known": known},
    ).rows
    assert series == [("OLD",)]
    assert world.store.query("SELECT invoice_series FROM ref_legal_entities").rows == [("NEW",)]


def test_units_convert_by_exact_factors(store: Store) -> None:
    rows = store.query("SELECT from_unit, to_unit, numerator, denominator FROM ref_unit_factors").rows
    factors = {(given, wanted): (over, under) for given, wanted, over, under in rows}
    assert factors["Wh", "kWh"] == (1, 1000)
    assert factors["MWh", "kWh"] == (1000, 1)
    assert factors["MJ", "kWh"] == (5, 18)
    assert factors["gal", "m3"] == (473176473, 125000000000)
    assert ("m3", "kWh") not in factors
