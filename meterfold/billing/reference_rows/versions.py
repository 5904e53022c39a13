"""The versions of a price list: from which day to which each holds, and what it charges, as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from meterfold.billing.reference_rows.json_text import items, loose_text, mapping, raw, without_zeros

LAST_DAY: Final = date(2149, 6, 6)


@dataclass(frozen=True, slots=True)
class Version:
    """One version: effective from (in) to (out). `body` is an item of `versions`."""

    currency: str
    name: str
    effective_from: date
    effective_to: date
    body: dict[str, Any]

    @property
    def columns(self) -> dict[str, Any]:
        """What stands in every row that is made of it."""
        return {
            "tariff_version": self.name, "currency": self.currency, "effective_from": self.effective_from,
            "effective_to": self.effective_to,
        }  # fmt: skip

    @property
    def standing(self) -> str | None:
        """The old field `standing_per_day`."""
        found = self.body.get("standing_per_day")
        return None if found is None else loose_text(found)

    @property
    def tax(self) -> tuple[str, str]:
        """Name and rate of the old field `tax`, ("", …) for none."""
        found = mapping(self.body.get("tax"))
        return loose_text(found.get("name")), without_zeros(loose_text(found.get("rate")))

    @property
    def energy(self) -> list[Any]:
        return items(self.body.get("energy"))

    @property
    def charges(self) -> list[Any]:
        return items(self.body.get("charges"))

    @property
    def taxes(self) -> list[Any]:
        return items(self.body.get("taxes"))


def versions_of(body: dict[str, Any]) -> list[Version]:
    """In order of their days. The caller has checked that each has one."""
    currency = loose_text(body.get("currency"))
    # text or number in the body, text here
    named = [
        (
            date.fromisoformat(item["effective_from"]),
            raw(item.get("version")).strip('"') if "version" in item else "",
            item,
        )
        for item in body["versions"]
    ]
    named.sort(key=lambda row: row[:2])
    ends = [*(row[0] for row in named[1:]), LAST_DAY]
    return [Version(currency, name, day, end, item) for (day, name, item), end in zip(named, ends, strict=False)]


NOTHING: Final = Version("", "", date(1970, 1, 1), LAST_DAY, {})
"""What the row is made of that only says that there is this edition of a price list, though there may be nothing in it."""
