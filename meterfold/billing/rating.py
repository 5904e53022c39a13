"""What a run asks of sql/billing: the charges that differ from what was billed, and the periods that cannot be billed yet."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from connectors.clickhouse import Session, Store
from meterfold.billing.steps import Rows, last_uses, steps

NEVER: Final = date(2149, 6, 6)
"""The last day there is."""
NOT_ENDED: Final = "NOT_ENDED"
NOT_HARDENED: Final = "NOT_HARDENED"


@dataclass(frozen=True, slots=True)
class Pins:
    """What a run may see, so that it gives the same answer for ever.

    `frontier`: (partition of the curated log, offset below which rows are seen, known_at in ms) in order of partition.
    `known_billing_offset`: billing records below it are seen. `as_of_ms`: periods that ended by then are reached. `account` "": all.
    `shadow`: the edition (TARIFF#EDITION) that is tried out in place of what rates its tariff, at `shadow_site` ("": everywhere); "": none.
    `cut_on`: a period that reaches over this day ends before it, as if it were over; no later one is reached.
    """

    legal_entity: str
    account: str
    frontier: tuple[tuple[int, int, int], ...]
    known_billing_offset: int
    as_of_ms: int
    shadow: str = ""
    shadow_site: str = ""
    cut_on: date = NEVER

    def params(self) -> dict[str, Any]:
        """As the views take them. A partition that never was stands in for an empty list."""
        seen = self.frontier or ((0, 0, 0),)
        return {
            "legal_entity": self.legal_entity,
            "account": self.account,
            "partitions": [row[0] for row in seen],
            "next_offsets": [row[1] for row in seen],
            "known_billing_offset": self.known_billing_offset,
            "as_of_ms": self.as_of_ms,
            "shadow": self.shadow,
            "shadow_site": self.shadow_site,
            "cut_on": self.cut_on,
        }


@dataclass(frozen=True, slots=True)
class Charge:
    """The difference between what should be charged for a charge element of a period and what issued documents charged.

    `is_withheld`: it may not be charged, for `withheld_reason`, and `withheld_bearer` bears it; should and was are of what is withheld.
    `tax_point`: the day on which its tax is due, None: when it is issued. `tax_remainder`: of a tax, what rounding left of `amount_should`.
    """

    account: str
    period_from: date
    period_to: date
    kind: str
    element: str
    supply_point: str
    channel: str
    tariff: str
    tariff_version: str
    band: str
    service_from: date
    service_to: date
    currency: str
    unit: str
    rate: Decimal
    quantity_should: Decimal
    quantity_was: Decimal
    quantity: Decimal
    quantity_estimated: Decimal
    amount_should: Decimal
    amount_was: Decimal
    amount: Decimal
    minor_digits: int
    is_withheld: bool
    withheld_reason: str
    withheld_bearer: str
    tax_point: date | None
    tax_remainder: Decimal


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a period, or `periods` of them in a row, is not billed. `reason` is a stable code, `detail` says it in words.

    `from_utc` to `until_utc` is what lacks, where that is a time; `windows` how many intervals, where it is a number. `remedy` says what to
    do, where `detail` does not.
    """

    account: str
    period_from: date
    period_to: date
    reason: str
    supply_point: str
    channel: str
    from_utc: datetime | None
    until_utc: datetime | None
    windows: int
    detail: str
    remedy: str = ""
    periods: int = 1

    def __str__(self) -> str:
        where = "/".join(filter(None, (self.supply_point, self.channel)))
        return f"{self.account} {self.period_from} to {self.period_to}: {self.reason} {where}{self.when}: {self.detail}"

    @property
    def when(self) -> str:
        """The stretch and the number of intervals in words, with a space before each that is there."""
        stretch = (
            f" from {self.from_utc:%Y-%m-%d %H:%M}Z to {self.until_utc:%Y-%m-%d %H:%M}Z"
            if self.from_utc and self.until_utc
            else ""
        )
        return stretch + (f" ({self.windows} intervals)" if self.windows else "")


ACCOUNTS_AT_ONCE: Final = 50_000
"""Accounts rated together where windows are added up as they are read: some 15 kB a period of each is held."""

SPLIT_FROM: Final = 5_000
"""So many accounts are worth a batch of their own, which a processor of its own may rate: each batch takes a second or two by itself."""

FIRST_SHARE: Final = 0.9
"""How large the first batch of several is beside an equal share: lines are appended one batch after the other, in the order of batches."""

LOOKED_AT_ONCE: Final = 200
"""Accounts rated together where each window is looked at: bounds those held in memory, about 60 bytes each."""

_ACCOUNTS: Final = """
SELECT account
FROM ref_accounts_history
WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    AND legal_entity = {legal_entity:String} AND ({account:String} = '' OR account = {account:String})
ORDER BY account
"""
_LOOKED_AT: Final = """
WITH
    tenancies AS
    (
        SELECT account, supply_point, tariff
        FROM ref_tenancies_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
        UNION ALL
        SELECT vacant_account AS account, supply_point, vacant_tariff AS tariff
        FROM ref_supply_points_history
        WHERE vacant_account != ''
            AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    tariffs AS
    (
        SELECT meterfold_tariff(tariff) AS tariff
        FROM ref_charges_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND (net = 'interval' OR highest > 1 OR series != '')
    ),
    supply_points AS
    (
        SELECT supply_point
        FROM ref_channels_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND (channel_kind != 'intervals' OR grid_s = 0)
    )
SELECT DISTINCT account
FROM tenancies
WHERE tariff IN tariffs OR supply_point IN supply_points
"""
"""Accounts with a tariff or a channel that asks for each window."""

_SETTINGS: Final = "SET " + ", ".join(
    f"{name} = 0"
    for name in (
        "compile_expressions",
        "compile_aggregate_expressions",
        "compile_sort_description",
        "insert_null_as_default",
        "output_format_json_escape_forward_slashes",
    )
)
"""To compile these statements takes longer than to run them; a NULL where a column takes none is an error, never a nothing; and a slash
stands as it is, as everything else writes it."""

_BLOCKS: Final = (
    "SELECT * FROM rating_blocks ORDER BY account, period_from, reason, supply_point, channel, from_ms, detail"
)
_CHARGES: Final = """
SELECT * EXCEPT (charge_no, band_no)
FROM rating_differences
ORDER BY
    account, period_from, currency, is_withheld,
    indexOf(['energy', 'tiers', 'demand', 'standing', 'percentage', 'minimum', 'maximum', 'contained', 'tax'], kind),
    supply_point, charge_no, channel, service_from, band_no, element
"""


def rate(
    store: Store, pins: Pins, among: Collection[str] | None = None
) -> tuple[tuple[Charge, ...], tuple[Blocked, ...]]:
    """The charges of every period that can be billed, in the order of their lines, and why others cannot (`among`: of these accounts)."""
    charges: list[Charge] = []
    blocks: list[Blocked] = []
    for accounts in batches(store, pins, among):
        with staged(store, pins, accounts) as session:
            blocks += blocks_in(session)
            charges += [Charge(*row) for row in session.query(_CHARGES).rows]
    shut = {(block.account, block.period_from) for block in blocks}
    return tuple(charge for charge in charges if (charge.account, charge.period_from) not in shut), told(blocks)


def blocks_in(session: Session) -> list[Blocked]:
    """Why periods of the accounts that are staged cannot be billed, periods that are not over included."""
    return [_blocked(row) for row in session.query(_BLOCKS).rows]


def told(blocks: list[Blocked]) -> tuple[Blocked, ...]:
    """What a person wants to know of these: nothing of periods that are not over, and months in a row as one."""
    running = {(block.account, block.period_from) for block in blocks if block.reason == NOT_ENDED}
    over = [block for block in blocks if (block.account, block.period_from) not in running]
    return tuple(_joined(sorted(over, key=lambda block: (block.account, block.period_from))))


def batches(store: Store, pins: Pins, among: Collection[str] | None = None) -> Iterator[list[str]]:
    """The accounts in scope (`among`: only those of these), as many at once as memory allows."""
    found = [account for (account,) in store.query(_ACCOUNTS, pins.params()).rows]
    accounts = found if among is None else [account for account in found if account in among]
    if len(accounts) <= LOOKED_AT_ONCE:
        yield from [accounts] if accounts else []
        return
    looked_at = {account for (account,) in store.query(_LOOKED_AT, pins.params()).rows}
    added_up = [account for account in accounts if account not in looked_at]
    # as many for each processor
    processors = os.cpu_count() or 1
    rounds = max(1, -(-len(added_up) // (ACCOUNTS_AT_ONCE * processors)))
    parts = min(rounds * processors, -(-len(added_up) // min(SPLIT_FROM, ACCOUNTS_AT_ONCE)))
    # the first is ready, and appended, while the others are still rated
    first = len(added_up) if parts < 2 else max(1, int(len(added_up) * FIRST_SHARE / parts))
    yield from _cut(added_up[:first], first)
    yield from _cut(added_up[first:], -(-(len(added_up) - first) // max(1, parts - 1)))
    yield from _cut([account for account in accounts if account in looked_at], LOOKED_AT_ONCE)


def _cut(accounts: list[str], at_once: int) -> Iterator[list[str]]:
    return (accounts[at : at + at_once] for at in range(0, len(accounts), max(1, at_once)))


@contextmanager
def staged(
    store: Store,
    pins: Pins,
    accounts: list[str],
    *,
    exact: bool = False,
    is_beside: bool = False,
    only: Collection[str] | None = None,
) -> Iterator[Session]:
    """The tables of sql/billing for these accounts as `pins` sees them, each made from those before it; gone afterwards.

    `exact`: every window is looked at on its own, also where adding them up gives the same, so that `rating_windows` has them all.
    `is_beside`: other accounts are being staged meanwhile, so each statement is left to one processor.
    `only`: tables that are wanted; any other is given up after the last step that reads it, which spares a large batch half its memory.
    """
    params = pins.params() | {"exact": int(exact)}
    with store.beside() if is_beside else store.session() as session, session.listed("rating_scope", accounts):
        session.command(_SETTINGS)
        if is_beside:
            session.command("SET max_threads = 1")
        there = Rows(session)
        for step in steps():
            session.command(step.statement(there), params)
            if only is not None:
                for table in set(last_uses()[step.name]) - set(only):
                    session.command(f"DROP TEMPORARY TABLE {table}")
        yield session
        for step in steps():
            session.command(f"DROP TEMPORARY TABLE IF EXISTS {step.name}")


def _blocked(row: tuple[Any, ...]) -> Blocked:
    account, period_from, period_to, reason, supply_point, channel, from_ms, until_ms, windows, detail, remedy = row
    return Blocked(
        account,
        period_from,
        period_to,
        reason,
        supply_point,
        channel,
        _instant(from_ms),
        _instant(until_ms),
        windows,
        detail,
        remedy,
    )


def _instant(ms: int) -> datetime | None:
    return datetime.fromtimestamp(ms / 1000, UTC) if ms else None


def _joined(blocks: list[Blocked]) -> list[Blocked]:
    """Months in a row in which one channel is not hardened are one thing to be told: the last of them names the timetable's
    gate, the first of them the gate to be made first."""
    joined: list[Blocked] = []
    running: dict[tuple[str, str, str], int] = {}
    for block in blocks:
        key = (block.account, block.supply_point, block.channel)
        at = running.get(key)
        if block.reason == NOT_HARDENED and at is not None and joined[at].period_to == block.period_from:
            was = joined[at]
            joined[at] = replace(
                block,
                period_from=was.period_from,
                from_utc=was.from_utc,
                remedy=was.remedy,
                periods=was.periods + 1,
            )
        else:
            joined.append(block)
            if block.reason == NOT_HARDENED:
                running[key] = len(joined) - 1
    return joined
