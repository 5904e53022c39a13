"""The charges of a tariff version: tiers that leave nothing without a price, and names that say what is charged of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from typing import Final

from meterfold.portfolio.build_bands import build_bands, build_whens, check_names
from meterfold.portfolio.build_quantities import build_quantity, build_rounding
from meterfold.portfolio.model_tariffs import (
    BySeries,
    Charge,
    DemandCharge,
    EnergyCharge,
    LimitCharge,
    PercentageCharge,
    PowerFactor,
    Ratchet,
    Rounding,
    Series,
    StandingCharge,
    Tier,
    TieredCharge,
)
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import (
    ChargeShape,
    DemandChargeShape,
    EnergyChargeShape,
    LimitShape,
    PercentageShape,
    RoundShape,
    SeriesChargeShape,
    StandingChargeShape,
    TieredChargeShape,
    TierShape,
)
from meterfold.portfolio.units import minor_digits

RANK: Final = {"energy": 0, "tiers": 0, "demand": 0, "standing": 0, "percentage": 1, "minimum": 2, "maximum": 2}
"""The order in which charges are computed; `of` names only what comes before."""


def build_charges(
    written: Written, shapes: Mapping[str, ChargeShape], currency: str | None, series: Mapping[str, Series], path: Path
) -> tuple[Charge, ...]:
    """The charges of a version, in the order written. `path` is that of their mapping."""
    ranks = {name: RANK[shape.kind] for name, shape in shapes.items()}
    demands = {name: shape for name, shape in shapes.items() if shape.kind == "demand"}
    for name, shape in shapes.items():
        if isinstance(shape, TieredChargeShape) and shape.bounds == "demand" and shape.bounds_of is not None:
            known_name(written, shape.bounds_of, demands, (*path, name, "bounds_of"), "demand charge")
    return tuple(
        _by_series(written, name, shape, currency, series, (*path, name))
        if isinstance(shape, SeriesChargeShape)
        else _charge(written, name, shape, ranks, currency, (*path, name))
        for name, shape in shapes.items()
    )


def _charge(
    written: Written, name: str, shape: ChargeShape, ranks: Mapping[str, int], currency: str | None, path: Path
) -> Charge:
    rounding = money_rounding(written, shape.round, currency, (*path, "round"))
    match shape:
        case EnergyChargeShape():
            bands = build_bands(written, shape.bands, (*path, "bands"))
            return EnergyCharge(name, build_quantity(written, shape, path), bands, None, rounding)
        case TieredChargeShape():
            return _tiered(written, name, shape, rounding, path)
        case DemandChargeShape():
            return _demand(written, name, shape, rounding, path)
        case StandingChargeShape():
            if shape.unit is not None and shape.number is None:
                do = "leave it out: what is counted is the time"
                written.add((*path, "unit"), Fault("bad_value", "the unit of a number, and there is none", do))
            return StandingCharge(name, shape.rate, shape.per, shape.number, shape.unit, shape.prorate, rounding)
        case LimitShape():
            of = _of(written, shape, ranks, path)
            return LimitCharge(name, shape.kind, of, shape.amount, shape.prorate, rounding)
        case PercentageShape():
            return _percentage(written, name, shape, ranks, rounding, path)
    raise AssertionError(shape)


def _by_series(
    written: Written,
    name: str,
    shape: SeriesChargeShape,
    currency: str | None,
    series: Mapping[str, Series],
    path: Path,
) -> EnergyCharge:
    """A charge at the prices of a series: window by window, so what is done to a sum cannot be done to its quantity."""
    written.refer("series", shape.series, (*path, "series"))
    found = series.get(shape.series)
    for key, given in (("steps", shape.steps), ("beyond", shape.beyond), ("net", shape.net == "period")):
        if given:
            wrong = "is done to the sum of a period, and every interval has a price of its own"
            written.add((*path, key), Fault("bad_value", wrong, "leave it out, or use bands"))
    if found is not None and "unit" in shape.model_fields_set and shape.unit != found.unit:
        wrong = f"{shape.unit}, and the prices of {found.id} are per {found.unit}"
        written.add((*path, "unit"), Fault("unit_not_convertible", wrong, "leave it out"))
    if found is not None and currency not in (None, found.currency):
        wrong = f"{found.id} is in {found.currency}, and the tariff in {currency}"
        written.add((*path, "series"), Fault("currency_mismatch", wrong, "use a series in the tariff's currency"))
    counted = shape if found is None else shape.model_copy(update={"unit": found.unit})
    rounding = money_rounding(written, shape.round, currency, (*path, "round"))
    priced = BySeries(shape.series, shape.times, shape.plus)
    return EnergyCharge(name, build_quantity(written, counted, path), (), priced, rounding)


def money_rounding(written: Written, shape: RoundShape | None, currency: str | None, path: Path) -> Rounding | None:
    """How a line is rounded: to what can be paid, whole multiples of the currency's smallest unit."""
    if shape is not None and currency is not None:
        smallest = Decimal(1).scaleb(-minor_digits(currency))
        if shape.to % smallest:
            wrong = f"{shape.to} is no multiple of {smallest} {currency}, the smallest amount there is"
            written.add((*path, "to"), Fault("bad_value", wrong, f"write {smallest} or more"))
    return build_rounding(shape)


