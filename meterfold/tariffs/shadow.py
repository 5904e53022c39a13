"""Shadow runs: what real history would come to with an edition in place of what rates its tariff. Nothing is written."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from connectors.clickhouse import Store
from meterfold.billing.rated import Rated, rated
from meterfold.billing.rating import NOT_ENDED, Pins
from meterfold.tariffs.editions import Edition

_SHARE: Final = Decimal("0.0001")


class NobodyToRate(LookupError):
    """No account in the scope has a tenancy on the tariff."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """One account and period: the total, taxes included, as it is rated now and with the edition.

    `difference` is edition − now; `share` of now, to four places, None where now is nothing.
    """

    account: str
    period_from: date
    period_to: date
    currency: str
    now: Decimal
    edition: Decimal
    difference: Decimal
    share: Decimal | None
    minor_digits: int


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A period that cannot be billed as things stand (`side` "now"), with the edition ("edition"), or either way ("both"), and why."""

    account: str
    period_from: date
    period_to: date
    side: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """A comparison, and what it saw: with the same `pins` it comes out the same for ever. `totals`: one per currency, account ""."""

    edition: str
    pins: Pins
    rows: tuple[Shadow, ...]
    totals: tuple[Shadow, ...]
    not_compared: tuple[NotCompared, ...]


_ACCOUNTS: Final = """
WITH
    tenancies AS
    (
        SELECT account, supply_point
        FROM ref_tenancies_history
        WHERE NOT is_withdrawn AND tariff = {tariff:String}
            AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
        UNION ALL
        SELECT vacant_account AS account, supply_point
        FROM ref_supply_points_history
        WHERE NOT is_withdrawn AND vacant_tariff = {tariff:String}
            AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    points AS
    (
        SELECT supply_point, site
        FROM ref_supply_points_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    accounts AS
    (
        SELECT account, legal_entity
        FROM ref_accounts_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    )
SELECT DISTINCT accounts.account AS account, accounts.legal_entity AS legal_entity
FROM tenancies
INNER JOIN points ON points.supply_point = tenancies.supply_point
INNER JOIN accounts ON accounts.account = tenancies.account
WHERE {account:String} IN ('', accounts.account) AND {shadow_site:String} IN ('', points.site)
ORDER BY legal_entity, account
"""


def shadow(store: Store, edition: Edition, pins: Pins, since: date | None = None) -> ShadowRun:
    """Rate everybody on the edition's tariff twice, as things stand and with the edition, period by period from `since` on.

    `pins`: what is seen; its `account` and `shadow_site` narrow the scope ("": all), its legal entity does not matter. Raises NobodyToRate.
    """
    pins = replace(pins, shadow=edition.name)
    found = store.query(_ACCOUNTS, {**pins.params(), "tariff": edition.tariff}).rows
    if not found:
        raise NobodyToRate(f"nobody in that scope has a tenancy on tariff {edition.tariff}")
    scopes: dict[str, list[str]] = defaultdict(list)
    for account, legal_entity in found:
        scopes[legal_entity].append(account)
    rows: list[Shadow] = []
    not_compared: list[NotCompared] = []
    for legal_entity, accounts in scopes.items():
        scoped = replace(pins, legal_entity=legal_entity)
        now = rated(store, replace(scoped, shadow="", shadow_site=""), accounts)
        then = rated(store, scoped, accounts)
        not_compared += _not_compared(now, then, since)
        rows += _compared(now, then, since)
    rows.sort(key=lambda row: (row.account, row.period_from, row.currency))
    not_compared.sort(key=lambda item: (item.account, item.period_from, item.side))
    return ShadowRun(edition.name, pins, tuple(rows), tuple(_totals(rows)), tuple(not_compared))


def _compared(now: Rated, then: Rated, since: date | None) -> list[Shadow]:
    shut = {**now.shut(), **then.shut()}
    sums: dict[tuple[str, date, date, str, int], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for side, state in enumerate((now, then)):
        for charge in state.charges.values():
            if (charge.account, charge.period_from) not in shut and (since is None or charge.period_to > since):
                key = (charge.account, charge.period_from, charge.period_to, charge.currency, charge.minor_digits)
                sums[key][side] += charge.amount
    return [_row(*key[:4], now, edition, key[4]) for key, (now, edition) in sums.items()]


def _row(
    account: str, period_from: date, period_to: date, currency: str, now: Decimal, edition: Decimal, digits: int
) -> Shadow:
    difference = edition - now
    share = (difference / now).quantize(_SHARE, ROUND_HALF_UP) if now else None
    return Shadow(account, period_from, period_to, currency, now, edition, difference, share, digits)


def _totals(rows: Iterable[Shadow]) -> list[Shadow]:
    """One row a currency, over all accounts and periods."""
    listed = list(rows)
    totals = []
    for currency in sorted({row.currency for row in listed}):
        own = [row for row in listed if row.currency == currency]
        span = (min(row.period_from for row in own), max(row.period_to for row in own))
        before, after = sum((row.now for row in own), Decimal(0)), sum((row.edition for row in own), Decimal(0))
        totals.append(_row("", *span, currency, before, after, own[0].minor_digits))
    return totals


def _not_compared(now: Rated, then: Rated, since: date | None) -> list[NotCompared]:
    """The first reason per period and side; one for both sides where it is the same."""
    sides = {"now": _first_reasons(now, since), "edition": _first_reasons(then, since)}
    both = sides["now"] & sides["edition"]
    return [
        NotCompared(*row[:3], side, *row[3:])
        for side, rows in (("both", both), ("now", sides["now"] - both), ("edition", sides["edition"] - both))
        for row in rows
    ]


def _first_reasons(state: Rated, since: date | None) -> set[tuple[str, date, date, str, str]]:
    running = {(item.account, item.period_from) for item in state.blocked if item.reason == NOT_ENDED}
    return {
        (item.account, item.period_from, item.period_to, item.reason, item.detail)
        for period, item in state.shut().items()
        if period not in running and (since is None or item.period_to > since)
    }


def shadow_json(run: ShadowRun) -> dict[str, Any]:
    """Everything, for scripts; amounts as text with the decimals of their currency."""
    return {
        "edition": run.edition,
        "pins": {
            "frontier": [list(row) for row in run.pins.frontier],
            "billing_offset": run.pins.known_billing_offset,
            "as_of_ms": run.pins.as_of_ms,
        },
        "rows": [_plain(row) for row in run.rows],
        "totals": [_plain(row) for row in run.totals],
        "not_compared": [asdict(item) for item in run.not_compared],
    }


def shadow_csv(run: ShadowRun) -> str:
    """A row an account, period and currency, without totals. What could not be compared is not in it: --json has it."""
    text = io.StringIO()
    names = ("account", "period_from", "period_to", "currency", "now", "edition", "difference", "share")
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(row) for row in run.rows)
    return text.getvalue()


def _plain(row: Shadow) -> dict[str, str | None]:
    return {
        "account": row.account,
        "period_from": row.period_from.isoformat(),
        "period_to": row.period_to.isoformat(),
        "currency": row.currency,
        **{name: f"{getattr(row, name):.{row.minor_digits}f}" for name in ("now", "edition", "difference")},
        "share": None if row.share is None else f"{row.share:f}",
    }
