"""Tenancies against each other, and each against its account, its supply point and its tariff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from itertools import combinations

from meterfold.portfolio.bands import clock
from meterfold.portfolio.model import Account, Channel, EnergyPrice, SupplyPoint, Tariff, TariffVersion, Tenancy
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.units import conversion
from meterfold.portfolio.written import LOCAL_DAY


def check_tenancies(
    written: Written,
    tenancies: dict[str, Tenancy],
    accounts: dict[str, Account],
    points: dict[str, SupplyPoint],
    tariffs: dict[str, Tariff],
) -> None:
    """Each tenancy against its account, supply point and tariff, and all of a supply point against each other."""
    _check_overlaps(written, tenancies.values())
    for id_, tenancy in tenancies.items():
        if ("tenancy", id_) in written.endings and written.endings[("tenancy", id_)].at is None:
            continue
        path = written.path("tenancies", id_)
        account, tariff = accounts.get(tenancy.account), tariffs.get(tenancy.tariff)
        point = points.get(tenancy.supply_point)
        if account and point and point.site and point.site.legal_entity != account.legal_entity:
            wrong = f"account {account.id} is of {account.legal_entity}, supply point {point.id} of {point.site.legal_entity}"
            written.add(
                (*path, "account"), Fault("legal_entity_mismatch", wrong, "use an account of the site's legal entity")
            )
        if account and tariff and account.currency != tariff.currency:
            wrong = f"tariff {tariff.id} is in {tariff.currency}, account {account.id} in {account.currency}"
            written.add((*path, "tariff"), Fault("currency_mismatch", wrong, "use a tariff in the account's currency"))
        if account and tariff and point:
            _check_prices(written, tenancy, account, tariff, point, path)


def _check_overlaps(written: Written, tenancies: Iterable[Tenancy]) -> None:
    occupied: dict[str, list[Tenancy]] = defaultdict(list)
    for tenancy in tenancies:
        ending = written.endings.get(("tenancy", tenancy.id))
        if ending is None or ending.at is not None:
            occupied[tenancy.supply_point].append(tenancy)
    for point, listed in occupied.items():
        for one, other in combinations(sorted(listed, key=lambda item: (item.from_day, item.id)), 2):
            if one.to_day is None or other.from_day < one.to_day:
                wrong = f"supply point {point} is already occupied on {other.from_day}, by tenancy {one.id}"
                path = written.path("tenancies", other.id)
                written.add((*path, "from"), Fault("overlapping_tenancies", wrong, "end the earlier one with `to:`"))


def _check_prices(
    written: Written, tenancy: Tenancy, account: Account, tariff: Tariff, point: SupplyPoint, path: Path
) -> None:
    start = max(tenancy.from_day, account.billing_from)
    first = tariff.versions[0].effective_from
    if start < first and (tenancy.to_day is None or start < tenancy.to_day):
        wrong = f"tariff {tariff.id} begins on {first}, and the tenancy is billed from {start}"
        written.add((*path, "tariff"), Fault("version_gap", wrong, "add an earlier version to the tariff"))
    if tariff.until is not None and (tenancy.to_day is None or tenancy.to_day > tariff.until):
        wrong = f"tariff {tariff.id} is in effect until {tariff.until}, and the tenancy goes on"
        written.add((*path, "tariff"), Fault("version_gap", wrong, "add a version to the tariff, or end the tenancy"))
    for position, version in enumerate(tariff.versions):
        later = tariff.versions[position + 1].effective_from if position + 1 < len(tariff.versions) else date.max
        if later <= start or (tenancy.to_day is not None and version.effective_from >= tenancy.to_day):
            continue
        for price in version.energy:
            _check_price(written, price, _price_path(written, tariff, version, price), point, path)


def _price_path(written: Written, tariff: Tariff, version: TariffVersion, price: EnergyPrice) -> Path:
    return (*written.path("tariffs", tariff.id), "versions", tariff.versions.index(version), "energy", price.channel)


def _check_price(written: Written, price: EnergyPrice, priced: Path, point: SupplyPoint, tenancy: Path) -> None:
    channel = point.channels.get(price.channel)
    if channel is None:
        if price.channel not in (written.document.data["supply_points"][point.id].get("channels") or ()):
            wrong = f"the tariff prices channel {price.channel}, which supply point {point.id} does not have"
            do = "use a tariff without it, or add the channel"
            written.add((*tenancy, "tariff"), Fault("unknown_reference", wrong, do))
        return
    if conversion(channel.unit, price.unit) is None:
        wrong = f"{price.unit}, but channel {price.channel} of supply point {point.id} is in {channel.unit}"
        do = f"price it in {channel.unit} or a unit that it converts to"
        written.add((*priced, "unit"), Fault("unit_not_convertible", wrong, do))
    _check_edges(written, price, channel, point, priced)


def _check_edges(written: Written, price: EnergyPrice, channel: Channel, point: SupplyPoint, path: Path) -> None:
    grid = 1440 if isinstance(channel.grid_s, str) else channel.grid_s // 60
    where = f"channel {channel.id} of supply point {point.id}"
    for band in price.bands:
        edges = [clock(edge) for edge in (band.from_minute, band.to_minute) if edge % grid]
        if edges and channel.kind != "spans":
            shown = "local days" if channel.grid_s == LOCAL_DAY else f"intervals of {grid} minutes"
            wrong = f"band {band.name} begins or ends at {' and '.join(edges)}, and {where} is billed in {shown}"
            written.add((*path, "bands"), Fault("band_off_grid", wrong, "move the band to where an interval ends"))
        if channel.kind == "spans" and (edges or band.days is not None):
            wrong = f"band {band.name} has days or times, and {where} is read by hand from date to date"
            written.add((*path, "bands"), Fault("band_off_grid", wrong, "price it without days and times"))
