"""A tariff as it is written: the short form (`energy`, `standing_per_day`, `tax`), and charges and taxes by name.

A charge's quantity stands flat in it: `channel`, `unit`, and what is done to the quantity before it has a price.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag

from meterfold.portfolio.shape_base import Shape, listed, whole
from meterfold.portfolio.written import Clock, Currency, Day, Days, Flag, Id, Months, Rate, TaxRate, Text, Unit, When
from meterfold.portfolio.written_charges import (
    Amount,
    AtLeast,
    BilledUnit,
    Bound,
    Factor,
    PercentageShare,
    RatchetShare,
    RoundTo,
    Share,
    StepLength,
)

Prorate = Literal["days", "none"]
Kind = Literal["energy", "tiers", "demand", "standing", "percentage", "minimum", "maximum"]


def _priced(value: Any) -> Any:
    """`E1: 0.2845` and `E1: {unit: m3, rate: 4.20}` are short for one band, named flat."""
    if isinstance(value, str):
        value = {"rate": value}
    if isinstance(value, dict) and "rate" in value and "bands" not in value:
        rest = {key: item for key, item in value.items() if key != "rate"}
        return {**rest, "bands": [{"name": "flat", "rate": value["rate"]}]}
    return value


def _rounded(value: Any) -> Any:
    """`round: 0.05` is short for `{to: 0.05}`."""
    return {"to": value} if isinstance(value, str) else value


def _named(value: Any) -> Any:
    """`taxes: VAT` and `taxes: [VAT, {tax: LEVY, of: Usage}]` name taxes of the portfolio; by their ids `on` calls them."""
    items = (
        [{"tax": item} if isinstance(item, str) else item for item in listed(value)]
        if isinstance(value, list | str)
        else value
    )
    if isinstance(items, list) and all(isinstance(item, dict) and isinstance(item.get("tax"), str) for item in items):
        return {item["tax"]: item for item in items}
    return value


def _taxed(value: Any) -> Any:
    """`VAT: 0.19` is short for `VAT: {rate: 0.19}`; a name with several rates has a list."""
    items = listed(value)
    return [{"rate": item} if isinstance(item, str) else item for item in items] if isinstance(items, list) else items


class BandShape(Shape):
    name: Text
    rate: Rate
    months: Months | None = None
    days: Days | None = None
    from_: Clock = Field(0, alias="from")
    to: Clock = 1440


class EnergyShape(Shape):
    unit: Unit = "kWh"
    bands: Annotated[list[BandShape], Field(min_length=1)]


class WhenShape(Shape):
    months: Months | None = None
    days: Days | None = None
    from_: Clock = Field(0, alias="from")
    to: Clock = 1440


class RoundShape(Shape):
    to: RoundTo
    mode: Literal["half_up", "half_even", "down", "up"] = "half_up"


Round = Annotated[RoundShape, BeforeValidator(_rounded)]
Names = Annotated[list[Text], BeforeValidator(listed), Field(min_length=1)]
Whens = Annotated[list[WhenShape], BeforeValidator(listed)]


class StepShape(Shape):
    times: Factor | None = None
    over: Factor | None = None
    round: Round | None = None


class BeyondShape(Shape):
    channel: Id
    share: Share


class TierShape(Shape):
    name: Text | None = None
    up_to: Bound | None = None
    rate: Rate
    fee: Rate = Decimal(0)


class RatchetShape(Shape):
    share: RatchetShare
    months: Annotated[int, whole(1, 36)]


class ChargeShape(Shape):
    kind: Kind
    round: Round | None = None


class NoChargeShape(ChargeShape, extra="ignore"):
    """A charge whose kind is missing or unknown: nothing else of it can be judged."""


class MeteredShape(ChargeShape):
    channel: Id
    unit: BilledUnit = "kWh"
    minus: Id | None = None
    net: Literal["interval", "period"] | None = None
    share: Share = Decimal(1)
    beyond: BeyondShape | None = None
    steps: Annotated[list[StepShape], BeforeValidator(listed)] = Field(default_factory=list)


class EnergyChargeShape(MeteredShape):
    bands: Annotated[list[BandShape], Field(min_length=1)]


class SeriesChargeShape(MeteredShape):
    series: Id
    times: Factor = Decimal(1)
    plus: Rate = Decimal(0)


class TieredChargeShape(MeteredShape):
    when: Whens = Field(default_factory=list)
    scheme: Literal["graduated", "volume"] = "graduated"
    bounds: Literal["period", "day", "demand", "number"] = "period"
    bounds_of: Text | None = None
    prorate: Prorate = "days"
    tiers: Annotated[list[TierShape], BeforeValidator(listed), Field(min_length=1)]


class DemandChargeShape(MeteredShape):
    when: Whens = Field(default_factory=list)
    measure: Literal["maximum", "average"] = "maximum"
    highest: Annotated[int, whole(1, 1000)] = 1
    rate: Rate
    minimum: AtLeast = Decimal(0)
    ratchet: RatchetShape | None = None
    above: Id | None = None
    prorate: Prorate = "days"


class StandingChargeShape(ChargeShape):
    rate: Rate
    per: Literal["day", "month", "period", "year"]
    number: Id | None = None
    unit: BilledUnit | None = None
    prorate: Prorate = "days"


class LimitShape(ChargeShape):
    of: Names | None = None
    amount: Amount
    prorate: Prorate = "days"


class PowerFactorRowShape(Shape):
    below: RatchetShare
    share: PercentageShare


class PowerFactorShape(Shape):
    active: Id
    reactive: Id
    table: Annotated[list[PowerFactorRowShape], BeforeValidator(listed), Field(min_length=1)]


class PercentageShape(ChargeShape):
    of: Names | None = None
    share: PercentageShare | None = None
    power_factor: PowerFactorShape | None = None


_TAGS: Final = {kind: "[limit]" if kind in ("minimum", "maximum") else f"[{kind}]" for kind in get_args(Kind)}


def _shape_of(value: Any) -> str:
    """The tag of the shape that a charge must have. It stands in brackets in the path of an error, where `sections` drops it."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "energy" and "series" in value:
        return "[series]"
    return _TAGS.get(kind, "[none]") if isinstance(kind, str) else "[none]"


