"""Bills of random tariffs of every kind against the oracle of `charges_oracle`, while reads, prices and tenancies change between runs.

A failing seed is run again by `pytest tests/integration/test_billing_charges_oracle.py -k seed_7`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import issue_bill
from meterfold.billing.rating import Pins, staged
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, ListLog, World, band, midnight_ms, ms
from tests.integration.charges_oracle import PLACES, SIZES, WEEKDAYS, Body, Truth, rated
from tests.integration.test_sql_checks import CHECKS

SEEDS = [pytest.param(seed, marks=pytest.mark.long) for seed in range(60)]
WITH_MORE: Final = 40
"""From this seed on: taxes that stand on their own, by day and by treatment; numbers of tenancies; prices from a series."""
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
FIRST, LAST = date(2024, 2, 1), date(2024, 5, 1)
NOW = ms("2024-05-03T00:00Z")
MODES = ("half_up", "half_even", "down", "up")
POINTS = ("P1", "P2", "P3")
DAY_MS = 86_400_000


def some_rate(rng: random.Random) -> str:
    """Odd to nine places, or in steps of five hundredths, so that many lines lie half-way."""
    return str(
        Decimal(rng.randrange(1, 10**9)).scaleb(-9) if rng.random() < 0.4 else Decimal(rng.randrange(1, 40)) / 20
    )


def some_round(rng: random.Random, *sizes: str) -> Body | None:
    return {"to": rng.choice(sizes), "mode": rng.choice(MODES)} if rng.random() < 0.4 else None


def some_times(rng: random.Random) -> Body:
    start, end = rng.sample(range(48), 2)
    hours = {"from": f"{start // 2:02}:{start % 2 * 30:02}", "to": f"{end // 2:02}:{end % 2 * 30:02}"}
    return {
        "months": rng.choice([None, None, [2, 3], [4]]),
        "days": rng.choice([None, list(WEEKDAYS[:5]), ["sat", "sun", "holiday"], ["holiday"]]),
        **(hours if rng.random() < 0.7 else {"from": None, "to": None}),
    }


def some_bands(rng: random.Random) -> list[Body]:
    bands = [{**some_times(rng), "name": f"b{number}", "rate": some_rate(rng)} for number in range(rng.randrange(3))]
    return [*bands, band("rest", some_rate(rng))]


def some_quantity(rng: random.Random, channel: str) -> Body:
    unit = {"E": "kWh", "X": "kWh", "R": "kvarh"}[channel]
    told: Body = {"channel": channel, "unit": unit}
    roll = rng.random()
    if channel == "E" and roll < 0.4:
        told |= {"minus": "X", "net": rng.choice(["interval", "period"])}
    elif channel == "R" and roll < 0.5:
        told["beyond"] = {"channel": "E", "share": rng.choice(["0.5", "0.25"])}
    if rng.random() < 0.3:
        told["share"] = rng.choice(["0.92", "1.1", "0.333333333"])
    if rng.random() < 0.25:
        steps: list[Body] = [{"times": "1.02264"}, {"over": "3.6", "round": some_round(rng, "1", "0.1")}]
        told |= {"steps": [{key: item for key, item in step.items() if item} for step in steps], "unit": "therm"}
    return told


def some_charge(rng: random.Random, name: str, kind: str, others: list[Body]) -> Body:
    charge: Body = {"name": name, "kind": kind}
    if told := some_round(rng, "0.05", "1", "10"):
        charge["round"] = told
    if kind in ("energy", "tiers", "demand"):
        charge["quantity"] = some_quantity(rng, rng.choice("EEXR"))
    if kind in ("tiers", "demand") and rng.random() < 0.5:
        charge["when"] = [some_times(rng) for _ in range(rng.randrange(1, 3))]
    if kind != "energy" and rng.random() < 0.4:
        charge["prorate"] = rng.choice(["none", "days"])
    if kind == "energy":
        charge["bands"] = some_bands(rng)
    elif kind == "tiers":
        bounds = sorted(rng.sample([1, 7, 100, 400, 1000, 1500], rng.randrange(3)))
        charge["bounds"] = rng.choice(["period", "day"])
        tiers: list[Body] = [{"up_to": str(bound), "rate": some_rate(rng)} for bound in bounds]
        tiers.append({"up_to": None, "rate": some_rate(rng)})
        for number, tier in enumerate(tiers):
            tier |= {"fee": some_rate(rng)} if rng.random() < 0.4 else {}
            tier |= {"name": f"step {number}"} if rng.random() < 0.4 else {}
        charge |= {"scheme": rng.choice(["graduated", "volume"]), "tiers": tiers}
    elif kind == "demand":
        charge |= {
            "rate": some_rate(rng),
            "measure": rng.choice(["maximum", "average"]),
            "highest": rng.choice([1, 3, 7]),
        }
        if "steps" not in charge["quantity"]:
            charge["quantity"]["unit"] = {"kWh": "kW", "kvarh": "kvar"}[charge["quantity"]["unit"]]
        if rng.random() < 0.5:
            charge["minimum"] = rng.choice(["0.5", "8.25"])
        if rng.random() < 0.6:
            charge["ratchet"] = {"share": rng.choice(["0.8", "0.333333333", "1"]), "months": rng.choice([1, 2, 11])}
    elif kind == "standing":
        charge |= {"rate": some_rate(rng), "per": rng.choice(["day", "month", "period"])}
    else:
        kinds = ("percentage",) if kind in ("minimum", "maximum") else ()
        names = [item["name"] for item in others if item["kind"] in ("energy", "tiers", "demand", "standing", *kinds)]
        if rng.random() < 0.7 and names:
            charge["of"] = rng.sample(names, rng.randrange(1, len(names) + 1))
        charge |= (
            {"share": rng.choice(["-0.05", "0.125"])}
            if kind == "percentage"
            else {"amount": rng.choice(["20", "300.5"])}
        )
    return charge


def some_version(rng: random.Random, number: int, start: str) -> Body:
    kinds = ["energy", "tiers", "demand", "standing"]
    kinds = [*rng.sample(kinds, rng.randrange(1, 5)), *rng.choices(kinds, k=rng.randrange(3))]
    kinds += rng.sample(["percentage", "minimum", "maximum"], rng.randrange(3))
    charges: list[Body] = []
    for at, kind in enumerate(kinds):
        # a demand keeps its name from version to version, so that its ratchet looks back
        charges.append(some_charge(rng, f"{kind} {at}", kind, charges))
    taxes: list[Body] = []
    for name in rng.sample(["VAT", "levy", "city"], rng.randrange(4)):
        tax: Body = {"name": name, "rate": {"VAT": "0.190", "levy": "0.07", "city": "0.0125"}[name]}
        if rng.random() < 0.4:
            tax["of"] = rng.sample([item["name"] for item in charges], rng.randrange(1, len(charges) + 1))
        if told := {"city": {"to": "1", "mode": "down"}}.get(name):
            tax["round"] = told
        taxes.append(tax)
    # always in one order, so that no two versions put them on each other
    taxes.sort(key=lambda item: str(item["name"]))
    for at, tax in enumerate(taxes[1:], 1):
        if rng.random() < 0.5:
            tax["on"] = [taxes[at - 1]["name"]]
    version: Body = {"version": f"v{number}", "effective_from": start, "charges": charges, "taxes": taxes}
    if rng.random() < 0.3:
        version["energy"] = [{"channel": "E", "unit": "kWh", "bands": some_bands(rng)}]
        version["standing_per_day"] = "0.4567"
        version["tax"] = {"name": "old", "rate": "0.05"}
    return version


def some_versions(rng: random.Random) -> list[Body]:
    starts = ["2023-01-01", *rng.sample(["2024-02-11", "2024-03-31", "2024-04-15"], rng.randrange(3))]
    return [some_version(rng, at, start) for at, start in enumerate(sorted(starts))]


OWN_TAXES: dict[str, Body] = {
    "by supply": {"date": "supply", "rounding": "document"},
    "by line": {"date": "period_end", "rounding": "line"},
    "when invoiced": {"date": "invoice", "round": {"to": "1", "mode": "up"}},
    "share": {"date": "supply", "share_of": "gross", "rounding": "line"},
    "other share": {"date": "period_end", "share_of": "gross"},
    "inside": {"date": "supply", "included": True},
}


def some_tax(rng: random.Random, name: str) -> Body:
    days = [
        "2001-01-01",
        *sorted(rng.sample(["2024-02-20", "2024-03-01", "2024-04-15", "2024-05-04"], rng.randrange(3))),
    ]
    return {
        "name": name,
        "rates": [{"from": day, "rate": rng.choice(["0.1", "0.050", "0.19", "0"])} for day in days],
        **OWN_TAXES[name],
    }


def vary(rng: random.Random, version: Body) -> None:
    """Some charges by the numbers of the tenancy, by demand, or at the prices of a series."""
    demands = [item["name"] for item in version["charges"] if item["kind"] == "demand"]
    for charge in version["charges"]:
        if rng.random() < 0.5:
            continue
        if charge["kind"] == "standing":
            charge |= {"per": rng.choice(["year", "month", "day"]), "number": rng.choice(["area", "agreed"])}
        elif charge["kind"] == "demand":
            charge["above"] = "agreed"
        elif charge["kind"] == "tiers":
            charge["bounds"] = rng.choice(["demand", "number"]) if demands else "number"
            charge["bounds_of"] = rng.choice(demands) if charge["bounds"] == "demand" else "agreed"
        elif charge["kind"] == "percentage":
            bounds = sorted(rng.sample(["0.2", "0.65", "0.7", "0.95", "1"], rng.randrange(1, 4)))
            table = [{"below": bound, "share": rng.choice(["-0.03", "0.125", "0.5"])} for bound in bounds]
            del charge["share"]
            charge["power_factor"] = {"active": "E", "reactive": "R", "table": table}
        elif (
            charge["kind"] == "energy"
            and charge["quantity"]["unit"] == "kWh"
            and charge["quantity"].get("net") != "period"
        ):
            del charge["bands"]
            charge |= {"series": "SPOT", "times": rng.choice(["1", "1.075"]), "plus": rng.choice(["0", "-0.0123"])}


def some_named(rng: random.Random, version: Body) -> list[Body]:
    """Taxes by name, some of them of some charges, a plain one on the one before it."""
    names = [item["name"] for item in version["charges"]]
    taxes: list[Body] = []
    for name in sorted(rng.sample(sorted(OWN_TAXES), rng.randrange(1, 4))):
        tax: Body = {"tax": name}
        if rng.random() < 0.4:
            tax["of"] = rng.sample(names, rng.randrange(1, len(names) + 1))
        before = [item["tax"] for item in taxes if not OWN_TAXES[item["tax"]].get("included")]
        if "share_of" not in OWN_TAXES[name] and "included" not in OWN_TAXES[name] and before and rng.random() < 0.5:
            tax["on"] = [before[-1]]
        taxes.append(tax)
    return taxes


class Portfolio:
    """Two accounts, three supply points with import, export and reactive energy, tenants that change hands; three months of half-hours."""

    def __init__(self, world: World, rng: random.Random, more: random.Random | None) -> None:
        self.world, self.rng, self.more, self.corrections = world, rng, more, random.Random(0)
        self.revisions: dict[tuple[str, str, int], int] = defaultdict(int)
        zone = rng.choice(ZONES)
        holidays = sorted(rng.sample([str(FIRST + timedelta(days=at)) for at in range(90)], 5))
        days = {date.fromisoformat(day) for day in holidays}
        self.truth = Truth(ZoneInfo(zone), days, rng.choice(list(PLACES)), LAST)
        world.entity()
        world.site(zone=zone, holidays=holidays)
        for account in ("A", "B"):
            self.truth.billing_from[account] = FIRST + timedelta(days=rng.choice([0, 0, 9]))
            self.truth.calendar_day[account] = rng.choice([1, 1, 15])
            world.account(
                account, str(self.truth.billing_from[account]), self.truth.calendar_day[account], self.truth.currency
            )
        if more is not None:
            self.reprice()
            for name in OWN_TAXES:
                self.retax(name)
            self.retreat()
        for name in ("T1", "T2"):
            self.retariff(name)
        for point in POINTS:
            self.supply(point)
            moves = FIRST + timedelta(days=rng.randrange(1, 89))
            self.occupy(f"{point}-1", "A", point, FIRST, moves, rng.choice(["T1", "T2"]))
            self.occupy(f"{point}-2", "B", point, moves, None, rng.choice(["T1", "T2"]))

    def retariff(self, name: str) -> None:
        self.truth.tariffs[name] = some_versions(self.rng)
        for version in self.truth.tariffs[name] if self.more else ():
            assert self.more is not None
            version["taxes"] = some_named(self.more, version)
            vary(self.more, version)
        self.world.tariff(name, *self.truth.tariffs[name], currency=self.truth.currency)

    def reprice(self) -> None:
        """Prices for every hour, before and after what is billed."""
        assert self.more is not None
        hours = range(ms("2024-01-31T00:00Z"), ms("2024-05-02T00:00Z"), 3_600_000)
        self.truth.series["SPOT"] = {at: str(Decimal(self.more.randrange(-500, 9000)).scaleb(-4)) for at in hours}
        spans = [{"from_ms": hours.start, "prices": " ".join(self.truth.series["SPOT"].values())}]
        body = {"unit": "kWh", "currency": self.truth.currency, "step_s": 3600, "spans": spans}
        self.world.reference("series", "SPOT", body)

    def some_numbers(self, first: date) -> list[Body]:
        assert self.more is not None
        later = self.more.choice(["2024-02-15", "2024-03-31", "2024-04-10"])
        return [
            {"name": name, "from": day, "value": str(Decimal(self.more.randrange(1, 900)).scaleb(-1))}
            for name in ("agreed", "area")
            for day in sorted({str(first), later})
        ]

    def retax(self, name: str) -> None:
        assert self.more is not None
        self.truth.taxes[name] = some_tax(self.more, name)
        self.world.reference("tax", name, self.truth.taxes[name])

    def retreat(self) -> None:
        """Account A is exempt from one tax for some time, and owes another itself from a day on."""
        assert self.more is not None
        one, other = self.more.sample(sorted(OWN_TAXES), 2)
        first, last = sorted(FIRST + timedelta(days=at) for at in self.more.sample(range(90), 2))
        self.truth.treatments["A"] = [
            {"tax": one, "treatment": "exempt", "evidence": "a paper", "from": str(first), "to": str(last)},
            {"tax": other, "treatment": "reverse_charge", "evidence": "a number", "from": str(last), "to": None},
        ]
        body = {
            "legal_entity": "LE", "party_id": "P-A", "currency": self.truth.currency,
            "billing_from": str(self.truth.billing_from["A"]),
            "calendar": {"kind": "monthly", "day": self.truth.calendar_day["A"]}, "opening_position": "0.00",
            "taxes": self.truth.treatments["A"],
        }  # fmt: skip
        self.world.reference("account", "A", body)

    def occupy(self, name: str, account: str, point: str, first: date, last: date | None, tariff: str) -> None:
        to = str(last) if last else None
        self.truth.tenancies[name] = {
            "account": account, "supply_point": point, "from": str(first), "to": to, "tariff": tariff,
            **({"numbers": self.some_numbers(FIRST)} if self.more else {}),
        }  # fmt: skip
        self.world.reference("tenancy", name, self.truth.tenancies[name])

    def supply(self, point: str) -> None:
        units = {"E": self.rng.choice(["Wh", "kWh"]), "X": self.rng.choice(["Wh", "kWh"]), "R": "varh"}
        items = [
            {"channel": name, "unit": unit, "grid_s": 1800, "kind": "intervals", "commodity": "electricity", "direction": "import"}
            for name, unit in units.items()
        ]  # fmt: skip
        self.world.reference("supply_point", point, {"site": "SITE", "channels": items})
        zone = self.truth.zone.key
        starts = range(midnight_ms(FIRST, zone), midnight_ms(LAST, zone), HALF_HOUR_MS)
        for name, unit in units.items():
            self.truth.units[point, name] = unit
            nanos = [self.some_nano(unit) for _ in starts]
            self.truth.standing |= {(point, name, at): nano for at, nano in zip(starts, nanos, strict=True)}
            cuts = [0, *sorted(random.Random(f"{point} {name}").sample(range(1, len(starts)), 20)), len(starts)]
            for first, behind in pairwise(cuts):
                until = starts.start + behind * HALF_HOUR_MS
                self.world.determinants(
                    starts[first], until, nanos[first:behind], supply_point=point, channel=name, unit=unit
                )

    def some_nano(self, unit: str) -> int:
        """A tenth of a kWh at a time, seldom below zero."""
        return self.rng.randrange(-2, 50) * int(Decimal("0.1") * 1000 / SIZES[unit] * 10**9)

    def adjust(self, key: tuple[str, str, int], delta: int, rng: random.Random) -> None:
        point, channel, at = key
        old = self.truth.standing[key]
        self.revisions[key] += 1
        self.world.adjust(
            at, delta, old_nano=old, revision=self.revisions[key], supply_point=point, channel=channel,
            unit=self.truth.units[point, channel], quality=rng.choice(["ACTUAL", "ESTIMATED"]),
        )  # fmt: skip
        self.truth.standing[key] = old + delta

    def something_changes(self) -> None:
        """Late reads, rows delivered again, another price list, another day of moving."""
        for key in self.rng.sample(sorted(self.truth.standing), 25):
            self.adjust(key, self.some_nano(self.truth.units[key[:2]]) or 1, self.rng)
        # what was highest no longer is, at all supply points: a demand has to look again
        highest: dict[tuple[str, str, int], tuple[str, str, int]] = {}
        for key, nano in self.truth.standing.items():
            month = (*key[:2], key[2] // (30 * DAY_MS))
            if month not in highest or nano > self.truth.standing[highest[month]]:
                highest[month] = key
        for key in highest.values():
            self.adjust(key, -self.truth.standing[key] // 2, self.corrections)
        for key in self.rng.sample(sorted(self.truth.standing), 2):
            point, channel, _ = key
            self.world.deliver_again(point, channel)
        if self.more is not None:
            self.reprice()
            self.retax(self.more.choice(sorted(OWN_TAXES)))
            self.retreat()
        if self.rng.random() < 0.5:
            self.retariff("T1")
        if self.rng.random() < 0.5:
            moves = FIRST + timedelta(days=self.rng.randrange(1, 89))
            for name, account, first, last in (("P1-1", "A", FIRST, moves), ("P1-2", "B", moves, None)):
                self.occupy(name, account, "P1", first, last, self.truth.tenancies[name]["tariff"])


_BILLED = """
WITH open AS (SELECT document_id FROM bill_documents WHERE status != 'replaced')
SELECT account, period_from, element, sum(amount) AS amount
FROM bill_lines FINAL
WHERE document_id IN open
GROUP BY account, period_from, element
HAVING amount != 0
"""


def rated_both_ways(store: Store, pins: Pins) -> list[list[Any]]:
    """What is rated when windows are added up by slot, and when each is looked at."""
    found = []
    for exact in (False, True):
        with staged(store, pins, ["A", "B"], exact=exact) as session:
            found.append(session.query("SELECT * EXCEPT charge_no FROM rating_charges ORDER BY ALL").rows)
    return found


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_conservation_of_money_charges_of_every_kind(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    world = World(store, ListLog())
    portfolio = Portfolio(world, rng, random.Random(seed) if seed >= WITH_MORE else None)
    for step in range(3):
        now = NOW + step * (DAY_MS if seed >= WITH_MORE else 1)
        portfolio.truth.today = datetime.fromtimestamp(now / 1000, UTC).date()
        result = run_bills(store, world.log, now)
        assert result.blocked == ()
        expected = {key: amount for key, amount in rated(portfolio.truth).items() if amount}
        billed = {(account, period, element): amount for account, period, element, amount in store.query(_BILLED).rows}
        assert billed == expected
        added, looked_at = rated_both_ways(store, result.runs[0].pins)
        assert added == looked_at
        for account in sorted({document.account for document in result.documents}):
            if rng.random() < 0.7:
                for document in issue_bill(store, world.log, account, now):
                    period_from = date.fromisoformat(document.document_id.split("/")[-2])
                    portfolio.truth.invoiced.setdefault((account, period_from), portfolio.truth.today)
        if step < 2:
            portfolio.something_changes()
    assert {name: rows for name, sql in CHECKS.items() if (rows := store.query(sql).rows)} == {}
