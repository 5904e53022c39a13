"""The charges of a price list's versions: `charges` of decision 12, and the old fields `energy` and `standing_per_day` as charges without
a name (charge_no 0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from meterfold.billing.reference_rows.charge_complaints import complaint_of
from meterfold.billing.reference_rows.json_text import (
    BOUND,
    Rounding,
    items,
    loose_text,
    mapping,
    number_or_zero,
    text,
    text_or,
    whole,
)
from meterfold.billing.reference_rows.quantities import Quantity
from meterfold.billing.reference_rows.times import ALWAYS, condition_columns, condition_of
from meterfold.billing.reference_rows.versions import NOTHING, Version

METERED: Final = ("energy", "tiers", "demand")
BEFORE_PERCENTAGES: Final = ("energy", "tiers", "demand", "standing")


@dataclass(frozen=True)
class Charge:
    """One charge, read as far as it can be. `siblings`: name and kind of every charge of its version."""

    number: int
    name: str
    kind: str
    body: Any
    siblings: Sequence[tuple[str, str]]

    def absent(self, key: str) -> bool:
        return mapping(self.body).get(key) is None

    @property
    def has_power_factor(self) -> bool:
        return self.kind == "percentage" and not self.absent("power_factor")

    @property
    def power_factors(self) -> list[tuple[str, str]]:
        table = items(mapping(mapping(self.body).get("power_factor")).get("table"))
        return [(text(row, "below"), text(row, "share")) for row in table]

    @cached_property
    def quantity(self) -> Quantity:
        if self.has_power_factor:  # it looks at two channels, as what is beyond another does
            both = mapping(self.body).get("power_factor")
            beyond = {"share": "1", "channel": text(both, "reactive")}
            return Quantity({"unit": "kWh", "channel": text(both, "active"), "beyond": beyond})
        return Quantity(self.body if self.is_old_energy else mapping(self.body).get("quantity"))

    @property
    def is_old_energy(self) -> bool:
        """It is an item of the old field `energy`, whose channel may have one only."""
        return self.number == 0 and self.kind == "energy"

    @property
    def old_channel(self) -> str | None:
        return self.quantity.channel if self.is_old_energy else None

    @property
    def is_metered(self) -> bool:
        return self.kind in METERED or self.has_power_factor

    @property
    def series(self) -> str:
        return text(self.body, "series") if self.kind == "energy" else ""

    @property
    def times(self) -> str:
        return text_or(self.body, "times", "1")

    @property
    def plus(self) -> str:
        return text_or(self.body, "plus", "0")

    @property
    def time_items(self) -> list[Any]:
        """Bands, or the items of `when`. The prices of a series are one band, always."""
        if self.series:
            return [{"name": self.series, "rate": "0"}]
        return items(mapping(self.body).get("bands" if self.kind == "energy" else "when"))

    @property
    def bands(self) -> list[Any]:
        return self.time_items if self.kind == "energy" else []

    @property
    def bounds(self) -> str:
        return text_or(self.body, "bounds", "period")

    @property
    def tiers(self) -> list[Any]:
        return items(mapping(self.body).get("tiers")) if self.kind == "tiers" else []

    @property
    def tier_names(self) -> list[str]:
        return [text_or(tier, "name", str(place)) for place, tier in enumerate(self.tiers, 1)]

    @property
    def measure(self) -> str:
        return text_or(self.body, "measure", "maximum")

    @property
    def highest(self) -> int:
        return 1 if self.measure == "maximum" or self.absent("highest") else whole(self.body, "highest")

    @property
    def has_ratchet(self) -> bool:
        return not self.absent("ratchet")

    @property
    def ratchet_share(self) -> str:
        return text(mapping(self.body).get("ratchet"), "share") if self.has_ratchet else "0"

    @property
    def ratchet_months(self) -> int:
        return whole(mapping(self.body).get("ratchet"), "months")

    @property
    def tenancy_number(self) -> str:
        """Names a number of the tenancy: what a standing charge is times, a demand is beyond, or bounds are per."""
        if self.kind == "tiers":
            return text(self.body, "bounds_of") if self.bounds == "number" else ""
        return text(self.body, {"standing": "number", "demand": "above"}.get(self.kind, ""))

    @property
    def number_unit(self) -> str:
        return text(self.body, "unit") if self.kind == "standing" else ""

    @property
    def bounds_of(self) -> str:
        """The demand charge that bounds are per."""
        return text(self.body, "bounds_of") if self.kind == "tiers" and self.bounds == "demand" else ""

    @property
    def rate(self) -> str:
        """Of a demand or standing charge; share of a percentage; amount of a minimum or maximum."""
        if self.has_power_factor:
            return "0"
        return text(self.body, {"percentage": "share", "minimum": "amount", "maximum": "amount"}.get(self.kind, "rate"))

    @property
    def of_charges(self) -> list[str]:
        return [loose_text(name) for name in items(mapping(self.body).get("of"))]

    @property
    def of_kinds(self) -> tuple[str, ...]:
        """What it may be of."""
        return BEFORE_PERCENTAGES if self.kind == "percentage" else (*BEFORE_PERCENTAGES, "percentage")


def charge_rows(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """Of reference_charges; `charge_index` 0 is made of nothing."""
    rows = [{"item": 0, "charge_index": 0, **NOTHING.columns, **_columns(Charge(0, "", "", {}, ())), "complaint": ""}]
    written = [(version, _written(version)) for version in versions]
    priced = Counter((version.name, charge.old_channel) for version, charges in written for charge in charges)
    for place, (version, charges) in enumerate(written, 1):
        for index, charge in enumerate(charges, 1):
            row = {"item": place, "charge_index": index, **version.columns, **_columns(charge)}
            is_twice = charge.old_channel is not None and priced[version.name, charge.old_channel] > 1
            rows.append(row | {"complaint": complaint_of(charge, is_twice)})
    return rows


def _written(version: Version) -> list[Charge]:
    siblings = tuple((text(item, "name"), text(item, "kind")) for item in version.charges)
    found = [Charge(0, "", "energy", item, siblings) for item in version.energy]
    if version.standing is not None:
        found.append(Charge(0, "", "standing", {"per": "day", "rate": version.standing}, siblings))
    named = enumerate(zip(siblings, version.charges, strict=True), 1)
    return found + [Charge(number, name, kind, item, siblings) for number, ((name, kind), item) in named]


def _columns(charge: Charge) -> dict[str, Any]:
    # no `when`: every window counts
    conditions = [condition_of(item) for item in charge.time_items]
    if charge.kind != "energy" and not conditions:
        conditions = [ALWAYS]
    tiers, factors = charge.tiers, charge.power_factors
    return {
        "charge_no": charge.number,
        "charge": charge.name,
        "kind": charge.kind,
        "is_metered": charge.is_metered,
        **charge.quantity.columns,
        "band_names": [text(band, "name") for band in charge.bands],
        "band_rates": [number_or_zero(text(band, "rate")) for band in charge.bands],
        **condition_columns(conditions if charge.is_metered else []),
        "series": charge.series,
        "series_times": number_or_zero(charge.times),
        "series_plus": number_or_zero(charge.plus),
        "scheme": text(charge.body, "scheme"),
        "bounds": charge.bounds,
        "prorate": text_or(charge.body, "prorate", "days"),
        "tier_names": charge.tier_names,
        "tier_bounds": [number_or_zero(text(tier, "up_to"), BOUND) for tier in tiers[:-1]],
        "tier_rates": [number_or_zero(text(tier, "rate")) for tier in tiers],
        "tier_fees": [number_or_zero(text_or(tier, "fee", "0")) for tier in tiers],
        "highest": max(0, min(charge.highest, 1000)),
        "rate": number_or_zero(charge.rate),
        "minimum": number_or_zero(text_or(charge.body, "minimum", "0")),
        "has_ratchet": charge.has_ratchet,
        "ratchet_share": number_or_zero(charge.ratchet_share),
        "ratchet_months": charge.ratchet_months,
        "per": text(charge.body, "per"),
        "number": charge.tenancy_number,
        "number_unit": charge.number_unit,
        "bounds_of": charge.bounds_of,
        "has_power_factor": charge.has_power_factor,
        "power_factor_below": [number_or_zero(below) for below, _ in factors],
        "power_factor_shares": [number_or_zero(share) for _, share in factors],
        "is_of_all": charge.absent("of"),
        "of_charges": charge.of_charges,
        "of_kinds": list(charge.of_kinds),
        **Rounding(charge.body).columns,
    }
