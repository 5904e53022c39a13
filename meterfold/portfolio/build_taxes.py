"""Taxes on their own, and those of a tariff version: what each is of, on which of those before it; and that no charge has one twice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

from meterfold.portfolio.build_charges import known_name, money_rounding
from meterfold.portfolio.model_tariffs import Tax, TaxObject
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import NamedTaxShape, TariffVersionShape, TaxObjectShape


def build_tax_objects(written: Written) -> dict[str, TaxObject]:
    """The taxes of the portfolio; each is called by a name of its own, which is its id unless it says another."""
    objects: dict[str, TaxObject] = {}
    named: dict[str, str] = {}
    for id_, shape in written.objects("taxes", TaxObjectShape).items():
        path, name = written.path("taxes", id_), shape.name or id_
        for position, (before, after) in enumerate(pairwise(shape.rates), start=1):
            if after.from_ <= before.from_:
                wrong = f"holds from {after.from_}, not after the rate before it ({before.from_})"
                written.add(
                    (*path, "rates", position, "from"), Fault("version_overlap", wrong, "write rates in order of time")
                )
        if name in named:
            wrong = f"{named[name]} is called {name} too"
            written.add((*path, "name"), Fault("tax_repeated", wrong, "give each tax a name of its own: bills show it"))
        named.setdefault(name, id_)
        rounding = money_rounding(written, shape.round, None, (*path, "round"))
        rates = tuple((item.from_, item.rate) for item in shape.rates)
        objects[id_] = TaxObject(
            id_, name, rates, shape.date, shape.rounding, rounding, shape.included, shape.share_of
        )  # fmt: skip
    return objects


def build_taxes(
    written: Written, shape: TariffVersionShape, currency: str | None, objects: Mapping[str, TaxObject], path: Path
) -> tuple[Tax, ...]:
    """The taxes in the order in which they are computed. `path` is that of the version."""
    places = [
        (name, item, (*path, "taxes", name, position))
        for name, items in shape.taxes.items()
        for position, item in enumerate(items)
    ]
    taxes = [_tax(written, name, item, shape, currency, where) for name, item, where in places]
    wheres = [where for *_, where in places]
    _check_repeated(written, taxes, wheres, shape)
    _check_inside(written, taxes, wheres, objects)
    return tuple(taxes)


def _tax(
    written: Written, name: str, item: NamedTaxShape, shape: TariffVersionShape, currency: str | None, path: Path
) -> Tax:
    if (item.rate is None) == (item.tax is None):
        wrong = "is missing" if item.rate is None else f"stands beside `tax: {item.tax}`, which has rates of its own"
        do = (
            "add it, or `tax`: the id of one that stands under taxes"
            if item.rate is None
            else "leave one of the two out"
        )
        written.add((*path, "rate"), Fault("missing_key" if item.rate is None else "bad_value", wrong, do))
    if item.tax is not None and written.refer("taxes", item.tax, (*path, "tax")) and item.round is not None:
        written.add((*path, "round"), Fault("bad_value", f"{item.tax} says itself how it is rounded", "leave it out"))
    for position, charge in enumerate(item.of or ()):
        known_name(written, charge, shape.charges, (*path, "of", position), "charge")
    for key, names in (("of", item.of or []), ("on", item.on or [])):
        for position, listed in enumerate(names):
            if listed in names[:position]:
                written.add((*path, key, position), Fault("bad_value", f"{listed} stands twice", "name it once"))
    short = {shape.tax.name: -1} if shape.tax else {}
    order = short | {other: position for position, other in enumerate(shape.taxes)}
    for position, other in enumerate(item.on or ()):
        if known_name(written, other, order, (*path, "on", position), "tax") and order[other] >= order[name]:
            wrong = f"{other} is not computed before {name}"
            written.add((*path, "on", position), Fault("charge_order", wrong, f"write {other} above {name}"))
    of = None if item.of is None else tuple(item.of)
    rounding = money_rounding(written, item.round, currency, (*path, "round"))
    return Tax(name, item.rate, item.tax, of, tuple(item.on or ()), rounding)


def _check_repeated(written: Written, taxes: list[Tax], places: list[Path], shape: TariffVersionShape) -> None:
    """A tax is one line for its name and rate, and taxes no charge at two rates. That of the short form is of all charges."""
    seen: set[tuple[str, Decimal | str | None]] = {(shape.tax.name, shape.tax.rate)} if shape.tax else set()
    taxed: dict[str, set[str]] = {shape.tax.name: set(shape.charges)} if shape.tax else {}
    for tax, path in zip(taxes, places, strict=True):
        of = set(shape.charges) if tax.of is None else set(tax.of)
        both = sorted(of & taxed.setdefault(tax.name, set()))
        if (tax.name, tax.tax or tax.rate) in seen:
            wrong = f"{tax.name} at {tax.tax or tax.rate} is already there"
            written.add((*path, "rate"), Fault("tax_repeated", wrong, "write it once, `of` all that it taxes"))
        elif both:
            wrong = f"{tax.name} already taxes {both[0]} at another rate"
            written.add((*path, "of"), Fault("tax_repeated", wrong, "say of each rate which charges it is `of`"))
        seen.add((tax.name, tax.tax or tax.rate))
        taxed[tax.name] |= of


def _check_inside(written: Written, taxes: list[Tax], places: list[Path], objects: Mapping[str, TaxObject]) -> None:
    """What taxes are inside of is worked out for all of them at once: none of them is on another, and none on one that prices contain."""
    inside = {tax.name: objects[tax.tax] for tax in taxes if tax.tax is not None and tax.tax in objects}
    contained = {item.share_of for item in inside.values() if item.included}
    for tax, path in zip(taxes, places, strict=True):
        item = objects.get(tax.tax or "")
        if item is not None and tax.on and (item.included or item.share_of == "gross"):
            wrong = f"{item.name} is inside the price, or a share of it"
            written.add(
                (*path, "on"),
                Fault("charge_order", wrong, "leave `on` out: taxes of one charge inside it are worked out together"),
            )
        for position, other in enumerate(tax.on):
            if other in inside and inside[other].included:
                wrong = f"prices contain {other}"
                written.add(
                    (*path, "on", position),
                    Fault("charge_order", wrong, "leave it out: it is in what is taxed already"),
                )
        if item is not None and item.included and len(contained) > 1:
            wrong = "prices contain taxes that are a share of the net, and others that are a share of the gross"
            written.add((*path, "tax"), Fault("bad_value", wrong, "let all of them have one `share_of`"))
