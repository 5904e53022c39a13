"""The portfolio as it is written: one pydantic model per kind of object, with the short forms a small landlord writes.

This settles shapes and single values. Defaults that depend on other objects, and everything that compares two, come after.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from meterfold.portfolio.calendar import EARLIEST_YEAR, FIRST_YEAR, LAST_YEAR
from meterfold.portfolio.shape_base import Shape, listed, whole
from meterfold.portfolio.shape_books import LedgerShape
from meterfold.portfolio.shape_tariffs import SeriesShape, TariffShape, TaxObjectShape
from meterfold.portfolio.written import (
    Currency,
    Day,
    Duration,
    Flag,
    GateAt,
    GridLength,
    Id,
    Money,
    PartyId,
    Positive,
    TaxRate,
    TenancyId,
    Text,
    Unit,
    When,
)
from meterfold.portfolio.written_charges import NumberOf

Commodity = Literal["electricity", "gas", "water", "hot_water", "heat", "cooling", "steam", "other"]


def _channel_only(value: Any) -> Any:
    """`E1: E1` is short for `E1: {channel: E1}`; spans of one register are a list."""
    return (
        [{"channel": item} if isinstance(item, str) else item for item in value] if isinstance(value, list) else value
    )


def _monthly(value: Any) -> Any:
    """`monthly` is short for `{kind: monthly}`."""
    return {"kind": value} if isinstance(value, str) else value


class BackBillingShape(Shape):
    months: Annotated[int, whole(1, 600)]
    bearer: Text
    reason: Text | None = None


class HoldsShape(Shape):
    estimated_share: TaxRate | None = None
    change: Positive | None = None
    amount: Positive | None = None


class LegalEntityShape(Shape):
    name: Text
    currency: Currency
    invoice_series: Id | None = None
    change_control: Flag = False
    back_billing: BackBillingShape | None = None
    holds: HoldsShape | None = None
    ledger: LedgerShape | None = None


class TimetableShape(Shape):
    gate_after_days: Annotated[int, whole(0, 60)] = 3
    gate_at: GateAt = 6 * 60


class SiteShape(Shape):
    legal_entity: Id | None = None
    time_zone: Text
    calendar_from_year: Annotated[int, whole(EARLIEST_YEAR, LAST_YEAR)] = FIRST_YEAR
    holidays: list[Day] = Field(default_factory=list)
    timetable: TimetableShape = TimetableShape()


class PolicyShape(Shape):
    interpolate_max: Duration | None = 2 * 3600
    like_days: Annotated[int, whole(1, 31)] | None = 3
    spike_factor: Annotated[int, whole(1, 1000)] | None = 50
    zero_run: Duration | None = 24 * 3600


class ChannelShape(Shape):
    kind: Literal["intervals", "totals", "spans"] = "intervals"
    commodity: Commodity | None = None
    direction: Literal["import", "export", "net"] = "import"
    unit: Unit = "kWh"
    interval: GridLength | None = None
    billing_grid: GridLength | None = None
    allowance: Duration | None = None
    horizon_days: Annotated[int, whole(1, 400)] = 35
    signed: Flag | None = None
    policy: PolicyShape = PolicyShape()


class VacantShape(Shape):
    account: Id
    tariff: Id
    from_: Day | None = Field(None, alias="from")


class SupplyPointShape(Shape):
    site: Id | None = None
    channels: dict[Id, ChannelShape]
    vacant: VacantShape | None = None


class RegisterShape(Shape):
    channel: Id
    role: Literal["intervals", "totals", "spans", "check"] | None = None
    multiplier: Annotated[int, whole(1, 1_000_000)] = 1
    decimals: Annotated[int, whole(0, 18)] = 0
    digits: Annotated[int, whole(1, 18)] | None = None
    per_count: Positive | None = None
    max_per_hour: Positive | None = None
    from_: When | None = Field(None, alias="from")
    to: When | None = None


class AssignmentShape(Shape):
    supply_point: Id
    from_: When = Field(alias="from")
    to: When | None = None


RegisterSpans = Annotated[list[RegisterShape], BeforeValidator(lambda value: _channel_only(listed(value)))]


class DeviceShape(Shape):
    registers: dict[Text, RegisterSpans]
    assignments: Annotated[list[AssignmentShape], BeforeValidator(listed), Field(min_length=1)]


class CalendarShape(Shape):
    kind: Literal["monthly"] = "monthly"
    day: Annotated[int, whole(1, 28)] = 1


class TreatmentShape(Shape):
    tax: Id
    treatment: Literal["exempt", "reverse_charge"]
    evidence: Text
    from_: Day = Field(alias="from")
    to: Day | None = None


class AccountShape(Shape):
    legal_entity: Id | None = None
    party_id: PartyId
    currency: Currency | None = None
    billing_from: Day
    calendar: Annotated[CalendarShape, BeforeValidator(_monthly)] = CalendarShape()
    opening_position: Money = Decimal(0)
    taxes: Annotated[list[TreatmentShape], BeforeValidator(listed)] = Field(default_factory=list)


class NumberShape(Shape):
    from_: Day | None = Field(None, alias="from")
    is_: NumberOf = Field(alias="is")


def _number(value: Any) -> Any:
    """`contracted: 8` is short for `contracted: { is: 8 }`."""
    return [{"is": item} if isinstance(item, str) else item for item in (value if isinstance(value, list) else [value])]


class TenancyShape(Shape):
    id: TenancyId | None = None
    account: Id
    supply_point: Id
    from_: Day = Field(alias="from")
    to: Day | None = None
    tariff: Id
    numbers: dict[Id, Annotated[list[NumberShape], BeforeValidator(_number), Field(min_length=1)]] = Field(
        default_factory=dict
    )


class EndedShape(Shape):
    at: When
    reason: Text


class WithdrawnShape(Shape):
    reason: Text


SHAPES: Final[dict[str, type[Shape]]] = {
    "legal_entities": LegalEntityShape,
    "sites": SiteShape,
    "supply_points": SupplyPointShape,
    "devices": DeviceShape,
    "accounts": AccountShape,
    "tenancies": TenancyShape,
    "taxes": TaxObjectShape,
    "series": SeriesShape,
    "tariffs": TariffShape,
}
"""The sections of the file, in the order in which they build on each other."""

KINDS: Final = {
    "legal_entities": "legal_entity",
    "sites": "site",
    "supply_points": "supply_point",
    "devices": "device",
    "accounts": "account",
    "tenancies": "tenancy",
    "taxes": "tax",
    "series": "series",
    "tariffs": "tariff",
}
"""What an object of a section is called in the billing log."""
