"""What a tariff charges for, against the channels of a supply point that uses it: units, grids, and the times at which prices change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meterfold.portfolio.bands import clock
from meterfold.portfolio.model import Channel, SupplyPoint
from meterfold.portfolio.model_tariffs import (
    Band,
    DemandCharge,
    EnergyCharge,
    MeteredCharge,
    PercentageCharge,
    PowerFactor,
    Series,
    TariffVersion,
    When,
)
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.units import DIMENSIONS, comparable, conversion
from meterfold.portfolio.written import LOCAL_DAY


def check_prices(
    written: Written,
    version: TariffVersion,
    path: Path,
    point: SupplyPoint,
    series: Mapping[str, Series],
    tenancy: Path,
) -> None:
    """Every price of a version (at `path`) that is for a channel, for the supply point of a tenancy."""
    for price in version.energy:
        channel = _channel(written, price.channel, point, tenancy)
        if channel is not None:
            where = (*path, "energy", price.channel)
            _check_unit(written, price.unit, channel, point, where)
            _check_edges(written, price.bands, channel, point, (*where, "bands"))
    for charge in version.charges:
        if isinstance(charge, PercentageCharge) and charge.power_factor:
            _check_factor(written, charge.power_factor, (*path, "charges", charge.name, "power_factor"), point, tenancy)
        if isinstance(charge, MeteredCharge):
            _check_charge(written, charge, (*path, "charges", charge.name), point, series, tenancy)


def _check_factor(written: Written, factor: PowerFactor, path: Path, point: SupplyPoint, tenancy: Path) -> None:
    active = _channel(written, factor.active, point, tenancy)
    reactive = _channel(written, factor.reactive, point, tenancy)
    if active is not None and conversion(active.unit, "kWh") is None:
        wrong = f"{_shown(active, point)} is in {active.unit}, which is no active energy"
        written.add((*path, "active"), Fault("unit_not_convertible", wrong, "name a channel in kWh"))
    elif active is not None and reactive is not None and conversion(reactive.unit, "kvarh") is None:
        wrong = f"{_shown(reactive, point)} is in {reactive.unit}, which is no reactive energy"
        written.add((*path, "reactive"), Fault("unit_not_convertible", wrong, "name a channel in kvarh"))


def _check_charge(
    written: Written, charge: MeteredCharge, path: Path, point: SupplyPoint, series: Mapping[str, Series], tenancy: Path
) -> None:
    quantity = charge.quantity
    channel = _channel(written, quantity.channel, point, tenancy)
    minus = _channel(written, quantity.minus, point, tenancy)
    beyond = _channel(written, quantity.beyond.channel if quantity.beyond else None, point, tenancy)
    if channel is None:
        return
    if not quantity.steps and quantity.unit in DIMENSIONS:
        _check_unit(written, quantity.unit, channel, point, path)
    if minus is not None:
        _check_minus(written, channel, minus, quantity.net, point, path)
    if beyond is not None and not comparable(beyond.unit, channel.unit):
        wrong = f"{_shown(beyond, point)} is in {beyond.unit}, which is no measure for {channel.unit}"
        do = "name a channel in the same unit, or in another electrical one"
        written.add((*path, "beyond", "channel"), Fault("unit_not_convertible", wrong, do))
    if isinstance(charge, DemandCharge) and (channel.kind == "spans" or channel.grid_s == LOCAL_DAY):
        wrong = f"{_shown(channel, point)} has no intervals within the day that could have a demand"
        written.add((*path, "channel"), Fault("needs_intervals", wrong, "use a channel with a grid in minutes"))
    elif isinstance(charge, EnergyCharge) and charge.priced:
        found = series.get(charge.priced.series)
        if found is not None and (
            channel.kind == "spans" or channel.grid_s == LOCAL_DAY or found.step_s % int(channel.grid_s)
        ):
            wrong = f"{_shown(channel, point)} is not billed in intervals of which {found.step_s // 60} minutes are a multiple"
            do = "use a channel whose `billing_grid` fits into the step of the series"
            written.add((*path, "series"), Fault("needs_intervals", wrong, do))
    elif isinstance(charge, EnergyCharge):
        _check_edges(written, charge.bands, channel, point, (*path, "bands"))
    else:
        _check_edges(written, charge.when, channel, point, (*path, "when"))


def _channel(written: Written, id_: str | None, point: SupplyPoint, tenancy: Path) -> Channel | None:
    """A channel of the supply point that has no problems of its own; a problem if it has none of that id."""
    if id_ is None or id_ in point.channels:
        return None if id_ is None else point.channels[id_]
    written_points = written.document.data.get("supply_points") or {}
    if id_ not in (written_points.get(point.id, {}).get("channels") or ()):
        wrong = f"the tariff prices channel {id_}, which supply point {point.id} does not have"
        do = "use a tariff without it, or add the channel"
        written.add((*tenancy, "tariff"), Fault("unknown_reference", wrong, do))
    return None


def _check_unit(written: Written, unit: str, channel: Channel, point: SupplyPoint, path: Path) -> None:
    if conversion(channel.unit, unit) is None:
        wrong = f"{unit}, but {_shown(channel, point)} is in {channel.unit}"
        do = f"price it in {channel.unit} or a unit that it converts to"
        written.add((*path, "unit"), Fault("unit_not_convertible", wrong, do))


def _check_minus(
    written: Written, channel: Channel, minus: Channel, net: str | None, point: SupplyPoint, path: Path
) -> None:
    """What is taken off is of the same dimension, and interval by interval only where the intervals are the same."""
    if conversion(minus.unit, channel.unit) is None:
        wrong = f"{_shown(minus, point)} is in {minus.unit}, which cannot be taken off {channel.unit}"
        do = "name a channel of the same commodity"
        written.add((*path, "minus"), Fault("unit_not_convertible", wrong, do))
    if net == "interval" and ("spans" in (channel.kind, minus.kind) or channel.grid_s != minus.grid_s):
        wrong = f"{_shown(channel, point)} and {minus.id} are not billed in the same intervals"
        do = "give both channels one `billing_grid`, or write `net: period`"
        written.add((*path, "net"), Fault("needs_intervals", wrong, do))


def _check_edges(
    written: Written, times: Sequence[Band | When], channel: Channel, point: SupplyPoint, path: Path
) -> None:
    """Prices change where intervals of the billing grid do; within what is read by hand, they change with the month only."""
    grid = 1440 if isinstance(channel.grid_s, str) else channel.grid_s // 60
    where = _shown(channel, point)
    for item in times:
        name = f"band {item.name}" if isinstance(item, Band) else "a time"
        edges = [clock(edge) for edge in (item.from_minute, item.to_minute) if edge % grid]
        if edges and channel.kind != "spans":
            shown = "local days" if channel.grid_s == LOCAL_DAY else f"intervals of {grid} minutes"
            wrong = f"{name} begins or ends at {' and '.join(edges)}, and {where} is billed in {shown}"
            written.add(path, Fault("band_off_grid", wrong, "move it to where an interval ends"))
        if channel.kind == "spans" and (edges or item.days is not None):
            wrong = f"{name} has days or times, and {where} is read by hand from date to date"
            written.add(path, Fault("band_off_grid", wrong, "price it without days and times"))


def _shown(channel: Channel, point: SupplyPoint) -> str:
    return f"channel {channel.id} of supply point {point.id}"
