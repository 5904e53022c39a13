"""The taxes of a price list's versions: `taxes` in the order written, after the old field `tax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from meterfold.billing.reference_rows.json_text import (
    UNSIGNED,
    Rounding,
    is_list_or_absent,
    items,
    loose_text,
    mapping,
    text,
    without_zeros,
)
from meterfold.billing.reference_rows.versions import NOTHING, Version


class _Tax(NamedTuple):
    """`label`: what `on` calls it; `standing_alone`: the tax object that it is, or ""."""

    body: Any
    label: str
    rate: str
    standing_alone: str


def tax_rows(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """Of reference_taxes; `tax_no` 0 is made of nothing."""
    rows = [{"item": 0, "tax_no": 0, **_columns(NOTHING, _Tax({}, "", "", ""), "")}]
    for place, version in enumerate(versions, 1):
        taxes = _written(version)
        rows += [{"item": place, "tax_no": no, **_row(version, taxes, no)} for no in range(1, len(taxes) + 1)]
    return rows


def _written(version: Version) -> list[_Tax]:
    name, rate = version.tax
    old = [_Tax({}, name, rate, "")] if name else []
    return old + [
        _Tax(
            item,
            text(item, "tax" if mapping(item).get("name") is None else "name"),
            without_zeros(text(item, "rate")),
            text(item, "tax"),
        )
        for item in version.taxes
    ]


def _row(version: Version, taxes: Sequence[_Tax], no: int) -> dict[str, Any]:
    tax = taxes[no - 1]
    return _columns(version, tax, _complaint(version, taxes, tax, {other.label for other in taxes[: no - 1]}))


def _columns(version: Version, tax: _Tax, complaint: str) -> dict[str, Any]:
    return {
        "tariff_version": version.name,
        "effective_from": version.effective_from,
        "tax": tax.label,
        "rate_text": tax.rate,
        "tax_object": tax.standing_alone,
        "of_charges": _names(tax, "of"),
        "on_names": _names(tax, "on"),
        **Rounding(tax.body).columns,
        "complaint": complaint,
    }


def _complaint(version: Version, taxes: Sequence[_Tax], tax: _Tax, before: set[str]) -> str:
    charges = {text(item, "name") for item in version.charges}
    of, on = _names(tax, "of"), _names(tax, "on")
    if tax.label in ("", "?"):
        return "has a tax without a name"
    if tax.standing_alone == "?" or (tax.standing_alone and tax.rate):
        return "has a tax that stands on its own and has a rate beside it"
    if not tax.standing_alone and not UNSIGNED.fullmatch(tax.rate):
        return "has a standing charge or tax that is no decimal number with at most 9 places"
    if sum(other[1:] == tax[1:] for other in taxes) > 1:
        return "has two taxes of one name and rate"
    is_empty_list = isinstance(mapping(tax.body).get("of"), list) and not of
    if not is_list_or_absent(tax.body, "of") or is_empty_list or not charges >= set(of):
        return "has a tax of charges that are not there"
    if not is_list_or_absent(tax.body, "on") or not before >= set(on):
        return "has a tax on taxes that do not stand before it"
    return "has a `round` that cannot be read, or with more than four places" if Rounding(tax.body).is_misread else ""


def _names(tax: _Tax, key: str) -> list[str]:
    return [loose_text(name) for name in items(mapping(tax.body).get(key))]
