"""Legal entities, sites and supply points: defaults filled in, calendars written out, grids laid over local midnights."""

from __future__ import annotations

from meterfold.portfolio.calendar import fitting_minutes, grid_fault, time_zones, utc_offsets
from meterfold.portfolio.model import (
    BackBilling,
    Channel,
    Holds,
    LegalEntity,
    Length,
    Policy,
    Site,
    SupplyPoint,
    Vacant,
)
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape import ChannelShape, LegalEntityShape, SiteShape, SupplyPointShape
from meterfold.portfolio.units import ELECTRICAL, minor_digits
from meterfold.portfolio.written import LOCAL_DAY

_ALLOWANCE_S = 2 * 3600


def build_legal_entities(written: Written) -> dict[str, LegalEntity]:
    """The invoice series is named after the legal entity unless it says otherwise."""
    return {
        id_: LegalEntity(
            id_,
            shape.name,
            shape.currency,
            shape.invoice_series or id_,
            shape.change_control,
            _back_billing(shape),
            _holds(written, id_, shape),
            ledger=shape.ledger.names() if shape.ledger else (),
        )
        for id_, shape in written.objects("legal_entities", LegalEntityShape).items()
    }


def _back_billing(shape: LegalEntityShape) -> BackBilling | None:
    rule = shape.back_billing
    if rule is None:
        return None
    return BackBilling(
        rule.months, rule.bearer, rule.reason or f"the period ended more than {rule.months} months before"
    )


def _holds(written: Written, id_: str, shape: LegalEntityShape) -> Holds | None:
    """The amount is one of the legal entity's currency."""
    rules = shape.holds
    if rules is None:
        return None
    digits = minor_digits(shape.currency)
    if rules.amount is not None and rules.amount != round(rules.amount, digits):
        wrong = f"{rules.amount} is no amount of {shape.currency}"
        fault = Fault("bad_value", wrong, f"write at most {digits} decimals")
        written.add((*written.path("legal_entities", id_), "holds", "amount"), fault)
    return Holds(rules.estimated_share, rules.change, rules.amount)


def build_sites(written: Written) -> dict[str, Site]:
    """Sites whose legal entity and time zone are known."""
    sites = {}
    for id_, shape in written.objects("sites", SiteShape).items():
        path = written.path("sites", id_)
        legal_entity = written.refer_or_only("legal_entities", shape.legal_entity, (*path, "legal_entity"))
        if shape.time_zone not in time_zones():
            do = "write a name of the time-zone database, such as Europe/Berlin"
            wrong = f"`{shape.time_zone}` is no time zone"
            written.add((*path, "time_zone"), Fault("unknown_time_zone", wrong, do))
        elif legal_entity is not None:
            sites[id_] = _site(id_, legal_entity, shape)
    return sites


def _site(id_: str, legal_entity: str, shape: SiteShape) -> Site:
    hour, minute = divmod(shape.timetable.gate_at, 60)
    return Site(
        id=id_,
        legal_entity=legal_entity,
        time_zone=shape.time_zone,
        first_year=shape.calendar_from_year,
        utc_offsets=utc_offsets(shape.time_zone, shape.calendar_from_year),
        holidays=tuple(sorted(set(shape.holidays))),
        gate_after_days=shape.timetable.gate_after_days,
        gate_at=f"{hour:02}:{minute:02}",
    )


def build_supply_points(written: Written, sites: dict[str, Site]) -> dict[str, SupplyPoint]:
    """Supply points with every channel's grid checked; the site is None where the site itself has problems."""
    points = {}
    for id_, shape in written.objects("supply_points", SupplyPointShape).items():
        path = written.path("supply_points", id_)
        site_id = written.refer_or_only("sites", shape.site, (*path, "site"))
        site = sites.get(site_id) if site_id else None
        channels = {
            name: channel
            for name, item in shape.channels.items()
            if (channel := _channel(written, name, item, site, (*path, "channels", name)))
        }
        points[id_] = SupplyPoint(id_, site, channels, _vacant(written, shape, (*path, "vacant")))
    return points


