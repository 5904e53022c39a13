"""The portfolio after loading: every default filled in, every local time an instant, every number exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from meterfold.portfolio.calendar import Moment
from meterfold.portfolio.document import Document
from meterfold.portfolio.model_tariffs import Series, Tariff, TaxObject
from meterfold.portfolio.problem import Path

Length = int | str
"""A grid's slot length: seconds, or "LOCAL_DAY"."""

Key = tuple[str, str]
"""(kind, id) of an object, kinds as in the billing log: ("supply_point", "SP-1")."""


@dataclass(frozen=True, slots=True)
class BackBilling:
    """A net claim for a period that ended more than `months` before is not charged, for `reason`; `bearer` bears it."""

    months: int
    bearer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Holds:
    """What holds a draft until a person releases it; None: it does not.

    `estimated_share` of the metered quantity, and `change` of the net a day, are shares; `amount` is one of money, in absolute terms.
    """

    estimated_share: Decimal | None
    change: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """Who issues bills. `invoice_series` names its gapless number series. `change_control`: prices change by editions alone.

    `ledger`: (account, what its books call it), where that is not the default.
    """

    id: str
    name: str
    currency: str
    invoice_series: str
    change_control: bool = False
    back_billing: BackBilling | None = None
    holds: Holds | None = None
    ledger: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One place with one clock. `utc_offsets` are rows (from_ms, seconds east of UTC); `gate_at` is `HH:MM` local."""

    id: str
    legal_entity: str
    time_zone: str
    first_year: int
    utc_offsets: tuple[tuple[int, int], ...]
    holidays: tuple[date, ...]
    gate_after_days: int
    gate_at: str


@dataclass(frozen=True, slots=True)
class Policy:
    """How holes are filled and what is suspicious; None switches a rule off."""

    interpolate_max_s: int | None
    like_days: int | None
    spike_factor: int | None
    zero_run_s: int | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One measured quantity of a supply point."""

    id: str
    kind: str
    commodity: str
    direction: str
    unit: str
    interval_s: Length
    grid_s: Length
    allowance_s: int
    horizon_days: int
    signed: bool
    policy: Policy


@dataclass(frozen=True, slots=True)
class Vacant:
    """Days without a tenancy are charged to an account, from a day on (None: from the first tenancy's on)."""

    account: str
    tariff: str
    from_day: date | None


@dataclass(frozen=True, slots=True)
class SupplyPoint:
    """Where a utility is delivered and billed. `site` None: the site is declared, but has problems of its own."""

    id: str
    site: Site | None
    channels: Mapping[str, Channel]
    vacant: Vacant | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A device serves a supply point in [from_ms, to_ms)."""

    supply_point: str
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """A register feeds a channel of a supply point in [from_ms, to_ms), in one role, with one factor."""

    supply_point: str
    register: str
    channel: str
    role: str
    from_ms: int
    to_ms: int | None
    multiplier: int
    decimals: int
    digits: int | None
    nano_per_count: int
    max_nano_per_hour: int | None


@dataclass(frozen=True, slots=True)
class Device:
    """A meter. Assignments and registers are its whole timeline, in order of time."""

    id: str
    site: str
    assignments: tuple[Assignment, ...]
    registers: tuple[RegisterSpan, ...]


@dataclass(frozen=True, slots=True)
class Treatment:
    """An account is exempt from a tax, or owes it itself (reverse_charge), on the days [from_day, to_day)."""

    tax: str
    treatment: str
    evidence: str
    from_day: date
    to_day: date | None


@dataclass(frozen=True, slots=True)
class Account:
    """Who is billed, by party id only. `calendar_day`: the day of the month on which periods begin."""

    id: str
    legal_entity: str
    party_id: str
    currency: str
    billing_from: date
    calendar_day: int
    opening_position: Decimal
    taxes: tuple[Treatment, ...] = ()


@dataclass(frozen=True, slots=True)
class Tenancy:
    """An account occupies a supply point on the days [from_day, to_day), on a tariff. `numbers`: (name, from, value), by name and day."""

    id: str
    account: str
    supply_point: str
    from_day: date
    to_day: date | None
    tariff: str
    numbers: tuple[tuple[str, date, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """How an object leaves: `ended` at a moment, or `withdrawn` (`at` None) because it should never have been."""

    reason: str
    at: Moment | None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything in one file, by id. `endings` also names objects of which the file says no more than their end.

    `document` and `paths` are there to say where something stands.
    """

    legal_entities: Mapping[str, LegalEntity]
    sites: Mapping[str, Site]
    supply_points: Mapping[str, SupplyPoint]
    devices: Mapping[str, Device]
    accounts: Mapping[str, Account]
    tenancies: Mapping[str, Tenancy]
    taxes: Mapping[str, TaxObject]
    series: Mapping[str, Series]
    tariffs: Mapping[str, Tariff]
    endings: Mapping[Key, Ending]
    document: Document = field(compare=False, repr=False)
    paths: Mapping[Key, Path] = field(compare=False, repr=False)
