"""The taxes of a tariff version: what each is of, and on which of those before it; and that no charge has one tax twice."""

from __future__ import annotations

from decimal import Decimal

from meterfold.portfolio.build_charges import known_name, money_rounding
from meterfold.portfolio.model_tariffs import Tax
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import NamedTaxShape, TariffVersionShape


def build_taxes(written: Written, shape: TariffVersionShape, currency: str | None, path: Path) -> tuple[Tax, ...]:
    """The taxes in the order in which they are computed. `path` is that of the version."""
    places = [
        (name, item, (*path, "taxes", name, position))
        for name, items in shape.taxes.items()
        for position, item in enumerate(items)
    ]
    taxes = [_tax(written, name, item, shape, currency, where) for name, item, where in places]
    _check_repeated(written, taxes, [where for *_, where in places], shape)
    return tuple(taxes)


def _tax(
    written: Written, name: str, item: NamedTaxShape, shape: TariffVersionShape, currency: str | None, path: Path
) -> Tax:
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
    return Tax(name, item.rate, of, tuple(item.on or ()), rounding)


def _check_repeated(written: Written, taxes: list[Tax], places: list[Path], shape: TariffVersionShape) -> None:
    """A tax is one line for its name and rate, and taxes no charge at two rates. That of the short form is of all charges."""
    seen: set[tuple[str, Decimal]] = {(shape.tax.name, shape.tax.rate)} if shape.tax else set()
    taxed: dict[str, set[str]] = {shape.tax.name: set(shape.charges)} if shape.tax else {}
    for tax, path in zip(taxes, places, strict=True):
        of = set(shape.charges) if tax.of is None else set(tax.of)
        both = sorted(of & taxed.setdefault(tax.name, set()))
        if (tax.name, tax.rate) in seen:
            wrong = f"{tax.name} at {tax.rate} is already there"
            written.add((*path, "rate"), Fault("tax_repeated", wrong, "write it once, `of` all that it taxes"))
        elif both:
            wrong = f"{tax.name} already taxes {both[0]} at another rate"
            written.add((*path, "of"), Fault("tax_repeated", wrong, "say of each rate which charges it is `of`"))
        seen.add((tax.name, tax.rate))
        taxed[tax.name] |= of
