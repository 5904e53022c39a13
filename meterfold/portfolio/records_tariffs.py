"""A tariff as the body of its `reference` record: the short form and the lists of charges and taxes. Numbers are text.

`contracts/billing.schema.json` describes every field. In the lists, what may be absent is absent, never null, and defaults are written
out. A version in the short form alone has no lists: its body is what it always was.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from meterfold.portfolio.bands import clock
from meterfold.portfolio.model_tariffs import (
    Band,
    Charge,
    DemandCharge,
    EnergyCharge,
    LimitCharge,
    PercentageCharge,
    Quantity,
    Rounding,
    Series,
    StandingCharge,
    Step,
    Tariff,
    TariffVersion,
    Tax,
    TaxObject,
    Tier,
    TieredCharge,
    When,
)

Body = dict[str, Any]


def decimal_text(number: Decimal) -> str:
    """Exactly the number, without zeros at the end: 0.2845, 12, 0."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def tariff_body(item: Tariff) -> Body:
    """The body of a tariff, all its versions in it."""
    return {"currency": item.currency, "versions": [_version(version) for version in item.versions]}


def tax_body(item: TaxObject) -> Body:
    """The body of a tax that stands on its own."""
    return {
        "name": item.name,
        "rates": [{"from": day.isoformat(), "rate": decimal_text(rate)} for day, rate in item.rates],
        "date": item.date,
        "rounding": item.rounding,
        **_round(item.round),
        "included": item.included,
        "share_of": item.share_of,
    }


def series_body(item: Series) -> Body:
    """The body of a price series: the prices of a span in one text, with a space between them."""
    return {
        "unit": item.unit,
        "currency": item.currency,
        "step_s": item.step_s,
        "spans": [
            {"from_ms": start, "prices": " ".join(decimal_text(price) for price in prices)}
            for start, prices in item.spans
        ],
    }


def _version(item: TariffVersion) -> Body:
    tax = None if item.tax_rate is None else {"name": item.tax_name, "rate": decimal_text(item.tax_rate)}
    lists = {"charges": [_charge(charge) for charge in item.charges], "taxes": [_tax(tax) for tax in item.taxes]}
    waits = {} if item.estimate_after_days is None else {"estimate_after_days": item.estimate_after_days}
    return {
        "version": item.version,
        "effective_from": item.effective_from.isoformat(),
        "energy": [
            {"channel": price.channel, "unit": price.unit, "bands": [_band(band) for band in price.bands]}
            for price in item.energy
        ],
        "standing_per_day": None if item.standing_per_day is None else decimal_text(item.standing_per_day),
        "tax": tax,
        **{name: found for name, found in lists.items() if found},
        **waits,
    }


def _band(item: Band) -> Body:
    return {"name": item.name, "rate": decimal_text(item.rate), **_times(item)}


def _times(item: Band | When) -> Body:
    return {
        "months": None if item.months is None else list(item.months),
        "days": None if item.days is None else list(item.days),
        "from": clock(item.from_minute) if item.from_minute else None,
        "to": clock(item.to_minute) if item.to_minute < 1440 else None,
    }


def _charge(item: Charge) -> Body:
    return {"name": item.name, "kind": item.kind, **_terms(item), **_round(item.round)}


def _terms(item: Charge) -> Body:
    """What a charge of its kind says."""
    match item:
        case EnergyCharge() if item.priced:
            priced = {"times": decimal_text(item.priced.times), "plus": decimal_text(item.priced.plus)}
            return {"quantity": _quantity(item.quantity), "series": item.priced.series, **priced}
        case EnergyCharge():
            return {"quantity": _quantity(item.quantity), "bands": [_given(_band(band)) for band in item.bands]}
        case TieredCharge():
            terms = {
                "scheme": item.scheme,
                "bounds": item.bounds,
                **_given({"bounds_of": item.bounds_of}),
                "prorate": item.prorate,
            }
            tiers = [_tier(tier) for tier in item.tiers]
            return {"quantity": _quantity(item.quantity), **_when(item.when), **terms, "tiers": tiers}
        case DemandCharge():
            return {"quantity": _quantity(item.quantity), **_when(item.when), **_demand(item)}
        case StandingCharge():
            number = _given({"number": item.number, "unit": item.unit})
            return {"rate": decimal_text(item.rate), "per": item.per, **number, "prorate": item.prorate}
        case PercentageCharge():
            return {"of": list(item.of), **_share(item)}
        case LimitCharge():
            return {"of": list(item.of), "amount": decimal_text(item.amount), "prorate": item.prorate}


def _share(item: PercentageCharge) -> Body:
    if item.power_factor is None:
        assert item.share is not None
        return {"share": decimal_text(item.share)}
    factor = item.power_factor
    table = [{"below": decimal_text(below), "share": decimal_text(share)} for below, share in factor.table]
    return {"power_factor": {"active": factor.active, "reactive": factor.reactive, "table": table}}


def _demand(item: DemandCharge) -> Body:
    ratchet = item.ratchet and {"share": decimal_text(item.ratchet.share), "months": item.ratchet.months}
    return {
        "measure": item.measure,
        "highest": item.highest,
        "rate": decimal_text(item.rate),
        "minimum": decimal_text(item.minimum),
        **({"ratchet": ratchet} if ratchet else {}),
        **_given({"above": item.above}),
        "prorate": item.prorate,
    }


def _quantity(item: Quantity) -> Body:
    beyond = item.beyond and {"channel": item.beyond.channel, "share": decimal_text(item.beyond.share)}
    steps = [_step(step) for step in item.steps] or None
    options = _given({"minus": item.minus, "net": item.net, "beyond": beyond, "steps": steps})
    return {"channel": item.channel, "unit": item.unit, "share": decimal_text(item.share), **options}


def _step(item: Step) -> Body:
    factors = {"times": item.times, "over": item.over}
    return {**{key: decimal_text(value) for key, value in factors.items() if value is not None}, **_round(item.round)}


def _tier(item: Tier) -> Body:
    name = {} if item.name is None else {"name": item.name}
    up_to = None if item.up_to is None else decimal_text(item.up_to)
    return {**name, "up_to": up_to, "rate": decimal_text(item.rate), "fee": decimal_text(item.fee)}


def _when(items: Iterable[When]) -> Body:
    listed = [_given(_times(item)) for item in items]
    return {"when": listed} if listed else {}


def _round(item: Rounding | None) -> Body:
    return {} if item is None else {"round": {"to": decimal_text(item.to), "mode": item.mode}}


def _tax(item: Tax) -> Body:
    of, on = item.of and list(item.of), list(item.on) or None
    rate = None if item.rate is None else decimal_text(item.rate)
    return {"name": item.name, **_given({"rate": rate, "tax": item.tax, "of": of, "on": on}), **_round(item.round)}


def _given(fields: Body) -> Body:
    return {key: value for key, value in fields.items() if value is not None}
