"""Tariffs: versions in order, every channel's bands complete, so that no minute of any year is left without a price."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from meterfold.portfolio.build_bands import build_bands
from meterfold.portfolio.build_charges import build_charges
from meterfold.portfolio.build_taxes import build_taxes
from meterfold.portfolio.model import LegalEntity
from meterfold.portfolio.model_tariffs import EnergyPrice, Series, Tariff, TariffVersion, TaxObject
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import TariffShape, TariffVersionShape

_EDITION: Final = re.compile("#[0-9]+$")


def build_tariffs(
    written: Written, legal_entities: dict[str, LegalEntity], taxes: dict[str, TaxObject], series: dict[str, Series]
) -> dict[str, Tariff]:
    """Tariffs, versions ascending. The currency may be left out when all legal entities share one."""
    tariffs = {}
    for id_, shape in written.objects("tariffs", TariffShape).items():
        path = written.path("tariffs", id_)
        if _EDITION.search(id_):
            wrong = f"`{id_}` ends like an edition of a tariff"
            written.add(path, Fault("reserved_id", wrong, "leave the # and the number out"))
        currency = _currency(written, shape, legal_entities, path)
        versions = [
            _version(written, item, position, currency, taxes, series, (*path, "versions", position))
            for position, item in enumerate(shape.versions)
        ]
        _check_order(written, shape.versions, versions, path)
        if currency is not None:
            versions.sort(key=lambda version: version.effective_from)
            tariffs[id_] = Tariff(id_, currency, tuple(versions), shape.versions[-1].effective_to)
    return tariffs


def _currency(written: Written, shape: TariffShape, legal_entities: dict[str, LegalEntity], path: Path) -> str | None:
    used = sorted({entity.currency for entity in legal_entities.values()})
    if shape.currency is None and len(used) != 1:
        if len(legal_entities) == len(written.declared["legal_entities"]):
            wrong = f"is missing, and the legal entities bill in {', '.join(used) or 'no currency'}"
            written.add((*path, "currency"), Fault("missing_key", wrong, "say which one"))
        return None
    if shape.currency is not None and used and shape.currency not in used:
        wrong = f"{shape.currency}, but no legal entity bills in it ({', '.join(used)})"
        written.add((*path, "currency"), Fault("currency_mismatch", wrong, "use the currency of the accounts"))
    return shape.currency or used[0]


def _version(
    written: Written,
    shape: TariffVersionShape,
    position: int,
    currency: str | None,
    taxes: dict[str, TaxObject],
    series: dict[str, Series],
    path: Path,
) -> TariffVersion:
    energy = [
        EnergyPrice(channel, price.unit, build_bands(written, price.bands, (*path, "energy", channel, "bands")))
        for channel, price in sorted(shape.energy.items())
    ]
    return TariffVersion(
        version=position + 1 if shape.version is None else shape.version,
        effective_from=shape.effective_from,
        energy=tuple(energy),
        standing_per_day=shape.standing_per_day,
        tax_name=shape.tax.name if shape.tax else None,
        tax_rate=shape.tax.rate if shape.tax else None,
        charges=build_charges(written, shape.charges, currency, series, (*path, "charges")),
        taxes=build_taxes(written, shape, currency, taxes, path),
        estimate_after_days=shape.estimate_after_days,
    )


def _check_order(written: Written, shapes: list[TariffVersionShape], versions: list[TariffVersion], path: Path) -> None:
    """Versions stand in order of time and number, each ending (if it says so) where the next begins."""
    for position, (before, after) in enumerate(pairwise(versions), start=1):
        where = (*path, "versions", position)
        ends = shapes[position - 1].effective_to
        if after.effective_from <= before.effective_from:
            wrong = f"begins on {after.effective_from}, not after version {before.version} ({before.effective_from})"
            written.add((*where, "effective_from"), Fault("version_overlap", wrong, "write versions in order of time"))
        elif ends is not None and ends > after.effective_from:
            wrong = f"version {before.version} ends on {ends}, after version {after.version} begins ({after.effective_from})"
            written.add(
                (*where, "effective_from"), Fault("version_overlap", wrong, "let one end where the next begins")
            )
        elif ends is not None and ends < after.effective_from:
            wrong = f"no version is in effect from {ends} to {after.effective_from}"
            written.add((*where, "effective_from"), Fault("version_gap", wrong, "let one end where the next begins"))
        if after.version <= before.version:
            wrong = f"version {after.version} stands after version {before.version}"
            written.add((*where, "version"), Fault("version_overlap", wrong, "number versions upwards"))
    for position, (shape, version) in enumerate(zip(shapes, versions, strict=True)):
        if shape.effective_to is not None and shape.effective_to <= version.effective_from:
            where = (*path, "versions", position, "effective_to")
            written.add(
                where, Fault("empty_span", "is not after `effective_from`", "it is the first day no longer in effect")
            )
