"""What should be charged in full for each charge element, whatever was billed of it: for comparing states, not for billing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from connectors.clickhouse import Store
from meterfold.billing.rating import Blocked, Pins, batches, blocks_in, staged

ElementKey = tuple[str, date, str, str]
"""Account, first day of the period, currency, charge element."""
PeriodKey = tuple[str, date]
"""Account and first day of a period."""


@dataclass(frozen=True, slots=True)
class RatedCharge:
    """What should be charged for a charge element of a period, taxes included among the kinds. `amount` has `minor_digits` places."""

    account: str
    period_from: date
    period_to: date
    currency: str
    element: str
    kind: str
    supply_point: str
    channel: str
    tariff: str
    tariff_version: str
    band: str
    unit: str
    rate: Decimal
    quantity: Decimal
    amount: Decimal
    minor_digits: int

    @property
    def key(self) -> ElementKey:
        return self.account, self.period_from, self.currency, self.element


class Span(NamedTuple):
    """The time in which a period of an account is metered at a supply point: from `start_ms` until before `end_ms`."""

    account: str
    period_from: date
    supply_point: str
    start_ms: int
    end_ms: int

    @property
    def period(self) -> PeriodKey:
        return self.account, self.period_from


@dataclass(frozen=True, slots=True)
class Rated:
    """Charges of the periods that can be billed, why the others cannot, and when they are metered."""

    charges: dict[ElementKey, RatedCharge]
    blocked: tuple[Blocked, ...]
    spans: tuple[Span, ...]

    def shut(self) -> dict[PeriodKey, Blocked]:
        """Per period that cannot be billed the first reason."""
        return {(item.account, item.period_from): item for item in reversed(self.blocked)}

    def as_of(self, as_of_ms: int) -> dict[ElementKey, RatedCharge]:
        """The charges of periods that had ended by then: what was rated as of a later instant, an earlier one sees alike."""
        # as rating_periods has it: by the clock 14 hours ahead, and at every site of the account
        today = datetime.fromtimestamp(as_of_ms / 1000, UTC) + timedelta(hours=14)
        ended: dict[PeriodKey, int] = {}
        for span in self.spans:
            ended[span.period] = max(span.end_ms, ended.get(span.period, span.end_ms))
        return {
            key: item
            for key, item in self.charges.items()
            if item.period_to <= today.date() and ended[key[:2]] <= as_of_ms
        }


_RATED: Final = """
WITH
    charges AS (SELECT * FROM rating_charges),
    currencies AS (SELECT * FROM ref_currencies)
SELECT
    account, period_from, period_to, charges.currency AS currency, element, kind, supply_point, channel,
    meterfold_tariff(tariff) AS tariff_name, tariff_version, band, unit, rate, quantity, amount,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits
FROM charges
LEFT JOIN currencies ON currencies.currency = charges.currency
ORDER BY account, period_from, currency, kind = 'tax', supply_point, charge_no, kind, channel, band_no, element, tariff, rate
"""
_SPANS: Final = """
SELECT account, period_from, supply_point, service_start_ms, service_end_ms
FROM rating_tenancies
ORDER BY account, period_from, supply_point, service_start_ms, tenancy
"""


def rated(store: Store, pins: Pins, among: Collection[str] | None = None) -> Rated:
    """Rate the accounts in the scope of `pins` (`among`: only those of these). Raises what the store raises."""
    charges: dict[ElementKey, RatedCharge] = {}
    blocks: list[Blocked] = []
    spans: list[Span] = []
    for accounts in batches(store, pins, among):
        with staged(store, pins, accounts) as session:
            blocks += blocks_in(session)
            spans += [Span(*row) for row in session.query(_SPANS).rows]
            for row in session.query(_RATED).rows:
                charge = RatedCharge(*row)
                before = charges.get(charge.key)
                # two editions of one tariff may rate one supply point in turn: the element is the same
                charges[charge.key] = _added(before, charge) if before else charge
    shut = {(item.account, item.period_from) for item in blocks}
    return Rated(
        {key: item for key, item in charges.items() if key[:2] not in shut},
        tuple(sorted(blocks, key=lambda item: (item.account, item.period_from))),
        tuple(spans),
    )


def _added(one: RatedCharge, other: RatedCharge) -> RatedCharge:
    return replace(other, quantity=one.quantity + other.quantity, amount=one.amount + other.amount)
