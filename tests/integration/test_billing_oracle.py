"""Bills against an oracle: plain Decimal and zoneinfo, half-hour by half-hour, on random small portfolios that change between runs.

It shares no code with sql/: it reads the same reference bodies and the same standing quantities, and knows the rules from the text of
the contract. A failing seed is run again by `pytest tests/integration/test_billing_oracle.py -k seed_7`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import documents
from meterfold.billing.issue import issue_bill
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, ListLog, World, band, midnight_ms, ms, tariff_version
from tests.integration.test_sql_checks import CHECKS

SEEDS = [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 40))]
ZONES = ("Europe/London", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata")
FIRST, LAST = date(2024, 2, 1), date(2024, 5, 1)
NOW = ms("2024-05-03T00:00Z")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACES = {"GBP": 2, "JPY": 0, "KWD": 3}
FACTORS = {"Wh": Decimal("0.001"), "kWh": Decimal(1), "MWh": Decimal(1000)}

Key = tuple[Any, ...]


@dataclass
class Truth:
    """Everything the oracle may know: bodies as written, and what stands now, by (supply point, start in ms)."""

    zone: ZoneInfo
    holidays: set[date]
    currency: str
    units: dict[str, str] = field(default_factory=dict)
    tariffs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    tenancies: dict[str, dict[str, Any]] = field(default_factory=dict)
    billing_from: dict[str, date] = field(default_factory=dict)
    calendar_day: dict[str, int] = field(default_factory=dict)
    standing: dict[tuple[str, int], int] = field(default_factory=dict)


def cents(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(
        Decimal(1).scaleb(-PLACES[currency]), ROUND_HALF_UP
    )  # decimal's HALF_UP is half away from zero


def period_of(day: date, truth: Truth, account: str) -> tuple[date, date]:
    """The billing period that a day lies in: its first day, not before `billing_from`, and the day after its last."""
    turns = truth.calendar_day[account]
    month = day if day.day >= turns else day.replace(day=1) - timedelta(days=1)
    following = month.replace(day=28) + timedelta(days=4)
    return max(month.replace(day=turns), truth.billing_from[account]), following.replace(day=turns)


def rated(truth: Truth) -> dict[Key, Decimal]:
    """{(account, first day of the period, kind, supply point, tariff version, band or tax rate): amount}."""
    quantities: dict[Key, Decimal] = defaultdict(Decimal)
    days: dict[Key, int] = defaultdict(int)
    prices: dict[Key, dict[str, Any]] = {}
    for tenancy in truth.tenancies.values():
        day = max(date.fromisoformat(tenancy["from"]), truth.billing_from[tenancy["account"]])
        end = min(date.fromisoformat(tenancy["to"] or "2099-01-01"), LAST)
        while day < end:
            version = [
                item for item in truth.tariffs[tenancy["tariff"]] if date.fromisoformat(item["effective_from"]) <= day
            ][-1]
            period, until = period_of(day, truth, tenancy["account"])
            if until > LAST:
                break  # it has not ended
            key = (tenancy["account"], period, tenancy["supply_point"], version["version"])
            prices[key] = version
            days[key] += 1
            for start, local in half_hours(day, truth.zone):
                name = band_of(version["energy"][0]["bands"], local, truth.holidays)
                nano = truth.standing[tenancy["supply_point"], start]
                quantities[(*key, name)] += Decimal(nano).scaleb(-9) * FACTORS[truth.units[tenancy["supply_point"]]]
            day += timedelta(days=1)
    charges: dict[Key, Decimal] = {}
    taxed: dict[Key, Decimal] = defaultdict(Decimal)
    for (account, period, point, name, band_name), quantity in quantities.items():
        version = prices[account, period, point, name]
        rate = next(Decimal(item["rate"]) for item in version["energy"][0]["bands"] if item["name"] == band_name)
        charges[account, period, "energy", point, name, band_name] = cents(quantity * rate, truth.currency)
    for (account, period, point, name), count in days.items():
        if standing := prices[account, period, point, name]["standing_per_day"]:
            charges[account, period, "standing", point, name, ""] = cents(count * Decimal(standing), truth.currency)
    for (account, period, kind, point, name, band_name), amount in charges.items():
        tax = prices[account, period, point, name]["tax"]
        if tax:
            taxed[account, period, "tax", "", "", tax["rate"]] += amount
        assert kind != "tax" and band_name is not None
    return {**charges, **{key: cents(base * Decimal(key[-1]), truth.currency) for key, base in taxed.items()}}


def half_hours(day: date, zone: ZoneInfo) -> list[tuple[int, datetime]]:
    """(start in ms, local time) of every half-hour that begins on a local day."""
    at = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    found = []
    while (local := at.astimezone(zone)).date() == day:
        found.append((int(at.timestamp() * 1000), local))
        at += timedelta(minutes=30)
    return found


def band_of(bands: list[dict[str, Any]], local: datetime, holidays: set[date]) -> str:
    """The first band that matches a local start."""
    special = local.date() in holidays and any("holiday" in (item["days"] or ()) for item in bands)
    day = "holiday" if special else WEEKDAYS[local.weekday()]
    clock = f"{local:%H:%M}"
    for item in bands:
        start, end = item["from"] or "00:00", item["to"] or "24:00"
        inside = start <= clock < end if start < end else clock >= start or clock < end
        if (
            inside
            and (item["months"] is None or local.month in item["months"])
            and (item["days"] is None or day in item["days"])
        ):
            return str(item["name"])
    raise AssertionError(f"no band for {local}")


def some_rate(rng: random.Random) -> str:
    """Odd to nine places, or in steps of five hundredths: with quantities in tenths of a kWh every other line is half a cent off."""
    return str(
        Decimal(rng.randrange(1, 10**9)).scaleb(-9) if rng.random() < 0.5 else Decimal(rng.randrange(1, 40)) / 20
    )


def some_quantity(rng: random.Random, unit: str) -> int:
    """In 10⁻⁹ of the unit, a tenth of a kWh at a time, of either sign."""
    return rng.randrange(-5, 50) * int(Decimal("0.1") / FACTORS[unit] * 10**9)


def some_bands(rng: random.Random) -> list[dict[str, Any]]:
    """Up to three narrow bands in front of one that takes the rest; some wrap midnight, some name holidays."""
    bands = []
    for number in range(rng.randrange(4)):
        start, end = rng.sample(range(48), 2)
        days = rng.choice([None, list(WEEKDAYS[:5]), ["sat", "sun"], ["sat", "sun", "holiday"], ["holiday"]])
        months = rng.choice([None, None, [2, 3], [4]])
        times = (
            {}
            if rng.random() < 0.3
            else {"from_": f"{start // 2:02}:{start % 2 * 30:02}", "to": f"{end // 2:02}:{end % 2 * 30:02}"}
        )
        bands.append(band(f"b{number}", some_rate(rng), days=days, months=months, **times))
    return [*bands, band("rest", some_rate(rng))]


def some_versions(rng: random.Random) -> list[dict[str, Any]]:
    tax = rng.choice([None, ("VAT", "0.05"), ("VAT", "0.2"), ("GST", "0.175")])
    standing = rng.choice([None, "0.4567", "1"])
    starts = ["2023-01-01", *rng.sample(["2024-02-11", "2024-03-31", "2024-04-15"], rng.randrange(3))]
    return [
        tariff_version(f"v{at}", start, some_bands(rng), standing=standing, tax=tax)
        for at, start in enumerate(sorted(starts))
    ]


def portfolio(world: World, rng: random.Random) -> Truth:
    """Two accounts with calendars of their own, three supply points, tenants that change hands; three months of half-hours of any sign."""
    zone = rng.choice(ZONES)
    holidays = sorted(rng.sample([str(FIRST + timedelta(days=at)) for at in range(90)], 5))
    truth = Truth(ZoneInfo(zone), {date.fromisoformat(day) for day in holidays}, rng.choice(list(PLACES)))
    world.entity()
    world.site(zone=zone, holidays=holidays)
    for account in ("A", "B"):
        truth.billing_from[account] = FIRST + timedelta(days=rng.choice([0, 0, 9]))
        truth.calendar_day[account] = rng.choice([1, 1, 15, 28])
        world.account(account, str(truth.billing_from[account]), truth.calendar_day[account], truth.currency)
    for name in ("T1", "T2"):
        retariff(world, truth, name, some_versions(rng))
    for point in ("P1", "P2", "P3"):
        truth.units[point] = unit = rng.choice(list(FACTORS))
        world.supply_point(point, unit=unit)
        moves = FIRST + timedelta(days=rng.randrange(1, 89))
        for name, account, first, last in ((f"{point}-1", "A", FIRST, moves), (f"{point}-2", "B", moves, None)):
            occupy(world, truth, name, account, point, first, last, rng.choice(["T1", "T2"]))
        starts = range(midnight_ms(FIRST, zone), midnight_ms(LAST, zone), HALF_HOUR_MS)
        nanos = [some_quantity(rng, unit) for _ in starts]
        truth.standing |= {(point, at): nano for at, nano in zip(starts, nanos, strict=True)}
        world.determinants(starts.start, starts.stop, nanos, supply_point=point, unit=unit)
    return truth


def retariff(world: World, truth: Truth, name: str, versions: list[dict[str, Any]]) -> None:
    truth.tariffs[name] = versions
    world.tariff(name, *versions, currency=truth.currency)


def occupy(
    world: World, truth: Truth, name: str, account: str, point: str, first: date, last: date | None, tariff: str
) -> None:
    truth.tenancies[name] = {
        "account": account, "supply_point": point, "from": str(first), "to": str(last) if last else None, "tariff": tariff,
    }  # fmt: skip
    world.tenancy(name, account, point, str(first), str(last) if last else None, tariff)


def something_changes(world: World, truth: Truth, rng: random.Random) -> None:
    """Late reads, another price list, another day of moving."""
    for point, at in rng.sample(sorted(truth.standing), 20):
        delta = some_quantity(rng, truth.units[point]) or 1
        old = truth.standing[point, at]
        revision = (
            1
            + world.store.query(
                "SELECT count() FROM adjustments FINAL WHERE supply_point = {point:String} AND start_ms = {at:Int64}",
                {"point": point, "at": at},
            ).rows[0][0]
        )
        world.adjust(at, delta, old_nano=old, revision=revision, supply_point=point, unit=truth.units[point])
        truth.standing[point, at] = old + delta
    if rng.random() < 0.5:
        retariff(world, truth, "T1", some_versions(rng))
    if rng.random() < 0.5:
        moves = FIRST + timedelta(days=rng.randrange(1, 89))
        for name, account, first, last in (("P1-1", "A", FIRST, moves), ("P1-2", "B", moves, None)):
            occupy(world, truth, name, account, "P1", first, last, truth.tenancies[name]["tariff"])


def billed(store: Store) -> dict[Key, Decimal]:
    """What issued documents and the open drafts charge together, by the oracle's keys; zero sums left out."""
    found: dict[Key, Decimal] = defaultdict(Decimal)
    for document in documents(store, "documents.status != 'replaced'"):
        for line in document.lines:
            last = str(line.rate.normalize()) if line.kind == "tax" else line.band
            found[document.account, document.period_from, line.kind, line.supply_point, line.tariff_version, last] += (
                line.amount
            )
    return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_conservation_of_money_everything_billed_is_what_the_oracle_rates(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    world = World(store, ListLog())
    truth = portfolio(world, rng)
    for step in range(3):
        result = run_bills(store, world.log, NOW + step)
        assert result.blocked == ()
        expected = {key: amount for key, amount in rated(truth).items() if amount}
        assert billed(store) == expected
        for account in sorted({document.account for document in result.documents}):
            if rng.random() < 0.7:
                issue_bill(store, world.log, account, NOW + step)
        something_changes(world, truth, rng)
    assert {name: rows for name, sql in CHECKS.items() if (rows := store.query(sql).rows)} == {}
