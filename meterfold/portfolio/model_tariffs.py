"""What a tariff charges: versions of a list of charges, each a quantity and a price, and of a list of taxes.

`energy`, `standing_per_day` and `tax` of a version are the short form, which may stand beside the lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Band:
    """A price for the minutes of the day [from_minute, to_minute) in some months and on some day types; None means all.

    `to_minute` before `from_minute`: through midnight.
    """

    name: str
    rate: Decimal
    months: tuple[int, ...] | None
    days: tuple[str, ...] | None
    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True)
class When:
    """Minutes that a charge looks at, as those of a `Band`."""

    months: tuple[int, ...] | None
    days: tuple[str, ...] | None
    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True)
class EnergyPrice:
    """What the short form charges for a channel's quantity; of the bands that match a minute, the first prices it."""

    channel: str
    unit: str
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Rounding:
    """To a multiple of `to`; `mode` half_up and up are away from zero, down is towards it."""

    to: Decimal
    mode: str


@dataclass(frozen=True, slots=True)
class Step:
    """A quantity is multiplied (`times`) or divided (`over`), then rounded if `round` says so."""

    times: Decimal | None
    over: Decimal | None
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class Beyond:
    """Only what exceeds `share` of another channel's sum."""

    channel: str
    share: Decimal


@dataclass(frozen=True, slots=True)
class Quantity:
    """What is counted of a channel: less `minus` (by `net`), beyond a share of another, times `share`, then `steps`; in `unit` at last."""

    channel: str
    unit: str
    minus: str | None
    net: str | None
    share: Decimal
    beyond: Beyond | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A price for every `step_s` of time, per `unit`: spans without a gap, each (start in ms, prices)."""

    id: str
    unit: str
    currency: str
    step_s: int
    spans: tuple[tuple[int, tuple[Decimal, ...]], ...]


@dataclass(frozen=True, slots=True)
class BySeries:
    """The price of a series at every moment, times a factor, plus a rate."""

    series: str
    times: Decimal
    plus: Decimal


@dataclass(frozen=True, slots=True)
class EnergyCharge:
    """Every minute has the price of the first band that matches, or (`priced`) that of a series."""

    kind: ClassVar[str] = "energy"
    name: str
    quantity: Quantity
    bands: tuple[Band, ...]
    priced: BySeries | None
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class Tier:
    """A price for a part of the quantity, up to `up_to` inclusive (None: without bound); `fee` is owed where the tier is reached."""

    name: str | None
    up_to: Decimal | None
    rate: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class TieredCharge:
    """Block prices: each part at its tier's (graduated), or all at the tier that the whole falls into (volume).

    `bounds_of`: the demand charge, or the number of the tenancy, that a bound is for each unit of.
    """

    kind: ClassVar[str] = "tiers"
    name: str
    quantity: Quantity
    when: tuple[When, ...]
    scheme: str
    bounds: str
    bounds_of: str | None
    prorate: str
    tiers: tuple[Tier, ...]
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class Ratchet:
    """At least `share` of the highest billed demand of the `months` periods before."""

    share: Decimal
    months: int


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """A price for the highest quantity per hour, or the average of the `highest` ones."""

    kind: ClassVar[str] = "demand"
    name: str
    quantity: Quantity
    when: tuple[When, ...]
    measure: str
    highest: int
    rate: Decimal
    minimum: Decimal
    ratchet: Ratchet | None
    above: str | None
    prorate: str
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class StandingCharge:
    """A price per day, month, period or year of the tenancy, times a `number` of it (in `unit`)."""

    kind: ClassVar[str] = "standing"
    name: str
    rate: Decimal
    per: str
    number: str | None
    unit: str | None
    prorate: str
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class PowerFactor:
    """A share by the power factor of the sums of two channels: that of the first (below, share) whose bound it is below, or none."""

    active: str
    reactive: str
    table: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class PercentageCharge:
    """A share of other charges: a surcharge, or (negative) a discount. `share` None: by the `power_factor`."""

    kind: ClassVar[str] = "percentage"
    name: str
    of: tuple[str, ...]
    share: Decimal | None
    power_factor: PowerFactor | None
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class LimitCharge:
    """What lifts other charges to a minimum, or takes off what they exceed a maximum by. `kind` says which."""

    name: str
    kind: str
    of: tuple[str, ...]
    amount: Decimal
    prorate: str
    round: Rounding | None


MeteredCharge = EnergyCharge | TieredCharge | DemandCharge
Charge = MeteredCharge | StandingCharge | PercentageCharge | LimitCharge


@dataclass(frozen=True, slots=True)
class TaxObject:
    """A tax that stands on its own: `rates` by the day from which each holds.

    `date` says which day's rate counts: of supply, the last of the period, or that of the first invoice. `rounding`: each line's tax is
    rounded, or their sum (document). `included`: prices contain it. `share_of`: its rate is of what remains without it (net), or of what
    it is with it (gross).
    """

    id: str
    name: str
    rates: tuple[tuple[date, Decimal], ...]
    date: str
    rounding: str
    round: Rounding | None
    included: bool
    share_of: str


@dataclass(frozen=True, slots=True)
class Tax:
    """A fraction of charges (`of` None: all), and of the taxes before it that `on` names; `rate` None: that of the `tax` it names."""

    name: str
    rate: Decimal | None
    tax: str | None
    of: tuple[str, ...] | None
    on: tuple[str, ...]
    round: Rounding | None


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """A tariff's rules from a day on, until the next version's.

    `estimate_after_days`: what has not hardened so many days after the end of a period is billed by an estimate; None: it is waited for.
    """

    version: int
    effective_from: date
    energy: tuple[EnergyPrice, ...]
    standing_per_day: Decimal | None
    tax_name: str | None
    tax_rate: Decimal | None
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] = ()
    estimate_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """Named rules in versions, ascending; the last has no end, unless `until` says that it may not be used from that day on."""

    id: str
    currency: str
    versions: tuple[TariffVersion, ...]
    until: date | None = None