def _tiered(
    written: Written, name: str, shape: TieredChargeShape, rounding: Rounding | None, path: Path
) -> TieredCharge:
    _check_bounds(written, shape.tiers, (*path, "tiers"))
    if (shape.bounds_of is None) == (shape.bounds in ("demand", "number")):
        wrong = "is missing" if shape.bounds_of is None else f"stands beside `bounds: {shape.bounds}`"
        do = "name the demand charge, or the number of the tenancy, that a bound is for each unit of"
        written.add((*path, "bounds_of"), Fault("missing_key" if shape.bounds_of is None else "bad_value", wrong, do))
    names = [tier.name or str(place) for place, tier in enumerate(shape.tiers, start=1)]  # bills number the nameless
    check_names(written, names, (*path, "tiers"), "tier")
    return TieredCharge(
        name=name,
        quantity=build_quantity(written, shape, path),
        when=build_whens(written, shape.when, (*path, "when")),
        scheme=shape.scheme,
        bounds=shape.bounds,
        bounds_of=shape.bounds_of,
        prorate=shape.prorate,
        tiers=tuple(Tier(tier.name, tier.up_to, tier.rate, tier.fee) for tier in shape.tiers),
        round=rounding,
    )


def _check_bounds(written: Written, tiers: Sequence[TierShape], path: Path) -> None:
    """Each tier ends above the one before, and the last, and only it, has no end."""
    code = "tiers_out_of_order"
    if tiers[-1].up_to is not None:
        wrong = f"nothing prices what is above {tiers[-1].up_to}"
        written.add((*path, len(tiers) - 1), Fault(code, wrong, "leave `up_to` out of the last tier"))
    for position, tier in enumerate(tiers[:-1]):
        if tier.up_to is None:
            written.add((*path, position), Fault(code, "has no `up_to`, and is not the last tier", "write its bound"))
    bounds = [(position, tier.up_to) for position, tier in enumerate(tiers) if tier.up_to is not None]
    for (_, before), (position, bound) in pairwise(bounds):
        if bound <= before:
            wrong = f"{bound} is not above {before}, where the tier before ends"
            written.add((*path, position, "up_to"), Fault(code, wrong, "write tiers from the lowest upwards"))


def _demand(
    written: Written, name: str, shape: DemandChargeShape, rounding: Rounding | None, path: Path
) -> DemandCharge:
    if shape.highest > 1 and shape.measure == "maximum":
        do = "write `measure: average` for the average of the highest, or leave `highest` out"
        written.add((*path, "highest"), Fault("bad_value", f"the maximum of the {shape.highest} highest", do))
    if shape.net == "period":
        written.add((*path, "net"), Fault("bad_value", "demand is that of an interval", "write `net: interval`"))
    if shape.beyond is not None:
        do = "leave it out: it is about the sums of a period"
        written.add((*path, "beyond"), Fault("bad_value", "demand is that of an interval", do))
    return DemandCharge(
        name=name,
        quantity=build_quantity(written, shape, path),
        when=build_whens(written, shape.when, (*path, "when")),
        measure=shape.measure,
        highest=shape.highest,
        rate=shape.rate,
        minimum=shape.minimum,
        ratchet=None if shape.ratchet is None else Ratchet(shape.ratchet.share, shape.ratchet.months),
        above=shape.above,
        prorate=shape.prorate,
        round=rounding,
    )


def _percentage(
    written: Written, name: str, shape: PercentageShape, ranks: Mapping[str, int], rounding: Rounding | None, path: Path
) -> PercentageCharge:
    given = shape.power_factor
    if (shape.share is None) == (given is None):
        wrong = "is missing" if shape.share is None else "stands beside `power_factor`, which has its own"
        do = "add it, or `power_factor` with a table of shares" if shape.share is None else "leave one of the two out"
        written.add((*path, "share"), Fault("missing_key" if shape.share is None else "bad_value", wrong, do))
    of = _of(written, shape, ranks, path)
    if given is None:
        return PercentageCharge(name, of, shape.share, None, rounding)
    for position, (before, after) in enumerate(pairwise(given.table), start=1):
        if after.below <= before.below:
            where = (*path, "power_factor", "table", position, "below")
            wrong = f"{after.below} is not above {before.below}, the bound before it"
            written.add(where, Fault("tiers_out_of_order", wrong, "write the table from the lowest factor upwards"))
    table = tuple((row.below, row.share) for row in given.table)
    return PercentageCharge(name, of, None, PowerFactor(given.active, given.reactive, table), rounding)


def _of(written: Written, shape: LimitShape | PercentageShape, ranks: Mapping[str, int], path: Path) -> tuple[str, ...]:
    """The charges that it is computed from; all that come before, where it does not say."""
    rank, where = RANK[shape.kind], (*path, "of")
    before = tuple(name for name in ranks if ranks[name] < rank)
    if shape.of is None:
        if not before:
            written.add(where, Fault("missing_key", "there is no charge that it could be of", "add one"))
        return before
    for position, name in enumerate(shape.of):
        known = known_name(written, name, ranks, (*where, position), "charge")
        if name in shape.of[:position]:
            written.add((*where, position), Fault("bad_value", f"{name} stands twice", "name it once"))
        elif known and ranks[name] >= rank:
            wrong = f"{name} is not computed before a {shape.kind}"
            do = f"name only {'energy, tiers, demand and standing' if rank == 1 else 'charges that are no minimum or maximum'}"
            written.add((*where, position), Fault("charge_order", wrong, do))
    return tuple(shape.of)


def known_name(written: Written, name: str, names: Mapping[str, object], path: Path, what: str) -> bool:
    """Whether the version has a charge or tax of that name; if not, that is a problem."""
    if name in names:
        return True
    near = get_close_matches(name, names, n=1)
    do = f"did you mean {near[0]}" if near else f"name a {what} of the version"
    written.add(path, Fault("unknown_reference", f"the version has no {what} {name}", do))
    return False