Charge = Annotated[
    Annotated[EnergyChargeShape, BeforeValidator(_priced), Tag("[energy]")]
    | Annotated[SeriesChargeShape, Tag("[series]")]
    | Annotated[TieredChargeShape, Tag("[tiers]")]
    | Annotated[DemandChargeShape, Tag("[demand]")]
    | Annotated[StandingChargeShape, Tag("[standing]")]
    | Annotated[PercentageShape, Tag("[percentage]")]
    | Annotated[LimitShape, Tag("[limit]")]
    | Annotated[NoChargeShape, Tag("[none]")],
    Discriminator(_shape_of),
]


class TaxShape(Shape):
    name: Text
    rate: TaxRate


class NamedTaxShape(Shape):
    rate: TaxRate | None = None
    tax: Id | None = None
    of: Names | None = None
    on: Names | None = None
    round: Round | None = None


Taxes = Annotated[list[NamedTaxShape], BeforeValidator(_taxed), Field(min_length=1)]


class TariffVersionShape(Shape):
    version: Annotated[int, whole(1, 1_000_000)] | None = None
    effective_from: Day
    effective_to: Day | None = None
    energy: dict[Id, Annotated[EnergyShape, BeforeValidator(_priced)]] = Field(default_factory=dict)
    standing_per_day: Rate | None = None
    tax: TaxShape | None = None
    charges: dict[Text, Charge] = Field(default_factory=dict)
    taxes: Annotated[dict[Text, Taxes], BeforeValidator(_named)] = Field(default_factory=dict)
    estimate_after_days: Annotated[int, whole(0, 366)] | None = None


class TaxRateShape(Shape):
    from_: Day = Field(alias="from")
    rate: TaxRate


class TaxObjectShape(Shape):
    name: Text | None = None
    rates: Annotated[list[TaxRateShape], BeforeValidator(listed), Field(min_length=1)]
    date: Literal["supply", "period_end", "invoice"]
    rounding: Literal["line", "document"] = "document"
    round: Round | None = None
    included: Flag = False
    share_of: Literal["net", "gross"] = "net"


class PointShape(Shape):
    start: When
    end: When | None = None
    price: Rate


class SeriesShape(Shape):
    unit: Unit = "kWh"
    currency: Currency | None = None
    step: StepLength
    prices: Annotated[list[PointShape], BeforeValidator(listed)] | None = None
    file: Text | None = None


class TariffShape(Shape):
    currency: Currency | None = None
    versions: Annotated[list[TariffVersionShape], BeforeValidator(listed), Field(min_length=1)]
