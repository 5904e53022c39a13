"""What should be charged in full for each charge element, whatever was billed of it: for comparing states, not for billing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Rated:
    """Charges of the periods that can be billed; why the others cannot; and when each period has ended at all its sites, in ms."""

    charges: dict[ElementKey, RatedCharge]
    blocked: tuple[Blocked, ...]
    ended_ms: dict[PeriodKey, int]

    def shut(self) -> dict[PeriodKey, Blocked]:
        """Per period that cannot be billed the first reason."""
        return {(item.account, item.period_from): item for item in reversed(self.blocked)}

    def as_of(self, as_of_ms: int) -> dict[ElementKey, RatedCharge]:
        """The charges of periods that had ended by then. A rating sees them alike, whenever it is taken."""
        return {key: item for key, item in self.charges.items() if self.ended_ms[key[:2]] <= as_of_ms}


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
ORDER BY account, period_from, currency, supply_point, charge_no, channel, band_no, element, tariff, rate
"""
_ENDED: Final = "SELECT account, period_from, max(service_end_ms) FROM rating_tenancies GROUP BY account, period_from"


def rated(store: Store, pins: Pins, among: Collection[str] | None = None) -> Rated:
    """Rate the accounts in the scope of `pins` (`among`: only those of these). Raises what the store raises."""
    charges: dict[ElementKey, RatedCharge] = {}
    blocks: list[Blocked] = []
    ended: dict[PeriodKey, int] = {}
    for accounts in batches(store, pins, among):
        with staged(store, pins, accounts) as session:
            blocks += blocks_in(session)
            ended |= {(account, day): int(ms) for account, day, ms in session.query(_ENDED).rows}
            for row in session.query(_RATED).rows:
                charge = RatedCharge(*row)
                before = charges.get(charge.key)
                # two editions of one tariff may rate one supply point in turn: the element is the same
                charges[charge.key] = _added(before, charge) if before else charge
    shut = {(item.account, item.period_from) for item in blocks}
    return Rated(
        {key: item for key, item in charges.items() if key[:2] not in shut},
        tuple(sorted(blocks, key=lambda item: (item.account, item.period_from))),
        ended,
    )


def _added(one: RatedCharge, other: RatedCharge) -> RatedCharge:
    return replace(other, quantity=one.quantity + other.quantity, amount=one.amount + other.amount)
