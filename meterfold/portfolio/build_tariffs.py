"""Tariffs: versions in order, every channel's bands complete, so that no minute of any year is left without a price."""

from __future__ import annotations

from itertools import pairwise

from meterfold.portfolio.bands import describe_unpriced, unused_bands
from meterfold.portfolio.model import Band, EnergyPrice, LegalEntity, Tariff, TariffVersion
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape import BandShape, EnergyShape, TariffShape, TariffVersionShape


def build_tariffs(written: Written, legal_entities: dict[str, LegalEntity]) -> dict[str, Tariff]:
    """Tariffs, versions ascending. The currency may be left out when all legal entities share one."""
    tariffs = {}
    for id_, shape in written.objects("tariffs", TariffShape).items():
        path = written.path("tariffs", id_)
        versions = [
            _version(written, item, position, (*path, "versions", position))
            for position, item in enumerate(shape.versions)
        ]
        _check_order(written, shape.versions, versions, path)
        currency = _currency(written, shape, legal_entities, path)
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


def _version(written: Written, shape: TariffVersionShape, position: int, path: Path) -> TariffVersion:
    energy = [
        EnergyPrice(channel, price.unit, _bands(written, price, (*path, "energy", channel)))
        for channel, price in sorted(shape.energy.items())
    ]
    return TariffVersion(
        version=position + 1 if shape.version is None else shape.version,
        effective_from=shape.effective_from,
        energy=tuple(energy),
        standing_per_day=shape.standing_per_day,
        tax_name=shape.tax.name if shape.tax else None,
        tax_rate=shape.tax.rate if shape.tax else None,
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


def _bands(written: Written, shape: EnergyShape, path: Path) -> tuple[Band, ...]:
    places = [(*path, "bands", position) for position in range(len(shape.bands))]
    bands = [_band(written, item, where) for item, where in zip(shape.bands, places, strict=True)]
    names: set[str] = set()
    for band, where in zip(bands, places, strict=True):
        if band.name in names:
            wrong = f"the channel already has a band {band.name}"
            written.add(
                (*where, "name"), Fault("band_name_reused", wrong, "give each a name of its own: bills show it")
            )
        names.add(band.name)
    for gap in describe_unpriced(bands)[:3]:
        do = "add a band for it, or a last band without months, days and times for the rest"
        written.add((*path, "bands"), Fault("unpriced", f"no band prices {gap}", do))
    for position in sorted(unused_bands(bands)):
        do = "the first band that matches prices a minute: put the narrower band first, or remove this one"
        written.add(places[position], Fault("unused_band", f"band {bands[position].name} never applies", do))
    return tuple(bands)


def _band(written: Written, shape: BandShape, path: Path) -> Band:
    """A band may pass midnight; but not with `days`, since whose day the small hours are is not clear then."""
    end = 1440 if shape.to == 0 else shape.to
    if shape.from_ in (end, 1440):
        do = "leave `from` and `to` out for the whole day"
        written.add((*path, "to"), Fault("empty_span", "the band has no minute", do))
    if shape.from_ > end and shape.days is not None:
        wrong = "a band of some days that passes midnight"
        do = "write two: one until 24:00 and one from 00:00, each with its own days"
        written.add((*path, "days"), Fault("bad_value", wrong, do))
    return Band(shape.name, shape.rate, shape.months, shape.days, shape.from_, end)
