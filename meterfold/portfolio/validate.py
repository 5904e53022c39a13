"""From what is written to a portfolio: objects are built in the order in which they refer to each other, then compared.

Everything wrong comes back at once. An object whose own shape is wrong is left out of the comparisons, but is still known by its id.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path as FilePath

from meterfold.portfolio.build_accounts import build_accounts, build_tenancies
from meterfold.portfolio.build_devices import build_devices
from meterfold.portfolio.build_places import build_legal_entities, build_sites, build_supply_points
from meterfold.portfolio.build_series import build_series
from meterfold.portfolio.build_tariffs import build_tariffs
from meterfold.portfolio.build_taxes import build_tax_objects
from meterfold.portfolio.calendar import local_date
from meterfold.portfolio.check_tenancies import check_tenancies
from meterfold.portfolio.feeds import check_feeds
from meterfold.portfolio.model import Account, Device, Key, Portfolio, Site, SupplyPoint, Tenancy
from meterfold.portfolio.model_tariffs import EnergyCharge, Tariff
from meterfold.portfolio.problem import Fault, Path, Problem
from meterfold.portfolio.sections import Written
from meterfold.portfolio.vacancies import vacancies

Use = tuple[Path, Key, date]
"""Where something is used, what is used, and the first day on which it is no longer used (`date.max`: open)."""


def validate(written: Written, folder: FilePath | None = None) -> Portfolio | list[Problem]:
    """The portfolio, or every problem in the order of lines. `folder`: where paths of files in it begin."""
    entities = build_legal_entities(written)
    sites = build_sites(written)
    points = build_supply_points(written, sites)
    devices = build_devices(written, points)
    accounts = build_accounts(written, entities)
    taxes = build_tax_objects(written)
    series = build_series(written, entities, folder)
    tariffs = build_tariffs(written, entities, taxes, series)
    tenancies = build_tenancies(written)
    check_feeds(written, devices)
    check_tenancies(written, tenancies, accounts, points, tariffs, taxes, series)
    _check_endings(written, _uses(written, sites, points, devices, accounts, tenancies, tariffs))
    if written.problems:
        return sorted(
            set(written.problems), key=lambda problem: (problem.line, problem.path, problem.code, problem.wrong)
        )
    document, paths = written.document, written.paths
    return Portfolio(
        entities, sites, points, devices, accounts, tenancies, taxes, series, tariffs, written.endings, document, paths
    )


def _last_day(written: Written, key: Key) -> date:
    """The first day on which an object is gone: `date.min` if it was withdrawn, `date.max` if it lives on."""
    ending = written.endings.get(key)
    if ending is None:
        return date.max
    return ending.at.stamp.date() if ending.at else date.min


def _uses(
    written: Written,
    sites: dict[str, Site],
    points: dict[str, SupplyPoint],
    devices: dict[str, Device],
    accounts: dict[str, Account],
    tenancies: dict[str, Tenancy],
    tariffs: dict[str, Tariff],
) -> Iterator[Use]:
    for site in sites.values():
        yield written.path("sites", site.id), ("legal_entity", site.legal_entity), _last_day(written, ("site", site.id))
    for account in accounts.values():
        used = ("legal_entity", account.legal_entity)
        yield written.path("accounts", account.id), used, _last_day(written, ("account", account.id))
    for point in points.values():
        if point.site is not None:
            used = ("site", point.site.id)
            yield written.path("supply_points", point.id), used, _last_day(written, ("supply_point", point.id))
    for device in devices.values():
        offsets = sites[device.site].utc_offsets
        for item in device.assignments:
            end = date.max if item.to_ms is None else local_date(item.to_ms - 1, offsets) + timedelta(days=1)
            yield written.path("devices", device.id), ("supply_point", item.supply_point), end
    for tenancy in tenancies.values():
        end = min(tenancy.to_day or date.max, _last_day(written, ("tenancy", tenancy.id)))
        for kind in ("account", "supply_point", "tariff"):
            yield written.path("tenancies", tenancy.id), (kind, getattr(tenancy, kind)), end
    for tariff in tariffs.values():
        used_taxes = {tax.tax for version in tariff.versions for tax in version.taxes if tax.tax is not None}
        used_series = {
            charge.priced.series
            for version in tariff.versions
            for charge in version.charges
            if isinstance(charge, EnergyCharge) and charge.priced
        }
        for id_ in sorted(used_series):
            yield written.path("tariffs", tariff.id), ("series", id_), _last_day(written, ("tariff", tariff.id))
        for tax in sorted(used_taxes):
            yield written.path("tariffs", tariff.id), ("tax", tax), _last_day(written, ("tariff", tariff.id))
    for vacancy in vacancies(points, tenancies.values(), written.endings):
        path = (*written.path("supply_points", vacancy.supply_point), "vacant")
        for kind in ("account", "tariff"):
            yield path, (kind, getattr(vacancy, kind)), vacancy.to_day or date.max


def _check_endings(written: Written, uses: Iterator[Use]) -> None:
    """Nothing that lives on refers to what has ended or was withdrawn."""
    for path, used, end in uses:
        gone = _last_day(written, used)
        if end > gone:
            kind = used[0].replace("_", " ")
            wrong = f"uses {kind} {used[1]}, which {'was withdrawn' if gone == date.min else f'ended on {gone}'}"
            written.add(path, Fault("ended_but_used", wrong, "end this by then too, or let the other live on"))
