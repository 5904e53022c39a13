"""A year of bills against NREL's System Advisor Model (`Utilityrate5` of NREL-PySAM), which shares nothing with us, on random hourly loads.

Line by line: energy by time of use, tiers by season and per kW of demand, flat and time-of-use demand, a fixed charge, a minimum bill.

*Tolerance.* SAM computes in binary floating point and rounds nothing; a line of ours is rounded to the cent. So each compared sum may be
half a cent apart for each of its lines, and 10⁻⁷ of itself. *What it cannot express*: anything but one calendar year of 365 days that
begins on a Monday, in hours, of one tenant: no clock changes, holidays, moves, changed prices or corrections; no ratchet as ours, no
taxes, percentages or maximums; tiers only with the same bounds at all times of a month. Those are held against `charges_oracle`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.run import run_bills
from tests.integration.billing_world import ListLog, World, ms, utc_offsets

pysam = pytest.importorskip(
    "PySAM.Utilityrate5",
    reason="NREL-PySAM is not installed (220 MB): .venv/bin/python -m pip install -r requirements-oracle.lock",
)

Body = dict[str, Any]
YEAR = 2018
"""Not a leap year, and begins on a Monday: SAM's."""
HOURS = [datetime(YEAR, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(8760)]
HOUR_MS = 3_600_000
WEEKDAYS, WEEKEND = ["mon", "tue", "wed", "thu", "fri"], ["sat", "sun"]
NO_BOUND = 1e38


@dataclass(frozen=True)
class Rates:
    """A load in watts, and a price list both can say: hours [peak_from, peak_to) of weekdays are the peak, `summer` the other tiers."""

    load_w: list[int]
    peak_from: int
    peak_to: int
    summer: tuple[int, ...]
    energy: tuple[str, str]
    bounds: tuple[int, int]
    tiers: tuple[str, str, str, str]
    flat_demand: str
    demand: tuple[str, str]
    fixed: str
    minimum: str


def some_rates(seed: int) -> Rates:
    rng = random.Random(seed)

    def price(most: int, places: int) -> str:
        return str(Decimal(rng.randrange(1, most)).scaleb(-places))

    begins = rng.randrange(6, 12)
    shape = [rng.random() for _ in range(24)]
    load = [int(4000 * shape[at.hour] * rng.random() ** 2 * (1.6 if at.month in (1, 7, 8) else 1)) for at in HOURS]
    return Rates(
        load_w=load,
        peak_from=begins,
        peak_to=rng.randrange(begins + 1, 24),
        summer=tuple(range(rng.randrange(4, 7), rng.randrange(8, 11))),
        energy=(price(50_000, 5), price(50_000, 5)),
        bounds=(rng.randrange(100, 600), rng.randrange(100, 600)),
        tiers=(price(40_000, 5), price(40_000, 5), price(40_000, 5), price(40_000, 5)),
        flat_demand=price(1_500, 2),
        demand=(price(1_500, 2), price(1_500, 2)),
        fixed=price(3_000, 2),
        minimum=str(rng.choice([1, 250, 400])),
    )


# -- ours ---------------------------------------------------------------------------------------------------------------

IN_KWH, IN_KW = {"channel": "E", "unit": "kWh"}, {"channel": "E", "unit": "kW"}


def by_time(rates: Rates) -> list[Body]:
    """Energy and demand by time of use, and the flat demand beside it."""
    start, end = f"{rates.peak_from:02}:00", f"{rates.peak_to:02}:00"
    peak = {"days": WEEKDAYS, "from": start, "to": end}
    rest = [{"days": WEEKDAYS, "from": end, "to": "24:00"}, {"days": WEEKDAYS, "to": start}, {"days": WEEKEND}]
    bands = [{"name": "peak", "rate": rates.energy[1], **peak}, {"name": "rest", "rate": rates.energy[0]}]
    return [
        {"name": "energy", "kind": "energy", "quantity": IN_KWH, "bands": bands},
        {"name": "peak demand", "kind": "demand", "quantity": IN_KW, "when": [peak], "rate": rates.demand[1]},
        {"name": "other demand", "kind": "demand", "quantity": IN_KW, "when": rest, "rate": rates.demand[0]},
        {"name": "demand", "kind": "demand", "quantity": IN_KW, "rate": rates.flat_demand},
    ]


def by_tier(rates: Rates) -> list[Body]:
    """Two tiers by season."""
    winter = [month for month in range(1, 13) if month not in rates.summer]
    return [
        {
            "name": season, "kind": "tiers", "quantity": IN_KWH, "scheme": "graduated", "when": [{"months": months}],
            "tiers": [{"up_to": str(rates.bounds[at]), "rate": rates.tiers[2 * at]}, {"up_to": None, "rate": rates.tiers[2 * at + 1]}],
        }
        for at, (season, months) in enumerate((("winter", winter), ("summer", list(rates.summer))))
    ]  # fmt: skip


def by_hours_of_use(rates: Rates) -> list[Body]:
    """Tiers whose bounds are kWh for each kW of the month's peak."""
    tiers = [{"up_to": str(rates.bounds[0]), "rate": rates.tiers[0]}, {"up_to": None, "rate": rates.tiers[1]}]
    return [
        {"name": "demand", "kind": "demand", "quantity": IN_KW, "rate": rates.flat_demand},
        {
            "name": "energy", "kind": "tiers", "quantity": IN_KWH, "scheme": "graduated", "bounds": "demand", "bounds_of": "demand",
            "tiers": tiers,
        },
    ]  # fmt: skip


def billed(world: World, names: list[str]) -> dict[str, list[dict[str, Decimal]]]:
    """By account, per month: amounts by charge."""
    result = run_bills(world.store, world.log, ms(f"{YEAR + 1}-01-05T00:00Z"))
    assert result.blocked == ()
    found: dict[str, list[dict[str, Decimal]]] = {name: [defaultdict(Decimal) for _ in range(12)] for name in names}
    for document in result.documents:
        for line in document.lines:
            found[document.account][document.period_from.month - 1][line.band.split(":")[0]] += line.amount
    return found


def enter(world: World, name: str, rates: Rates, charges: list[Body]) -> None:
    fixed = {"name": "fixed", "kind": "standing", "rate": rates.fixed, "per": "month"}
    least = {"name": "least", "kind": "minimum", "amount": rates.minimum}
    version = {"version": "1", "effective_from": "2017-01-01", "charges": [*charges, fixed, least], "taxes": []}
    world.account(name, billing_from=f"{YEAR}-01-01")
    world.supply_point(name, unit="Wh", grid_s=3600)
    world.tariff(name, version)
    world.tenancy(name, name, name, f"{YEAR}-01-01", None, name)
    start = ms(f"{YEAR}-01-01T00:00Z")
    world.determinants(
        start, start + 8760 * HOUR_MS, [watts * 10**9 for watts in rates.load_w], supply_point=name, step_ms=HOUR_MS
    )


# -- SAM's --------------------------------------------------------------------------------------------------------------


def modelled(rates: Rates, **terms: Any) -> dict[str, list[float]]:
    """What SAM makes of a price list: its monthly outputs by name."""
    one = [[1] * 24] * 12
    model = pysam.new()
    given = {
        "en_electricity_rates": 1, "rate_escalation": [0], "ur_annual_min_charge": 0, "ur_dc_enable": 0,
        "ur_dc_flat_mat": [[month, 1, NO_BOUND, 0.0] for month in range(12)], "ur_dc_sched_weekday": one, "ur_dc_sched_weekend": one,
        "ur_dc_tou_mat": [[1, 1, NO_BOUND, 0.0]], "ur_ec_sched_weekday": one, "ur_ec_sched_weekend": one,
        "ur_ec_tou_mat": [[1, 1, NO_BOUND, 0, 0.0, 0]], "ur_en_ts_buy_rate": 0, "ur_en_ts_sell_rate": 0, "ur_metering_option": 4,
        "ur_monthly_fixed_charge": float(rates.fixed), "ur_monthly_min_charge": float(rates.minimum), "ur_nm_yearend_sell_rate": 0,
        "ur_sell_eq_buy": 0, "ur_enable_billing_demand": 0, **terms,
    }  # fmt: skip
    for name, value in given.items():
        setattr(model.ElectricityRates, name, value)
    model.Load.load = [watts / 1000 for watts in rates.load_w]
    model.Load.load_escalation = [0]
    model.Lifetime.analysis_period, model.Lifetime.inflation_rate = 1, 0
    model.Lifetime.system_use_lifetime_output = 0
    model.SystemOutput.gen, model.SystemOutput.degradation = [0.0] * 8760, [0]
    model.execute(0)
    found = model.Outputs.export()
    names = ("ec_charge_without_system", "dc_fixed_without_system", "dc_tou_without_system", "fixed_without_system",
             "minimum_without_system", "utility_bill_wo_sys")  # fmt: skip
    return {name: list(found[f"year1_monthly_{name}"]) for name in names}


def modelled_by_time(rates: Rates) -> dict[str, list[float]]:
    hours = [2 if rates.peak_from <= hour < rates.peak_to else 1 for hour in range(24)]
    low, high = map(float, rates.energy)
    off, peak = map(float, rates.demand)
    return modelled(
        rates, ur_ec_sched_weekday=[hours] * 12, ur_ec_tou_mat=[[1, 1, NO_BOUND, 0, low, 0], [2, 1, NO_BOUND, 0, high, 0]], ur_dc_enable=1,
        ur_dc_flat_mat=[[month, 1, NO_BOUND, float(rates.flat_demand)] for month in range(12)], ur_dc_sched_weekday=[hours] * 12,
        ur_dc_tou_mat=[[1, 1, NO_BOUND, off], [2, 1, NO_BOUND, peak]],
    )  # fmt: skip


def modelled_by_tier(rates: Rates) -> dict[str, list[float]]:
    seasons = [[2 if month in rates.summer else 1] * 24 for month in range(1, 13)]
    tiers = [
        [season, tier, bound, 0, float(rate), 0]
        for season, bounds, prices in ((1, rates.bounds[0], rates.tiers[:2]), (2, rates.bounds[1], rates.tiers[2:]))
        for tier, bound, rate in zip((1, 2), (bounds, NO_BOUND), prices, strict=True)
    ]
    return modelled(rates, ur_ec_sched_weekday=seasons, ur_ec_sched_weekend=seasons, ur_ec_tou_mat=tiers)


def modelled_by_hours_of_use(rates: Rates) -> dict[str, list[float]]:
    low, high = map(float, rates.tiers[:2])
    per_kw = 1
    return modelled(
        rates, ur_ec_tou_mat=[[1, 1, rates.bounds[0], per_kw, low, 0], [1, 2, NO_BOUND, per_kw, high, 0]], ur_dc_enable=1,
        ur_dc_flat_mat=[[month, 1, NO_BOUND, float(rates.flat_demand)] for month in range(12)],
    )  # fmt: skip


SAYS = {
    "ec_charge_without_system": ("energy", "winter", "summer"),
    "dc_fixed_without_system": ("demand",),
    "dc_tou_without_system": ("peak demand", "other demand"),
    "fixed_without_system": ("fixed",),
    "minimum_without_system": ("least",),
    "utility_bill_wo_sys": ("energy", "winter", "summer", "demand", "peak demand", "other demand", "fixed", "least"),
}
"""What of ours each output of SAM's is the sum of."""
ROUNDED = {
    "ec_charge_without_system": 2,
    "dc_tou_without_system": 2,
    "minimum_without_system": 7,
    "utility_bill_wo_sys": 7,
}
"""How many rounded lines a sum rests on at most, where it is more than one: a minimum lifts rounded lines."""
SEEDS = [pytest.param(range(2)), pytest.param(range(2, 40), marks=pytest.mark.long)]


@pytest.mark.parametrize("seeds", SEEDS, ids=("few", "many"))
def test_a_year_of_bills_is_what_the_system_advisor_model_says(store: Store, seeds: range) -> None:
    world = World(store, ListLog(), zone="UTC")
    world.entity()
    offsets = utc_offsets("UTC", YEAR - 1, YEAR + 1)
    timetable = {"gate_after_days": 3, "gate_at": "06:00"}
    site = {"legal_entity": "LE", "time_zone": "UTC", "utc_offsets": offsets, "holidays": [], "timetable": timetable}
    world.reference("site", "SITE", site)
    models: dict[str, dict[str, list[float]]] = {}
    for seed in seeds:
        rates = some_rates(seed)
        enter(world, f"time {seed}", rates, by_time(rates))
        enter(world, f"tier {seed}", rates, by_tier(rates))
        enter(world, f"hours {seed}", rates, by_hours_of_use(rates))
        models[f"hours {seed}"] = modelled_by_hours_of_use(rates)
        models |= {f"time {seed}": modelled_by_time(rates), f"tier {seed}": modelled_by_tier(rates)}
    apart = [
        (account, month + 1, output, ours, model[output][month])
        for account, months in billed(world, list(models)).items()
        for month, amounts in enumerate(months)
        for model in [models[account]]
        for output, charges in SAYS.items()
        for ours in [sum((amounts[name] for name in charges), Decimal(0))]
        if abs(float(ours) - model[output][month]) > 0.005 * ROUNDED.get(output, 1) + 1e-7 * abs(model[output][month])
    ]
    assert apart == []
    assert {name for name, model in models.items() if any(model["minimum_without_system"])}
