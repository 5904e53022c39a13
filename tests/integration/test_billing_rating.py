"""What a period costs: bands in local time, segments, standing charges, tax, rounding, units. Amounts are worked out by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import Document
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, band, midnight_ms, ms, tariff_version

KWH = 1000 * NANO  # of a channel in Wh


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def drafts(world: World, now: str = "2025-06-01T00:00Z") -> dict[tuple[str, date], Document]:
    result = run_bills(world.store, world.log, ms(now))
    return {(document.account, document.period_from): document for document in result.documents}


def bill(world: World, month: str = "2024-01-01", account: str = "A") -> dict[str, tuple[Decimal, Decimal]]:
    """{kind or band: (quantity, amount)} of the only period that is ready."""
    document = drafts(world)[account, date.fromisoformat(month)]
    return {line.band or line.kind: (line.quantity, line.amount) for line in document.lines}


def dec(quantity: str, amount: str) -> tuple[Decimal, Decimal]:
    return Decimal(quantity), Decimal(amount)


def test_a_flat_month_with_standing_charge_and_tax(world: World) -> None:
    world.small(standing="0.45", tax=("VAT", "0.05")).determinants("2024-01-01", "2024-02-01")
    document = drafts(world)["A", date(2024, 1, 1)]
    assert [(line.kind, line.quantity, line.unit, line.rate, line.amount) for line in document.lines] == [
        ("energy", Decimal(744), "kWh", Decimal("0.3"), Decimal("223.20")),
        ("standing", Decimal(31), "day", Decimal("0.45"), Decimal("13.95")),
        ("tax", Decimal("237.15"), "GBP", Decimal("0.05"), Decimal("11.86")),  # 11.8575
    ]
    assert (document.net, document.tax, document.total) == (Decimal("237.15"), Decimal("11.86"), Decimal("249.01"))
    assert (document.kind, document.status, document.corrects, document.number) == ("invoice", "draft", (), "")
    assert (document.period_to, document.party_id, document.legal_entity_name) == (date(2024, 2, 1), "P-A", "LE Ltd")


@pytest.mark.parametrize(
    ("month", "end", "night", "day"),
    [
        ("2024-03-01", "2024-04-01", 31 * 18 - 2, 31 * 30),  # the lost hour is at 01:00
        ("2024-10-01", "2024-11-01", 31 * 18 + 2, 31 * 30),  # the hour from 01:00 comes twice
    ],
)
def test_a_night_band_over_midnight_on_days_when_the_clock_changes(
    world: World, month: str, end: str, night: int, day: int
) -> None:
    bands = [band("night", "0.10", from_="22:00", to="07:00"), band("day", "0.40")]
    world.small(bands=bands)
    world.account(billing_from=month)
    world.determinants(month, end, KWH)
    assert bill(world, month) == {
        "night": dec(str(night), str(Decimal(night) / 10)),
        "day": dec(str(day), str(Decimal(day) * 4 / 10)),
    }


def test_the_first_band_that_matches_wins_by_season_and_weekday(world: World) -> None:
    bands = [
        band(
            "winter evening",
            "0.50",
            months=[12, 1, 2],
            days=["mon", "tue", "wed", "thu", "fri"],
            from_="16:00",
            to="19:00",
        ),
        band("weekend", "0.20", days=["sat", "sun"]),
        band("rest", "0.30"),
    ]
    world.small(bands=bands).determinants("2024-01-01", "2024-02-01", KWH)
    # January 2024 has 23 weekdays and 8 days of weekend
    assert bill(world) == {
        "winter evening": dec(str(23 * 6), "69.00"),
        "weekend": dec(str(8 * 48), "76.80"),
        "rest": dec(str(23 * 42), "289.80"),
    }


@pytest.mark.long
def test_a_holiday_is_its_weekday_unless_a_band_names_holidays(world: World) -> None:
    world.entity()
    world.site(holidays=["2024-01-01", "2024-01-06"])  # a Monday and a Saturday
    world.supply_point()
    world.account()
    world.tenancy()
    world.determinants("2024-01-01", "2024-02-01", KWH)
    weekdays = ["mon", "tue", "wed", "thu", "fri"]
    world.tariff("TF", tariff_version(bands=[band("work", "0.30", days=weekdays), band("free", "0.10")]))
    assert {name: quantity for name, (quantity, _) in bill(world).items()} == {"work": 23 * 48, "free": 8 * 48}
    world.tariff(
        "TF",
        tariff_version(
            bands=[band("off", "0.05", days=["holiday"]), band("work", "0.30", days=weekdays), band("free", "0.10")]
        ),
    )
    assert {name: quantity for name, (quantity, _) in bill(world).items()} == {
        "off": 2 * 48,
        "work": 22 * 48,
        "free": 7 * 48,
    }
    world.tariff(
        "TF",
        tariff_version(
            bands=[band("work", "0.30", days=weekdays), band("free", "0.10", days=["sat", "sun", "holiday"])]
        ),
    )
    assert {name: quantity for name, (quantity, _) in bill(world).items()} == {"work": 22 * 48, "free": 9 * 48}


def test_an_interval_belongs_to_the_band_of_its_local_start(world: World) -> None:
    world.small(bands=[band("early", "0.10", from_="00:00", to="00:15"), band("rest", "0.20")])
    world.determinants("2024-01-01", "2024-02-01", KWH)
    assert bill(world)["early"] == dec("31", "3.10")


def test_tenancies_and_tariff_versions_make_segments(world: World) -> None:
    world.entity()
    world.site()
    world.supply_point()
    world.tariff(
        "TF",
        tariff_version("old", standing="1"),
        tariff_version("new", "2024-01-11", standing="2", bands=[band("flat", "0.60")]),
    )
    world.account("A")
    world.account("B")
    world.tenancy("TA", account="A", to="2024-01-21")
    world.tenancy("TB", account="B", from_="2024-01-21")
    world.determinants("2024-01-01", "2024-02-01", KWH)
    documents = drafts(world)
    lines = {
        (account, line.kind, line.tariff_version): (
            line.quantity,
            line.amount,
            line.service_from.day,
            line.service_to.day,
        )
        for (account, _), document in documents.items()
        for line in document.lines
    }
    assert lines == {
        ("A", "energy", "old"): (480, Decimal("144.00"), 1, 11),
        ("A", "energy", "new"): (480, Decimal("288.00"), 11, 21),
        ("A", "standing", "old"): (10, Decimal("10.00"), 1, 11),
        ("A", "standing", "new"): (10, Decimal("20.00"), 11, 21),
        ("B", "energy", "new"): (528, Decimal("316.80"), 21, 1),
        ("B", "standing", "new"): (11, Decimal("22.00"), 21, 1),
    }


def test_nothing_before_billing_from_is_charged(world: World) -> None:
    world.small(standing="1")
    world.account(billing_from="2024-01-20")
    world.determinants("2024-01-01", "2024-02-01", KWH)
    document = drafts(world)["A", date(2024, 1, 20)]
    assert [(line.kind, line.quantity) for line in document.lines] == [("energy", 12 * 48), ("standing", 12)]


def test_a_calendar_may_begin_its_months_on_another_day(world: World) -> None:
    world.small(standing="1", bands=[])
    world.account(billing_from="2024-01-05", day=15)
    periods = {start: document.lines[0].quantity for (_, start), document in drafts(world, "2024-04-20T00:00Z").items()}
    assert periods == {date(2024, 1, 5): 10, date(2024, 1, 15): 31, date(2024, 2, 15): 29, date(2024, 3, 15): 31}


def test_a_period_with_a_standing_charge_alone_needs_no_reads(world: World) -> None:
    world.small(standing="0.4567", bands=[], tax=("VAT", "0.2"))
    document = drafts(world, "2024-02-01T00:00Z")["A", date(2024, 1, 1)]
    assert [(line.kind, line.amount) for line in document.lines] == [
        ("standing", Decimal("14.16")),
        ("tax", Decimal("2.83")),
    ]


@pytest.mark.long
def test_a_period_is_not_reached_before_it_ends_on_the_sites_clock(world: World) -> None:
    world.small(standing="1", bands=[])
    world.site(zone="America/New_York")
    assert drafts(world, "2024-02-01T04:59Z") == {}
    assert len(drafts(world, "2024-02-01T05:00Z")) == 1


def accounts(world: World, count: int) -> list[str]:
    """As many accounts as cases, each with supply point and tariff of its own name: one run rates them all."""
    world.entity()
    world.site()
    names = [f"CASE-{number}" for number in range(count)]
    for name in names:
        world.account(name)
        world.supply_point(name)
        world.tariff(name)
        world.tenancy(name, account=name, supply_point=name, tariff=name)
    return names


def first_of_january(world: World, name: str, nano: int, unit: str = "Wh") -> None:
    """A month with `nano` in its first half-hour, and nothing after."""
    world.determinants("2024-01-01", "2024-02-01", [nano] + [0] * (31 * 48 - 1), supply_point=name, unit=unit)


def test_a_line_is_rounded_once_half_away_from_zero(world: World) -> None:
    """At 0.30 a kWh: 0.05 kWh is 0.015, which is 0.02."""
    cases = [
        ("0.0166", "0.00"),
        ("0.0167", "0.01"),
        ("0.05", "0.02"),
        ("-0.05", "-0.02"),
        ("-0.0166", "0.00"),
        ("0.15", "0.05"),
    ]
    for name, (quantity, _) in zip(accounts(world, len(cases)), cases, strict=True):
        first_of_january(world, name, int(Decimal(quantity) * KWH))
    lines = [(line.quantity, line.amount) for document in drafts(world).values() for line in document.lines]
    assert lines == [dec(*case) for case in cases]


@pytest.mark.long
def test_amounts_are_rounded_to_the_minor_unit_of_the_currency(world: World) -> None:
    cases = [("JPY", "223"), ("GBP", "223.20"), ("KWD", "223.200"), ("CLF", "223.2000")]
    for name, (currency, _) in zip(accounts(world, len(cases)), cases, strict=True):
        world.tariff(name, tariff_version(), currency=currency)
        world.account(name, currency=currency)
        world.determinants("2024-01-01", "2024-02-01", supply_point=name)
    assert [(document.currency, document.total) for document in drafts(world).values()] == [
        (name, Decimal(text)) for name, text in cases
    ]
    assert [line["amount"] for line in world.log.of_type("line")] == [text for _, text in cases], (
        "the log has the minor digits"
    )


def test_units_are_converted_exactly_and_once(world: World) -> None:
    cases = [
        ("Wh", "kWh", 1500 * NANO, "1.5"), ("kWh", "kWh", 1, "0.000000001"), ("MWh", "kWh", 1, "0.000001"),
        ("Wh", "kWh", 1, "0.000000000001"), ("MJ", "kWh", 36 * NANO, "10"), ("MJ", "kWh", NANO, "0.277777777777"),
        ("m3", "m3", 5, "0.000000005"),
    ]  # fmt: skip
    for name, (unit, rate_unit, nano, _) in zip(accounts(world, len(cases)), cases, strict=True):
        world.supply_point(name, unit=unit)
        world.tariff(name, tariff_version(unit=rate_unit, bands=[band("flat", "1")]))
        first_of_january(world, name, nano, unit)
    lines = [(line.unit, line.quantity) for document in drafts(world).values() for line in document.lines]
    assert lines == [(rate_unit, Decimal(quantity)) for _, rate_unit, _, quantity in cases]


def test_the_largest_quantities_do_not_wrap(world: World) -> None:
    """A month of windows at the bound of Decimal(18, 9), in MWh, at 999,999 a kWh."""
    world.small()
    world.supply_point(unit="MWh")
    world.tariff("TF", tariff_version(bands=[band("flat", "999999")]))
    world.determinants("2024-01-01", "2024-02-01", 10**18 - 1, unit="MWh")
    quantity = Decimal(10**18 - 1).scaleb(-9) * 1000 * 1488
    assert bill(world) == {"flat": (quantity, (quantity * 999999).quantize(Decimal("0.01")))}


def test_two_taxes_are_two_lines_each_on_its_own_charges(world: World) -> None:
    world.entity()
    world.site()
    world.account()
    for name, tax in (("1", ("VAT", "0.05")), ("2", ("VAT", "0.2")), ("3", None)):
        world.supply_point(f"SP{name}")
        world.tariff(f"TF{name}", tariff_version(bands=[], standing="1.01", tax=tax))
        world.tenancy(f"T{name}", supply_point=f"SP{name}", tariff=f"TF{name}")
    document = drafts(world, "2024-02-01T00:00Z")["A", date(2024, 1, 1)]
    taxes = [(line.rate, line.quantity, line.amount) for line in document.lines if line.kind == "tax"]
    assert sorted(taxes) == [
        (Decimal("0.05"), Decimal("31.31"), Decimal("1.57")),
        (Decimal("0.2"), Decimal("31.31"), Decimal("6.26")),
    ]
    assert document.net == Decimal("93.93")


def test_estimated_use_is_flagged(world: World) -> None:
    world.small()
    start = midnight_ms("2024-01-01", world.zone)
    world.determinants(start, start + 10 * HALF_HOUR_MS, KWH, quality="ESTIMATED")
    world.determinants(start + 10 * HALF_HOUR_MS, midnight_ms("2024-02-01", world.zone), KWH)
    ((quantity, estimated),) = [
        (line.quantity, line.estimated_quantity) for document in drafts(world).values() for line in document.lines
    ]
    assert (quantity, estimated) == (1488, 10)


def spans(world: World, *rows: tuple[str, str, int]) -> None:
    world.windows([(ms(start), ms(end), quantity * NANO) for start, end, quantity in rows])


def test_read_to_read_spans_are_shared_out_by_time_exactly_in_total(world: World) -> None:
    world.small(bands=[band("winter", "1", months=[1]), band("rest", "1")])
    world.supply_point(kind="spans", grid_s="LOCAL_DAY", unit="kWh")
    spans(
        world,
        ("2024-01-01T00:00Z", "2024-01-31T12:00Z", 61),
        ("2024-01-31T12:00Z", "2024-02-10T12:00Z", 100),
        ("2024-02-10T12:00Z", "2024-03-02T00:00Z", 7),
    )
    shares = {start.month: document.lines[0].quantity for (_, start), document in drafts(world).items()}
    # half a day of ten is in January; of the last span 19.5 of 20.5 days are in February
    assert shares[1] == Decimal(61) + Decimal(100) / 20
    assert shares[1] + shares[2] == Decimal(161) + (Decimal(7) * 39 / 41).quantize(Decimal("1e-9"), "ROUND_FLOOR")


def test_a_span_that_was_withdrawn_is_not_billed(world: World) -> None:
    world.small(bands=[band("flat", "1")])
    world.supply_point(kind="spans", grid_s="LOCAL_DAY", unit="kWh")
    spans(world, ("2024-01-01T00:00Z", "2024-02-01T00:00Z", 61))
    world.adjust(
        ms("2024-01-01T00:00Z"), -61 * NANO, end_ms=ms("2024-02-01T00:00Z"), old_nano=61 * NANO, quality="NONE"
    )
    spans(world, ("2024-01-01T00:00Z", "2024-01-11T00:00Z", 20), ("2024-01-11T00:00Z", "2024-02-01T00:00Z", 42))
    assert bill(world) == {"flat": dec("62", "62.00")}


def test_an_account_with_several_supply_points_has_one_document_a_period(world: World) -> None:
    world.entity()
    world.site()
    world.tariff("TF", tariff_version(standing="1"))
    world.account()
    for name in ("SP1", "SP2"):
        world.supply_point(name)
        world.tenancy(f"T-{name}", supply_point=name)
        world.determinants("2024-01-01", "2024-02-01", KWH, supply_point=name)
    (document,) = drafts(world).values()
    assert [(line.position, line.kind, line.supply_point) for line in document.lines] == [
        (1, "energy", "SP1"), (2, "energy", "SP2"), (3, "standing", "SP1"), (4, "standing", "SP2"),
    ]  # fmt: skip


def test_bands_use_the_offsets_written_out_and_not_a_zone_name(world: World) -> None:
    """A site whose offsets are an hour off its zone's is rated by the offsets."""
    world.small(bands=[band("first hour", "1", from_="00:00", to="01:00"), band("rest", "0")])
    body: dict[str, Any] = {
        "legal_entity": "LE", "time_zone": "Europe/London", "utc_offsets": [[0, 3600]], "holidays": [], "timetable": {},
    }  # fmt: skip
    world.reference("site", "SITE", body)
    start = ms("2023-12-31T23:00Z")
    world.determinants(start, ms("2024-01-31T23:00Z"), [KWH if at % 48 < 2 else 0 for at in range(31 * 48)])
    assert bill(world)["first hour"] == dec("62", "62.00")
