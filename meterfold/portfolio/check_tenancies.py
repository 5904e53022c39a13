"""Tenancies against each other, and each against its account, its supply point and its tariff."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import combinations

from meterfold.portfolio.check_prices import check_prices
from meterfold.portfolio.model import Account, SupplyPoint, Tenancy
from meterfold.portfolio.model_tariffs import (
    DemandCharge,
    Series,
    StandingCharge,
    Tariff,
    TariffVersion,
    TaxObject,
    TieredCharge,
)
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.vacancies import vacancies


def check_tenancies(
    written: Written,
    tenancies: dict[str, Tenancy],
    accounts: dict[str, Account],
    points: dict[str, SupplyPoint],
    tariffs: dict[str, Tariff],
    taxes: dict[str, TaxObject],
    series: dict[str, Series],
) -> None:
    """Each tenancy, and each vacancy that is charged, against its account, supply point and tariff; and all of a supply point against each
    other."""
    _check_overlaps(written, tenancies.values())
    billed = [(tenancy, written.path("tenancies", id_)) for id_, tenancy in tenancies.items()]
    for tenancy in vacancies(points, tenancies.values(), written.endings):
        billed.append((tenancy, (*written.path("supply_points", tenancy.supply_point), "vacant")))
    for tenancy, path in billed:
        if ("tenancy", tenancy.id) in written.endings and written.endings[("tenancy", tenancy.id)].at is None:
            continue
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
            _check_versions(written, tenancy, account, tariff, point, series, path)
            _check_numbers(written, tenancy, account, tariff, path)
            _check_rates(written, tenancy, account, tariff, taxes, path)


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


def _check_numbers(written: Written, tenancy: Tenancy, account: Account, tariff: Tariff, path: Path) -> None:
    """Whatever number a charge counts, the tenancy has it from its first billed day under that version on."""
    start = max(tenancy.from_day, account.billing_from)
    for position, version in enumerate(tariff.versions):
        begins = max(start, version.effective_from)
        later = tariff.versions[position + 1].effective_from if position + 1 < len(tariff.versions) else date.max
        if begins >= min(later, tenancy.to_day or date.max):
            continue
        for name, number in _numbers(version):
            if all(given != number or since > begins for given, since, _ in tenancy.numbers):
                wrong = f"charge {name} of tariff {tariff.id} counts `{number}`, which the tenancy has not on {begins}"
                written.add((*path, "numbers"), Fault("missing_key", wrong, f"write `numbers: {{ {number}: … }}`"))


def _numbers(version: TariffVersion) -> Iterator[tuple[str, str]]:
    """(charge, number of the tenancy) that it names."""
    for charge in version.charges:
        match charge:
            case StandingCharge(number=str(number)) | DemandCharge(above=str(number)):
                yield charge.name, number
            case TieredCharge(bounds="number", bounds_of=str(number)):
                yield charge.name, number


def _check_rates(
    written: Written, tenancy: Tenancy, account: Account, tariff: Tariff, taxes: dict[str, TaxObject], path: Path
) -> None:
    """Every tax has a rate when it is first due."""
    start = max(tenancy.from_day, account.billing_from)
    for position, version in enumerate(tariff.versions):
        begins = max(start, version.effective_from)
        later = tariff.versions[position + 1].effective_from if position + 1 < len(tariff.versions) else date.max
        if begins >= min(later, tenancy.to_day or date.max):
            continue
        for item in (taxes[tax.tax] for tax in version.taxes if tax.tax in taxes):
            if item.date == "supply" and begins < item.rates[0][0]:
                wrong = f"tax {item.id} of tariff {tariff.id} has no rate before {item.rates[0][0]}; billed is from {begins}"
                written.add((*path, "tariff"), Fault("version_gap", wrong, "add an earlier rate to the tax"))


def _check_versions(
    written: Written,
    tenancy: Tenancy,
    account: Account,
    tariff: Tariff,
    point: SupplyPoint,
    series: dict[str, Series],
    path: Path,
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
        check_prices(written, version, (*written.path("tariffs", tariff.id), "versions", position), point, series, path)
