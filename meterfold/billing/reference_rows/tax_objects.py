"""A tax that stands on its own: its rates by day, and by which rules it is worked out."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

from meterfold.billing.reference_rows.json_text import Rounding, text, text_or, without_zeros

_FRACTION: Final = re.compile(r"0?([.][0-9]{1,9})?")


def tax_object_rows(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Of reference_tax_objects, one. The caller has checked that each rate has a day."""
    rates = sorted((date.fromisoformat(item["from"]), without_zeros(text(item, "rate"))) for item in body["rates"])
    rounding = Rounding(body)
    row = {
        "name": text(body, "name"),
        "rate_from": [day for day, _ in rates],
        "rate_texts": [rate for _, rate in rates],
        "date_rule": text_or(body, "date", "supply"),
        "level": text_or(body, "rounding", "document"),
        "is_included": isinstance(included := body.get("included"), int | float) and included != 0,
        "is_of_gross": text_or(body, "share_of", "net") == "gross",
        **rounding.columns,
    }
    return [row | {"complaint": _complaint(body, row, rounding)}]


def _complaint(body: dict[str, Any], row: dict[str, Any], rounding: Rounding) -> str:
    if row["name"] in ("", "?"):
        return "has a tax without a name"
    rates = row["rate_texts"]
    if not rates or not all(rate and _FRACTION.fullmatch(rate) for rate in rates):
        return "has a tax whose rates are no fractions below 1 with at most 9 places"
    if len(set(row["rate_from"])) < len(rates):
        return "has a tax with two rates from one day"
    if (
        row["date_rule"] not in ("supply", "period_end", "invoice")
        or row["level"] not in ("line", "document")
        or text_or(body, "share_of", "net") not in ("net", "gross")
    ):
        return "has a tax with a `date`, `rounding` or `share_of` that is unknown"
    return "has a `round` that cannot be read, or with more than four places" if rounding.is_misread else ""
