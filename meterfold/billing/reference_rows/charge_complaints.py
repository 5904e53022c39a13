"""What of a charge cannot be read, in words, or '' when all can: the first thing that is wrong with it."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from meterfold.billing.reference_rows.json_text import (
    BOUND,
    SIGNED,
    UNSIGNED,
    Rounding,
    is_list_or_absent,
    text,
    text_or,
)
from meterfold.billing.reference_rows.times import is_time

if TYPE_CHECKING:
    from meterfold.billing.reference_rows.charges import Charge

_KINDS: Final = ("energy", "tiers", "demand", "standing", "percentage", "minimum", "maximum")
_BANDS: Final = "has a band with a rate or time that cannot be read, or two bands of one name"


def complaint_of(charge: Charge, is_priced_twice: bool) -> str:
    """`is_priced_twice`: the old field `energy` has two items for its channel."""
    found = _of_form(charge, is_priced_twice)
    if not found and charge.is_metered:
        found = charge.quantity.complaint(charge.series, charge.times, charge.plus)
    return found or _of_times(charge) or _of_kind(charge) or _of_others(charge)


def _of_form(charge: Charge, is_priced_twice: bool) -> str:
    if charge.number == 0:
        return "prices a channel twice" if is_priced_twice else ""
    if charge.name in ("", "?"):
        return "has a charge without a name"
    if [name for name, _ in charge.siblings].count(charge.name) > 1:
        return "has two charges of one name"
    if charge.kind not in _KINDS:
        return "has a charge of a kind that is unknown"
    if text_or(charge.body, "prorate", "days") not in ("days", "none"):
        return "has a `prorate` that is neither days nor none"
    if Rounding(charge.body).is_misread:
        return "has a `round` that cannot be read, or with more than four places"
    return ""


def _of_times(charge: Charge) -> str:
    is_energy = charge.kind == "energy"
    if not is_list_or_absent(charge.body, "bands" if is_energy else "when") or (
        charge.is_metered and not all(map(is_time, charge.time_items))
    ):
        return _BANDS if is_energy else "has a `when` that cannot be read"
    if is_energy and (
        not _are_names([text(band, "name") for band in charge.bands])
        or not all(SIGNED.fullmatch(text(band, "rate")) for band in charge.bands)
    ):
        return _BANDS
    return ""


def _of_kind(charge: Charge) -> str:
    if charge.kind == "tiers":
        return _of_tiers(charge) or _of_tenancy(charge)
    if found := _of_tenancy(charge):
        return found
    body = charge.body
    if charge.kind == "demand":
        return _of_demand(charge)
    if charge.kind == "standing" and (
        not SIGNED.fullmatch(charge.rate) or text(body, "per") not in ("day", "month", "period", "year")
    ):
        if charge.number == 0:
            return "has a standing charge or tax that is no decimal number with at most 9 places"
        return "has a standing charge that cannot be read"
    if charge.kind == "percentage" and not SIGNED.fullmatch(charge.rate):
        return "has a percentage that cannot be read"
    factors = charge.power_factors
    if charge.has_power_factor and not (
        factors and all(UNSIGNED.fullmatch(below) and SIGNED.fullmatch(share) for below, share in factors)
    ):
        return "has a power factor that cannot be read"
    if charge.kind in ("minimum", "maximum") and not SIGNED.fullmatch(charge.rate):
        return "has a minimum or maximum that cannot be read"
    return ""


def _of_tiers(charge: Charge) -> str:
    scheme = text(charge.body, "scheme")
    if scheme not in ("graduated", "volume") or charge.bounds not in ("period", "day", "demand", "number"):
        return "has tiers of a scheme that is unknown"
    prices = [text(tier, "rate") for tier in charge.tiers] + [text_or(tier, "fee", "0") for tier in charge.tiers]
    if not _are_names(charge.tier_names) or not all(map(SIGNED.fullmatch, prices)):
        return "has a tier with a price that cannot be read, or two tiers of one name"
    *bounds, last = (text(tier, "up_to") for tier in charge.tiers)
    if last or not all(map(BOUND.fullmatch, bounds)) or not _rise(["0", *bounds]):
        return "has tiers whose bounds do not rise, or a last one with a bound"
    return ""


def _of_tenancy(charge: Charge) -> str:
    needs_number = charge.kind == "tiers" and charge.bounds == "number"
    if "?" in (charge.tenancy_number, charge.number_unit) or (needs_number and not charge.tenancy_number):
        return "has a number of the tenancy that is not named"
    needs_demand = charge.kind == "tiers" and charge.bounds == "demand"
    if needs_demand and (charge.bounds_of == "?" or (charge.bounds_of, "demand") not in charge.siblings):
        return "has bounds per demand of a charge that is not there"
    return ""


def _of_demand(charge: Charge) -> str:
    if (
        charge.measure not in ("maximum", "average")
        or not 1 <= charge.highest <= 1000
        or not SIGNED.fullmatch(charge.rate)
        or not UNSIGNED.fullmatch(text_or(charge.body, "minimum", "0"))
    ):
        return "has a demand charge that cannot be read"
    share = charge.ratchet_share
    if charge.has_ratchet and (
        not UNSIGNED.fullmatch(share) or Decimal(share) > 1 or not 1 <= charge.ratchet_months <= 120
    ):
        return "has a ratchet that cannot be read"
    return ""


def _of_others(charge: Charge) -> str:
    if charge.kind not in ("percentage", "minimum", "maximum") or charge.absent("of"):
        return ""
    there = {name for name, kind in charge.siblings if kind in charge.of_kinds}
    if charge.of_charges and there.issuperset(charge.of_charges):
        return ""
    return "has a charge on charges that are not there, or come after it"


def _are_names(names: list[str]) -> bool:
    """At least one, all of them different, none of them missing."""
    return bool(names) and len(set(names)) == len(names) and not {"", "?"} & set(names)


def _rise(bounds: list[str]) -> bool:
    numbers = [Decimal(bound) for bound in bounds]
    return all(low < high for low, high in pairwise(numbers))