def _vacant(written: Written, shape: SupplyPointShape, path: Path) -> Vacant | None:
    """Who is charged for days without a tenancy, if anybody, and how."""
    vacant = shape.vacant
    if vacant is None:
        return None
    known = [
        written.refer("accounts", vacant.account, (*path, "account")),
        written.refer("tariffs", vacant.tariff, (*path, "tariff")),
    ]
    return Vacant(vacant.account, vacant.tariff, vacant.from_) if all(known) else None


def _channel(written: Written, id_: str, shape: ChannelShape, site: Site | None, path: Path) -> Channel | None:
    lengths = _lengths(written, shape, site, path)
    commodity = shape.commodity or ("electricity" if shape.unit in ELECTRICAL else None)
    if commodity is None:
        do = f"say what is measured in {shape.unit}, such as water, gas or heat"
        written.add((*path, "commodity"), Fault("missing_key", "is missing", do))
    if lengths is None or commodity is None:
        return None
    allowance_s = shape.allowance
    if allowance_s is None:
        allowance_s = 0 if shape.kind == "spans" else _ALLOWANCE_S
    policy = shape.policy
    return Channel(
        id=id_,
        kind=shape.kind,
        commodity=commodity,
        direction=shape.direction,
        unit=shape.unit,
        interval_s=lengths[0],
        grid_s=lengths[1],
        allowance_s=allowance_s,
        horizon_days=shape.horizon_days,
        signed=shape.direction == "net" if shape.signed is None else shape.signed,
        policy=Policy(policy.interpolate_max, policy.like_days, policy.spike_factor, policy.zero_run),
    )


def _lengths(written: Written, shape: ChannelShape, site: Site | None, path: Path) -> tuple[Length, Length] | None:
    """(interval, billing grid); None after a problem. Spans have no grid of their own: both are local days."""
    if shape.kind == "spans":
        for key, value in (("interval", shape.interval), ("billing_grid", shape.billing_grid)):
            if value is not None:
                wrong = "a channel of kind spans has no grid: its spans run from read to read"
                written.add((*path, key), Fault("grid_misfit", wrong, "leave it out"))
        return LOCAL_DAY, LOCAL_DAY
    if shape.interval is None:
        do = "write the minutes of the meter's intervals, such as 15, or local_day; it can never change"
        written.add((*path, "interval"), Fault("missing_key", "is missing", do))
        return None
    grid = shape.interval if shape.billing_grid is None else shape.billing_grid
    fits = _fits(written, shape.interval, site, (*path, "interval"))
    if grid == shape.interval or not _is_multiple(written, grid, shape.interval, (*path, "billing_grid")):
        return (shape.interval, grid) if fits else None
    return (shape.interval, grid) if _fits(written, grid, site, (*path, "billing_grid")) and fits else None


def _fits(written: Written, length: Length, site: Site | None, path: Path) -> bool:
    fault = grid_fault(length, site.utc_offsets) if isinstance(length, int) and site else None
    if fault is not None and site:
        fitting = ", ".join(map(str, fitting_minutes(site.utc_offsets)))
        written.add(path, Fault("grid_misfit", fault, f"in {site.time_zone} use {fitting} or local_day"))
    return fault is None


def _is_multiple(written: Written, grid: Length, interval: Length, path: Path) -> bool:
    if grid == LOCAL_DAY or (isinstance(grid, int) and isinstance(interval, int) and grid % interval == 0):
        return True
    shown = [f"{length // 60} minutes" if isinstance(length, int) else "a local day" for length in (grid, interval)]
    wrong = f"{shown[0]} is not a whole number of intervals of {shown[1]}"
    written.add(path, Fault("grid_not_multiple", wrong, "use a multiple of the interval, or local_day"))
    return False
