"""What is unbilled at the end of a month: service up to then as it is rated now, less what documents of that month and before have charged.

A billing period that reaches over the month's end is rated as if it ended there: windows and days up to it, bounds and fees in
proportion of its days, demand as far as it went. Withheld lines count as charged: nobody will bill them. Pinned as a run is, so that it can
be worked out again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import Any, Final

from connectors.clickhouse import Session, Store
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project, refuse_misread
from meterfold.billing.rating import Blocked, Pins, batches, blocks_in, staged
from meterfold.billing.rows import VERSION, decimal_text, encode
from meterfold.billing.run import RULE_VERSION, fold_frontier, one_at_a_time, refuse_while_open
from meterfold.books.closing import UnableToClose, refuse_running
from meterfold.books.months import first_day, last_closed, month_after, refuse_unknown

KNOWN_IN_PART: Final = frozenset({"NOT_ENDED", "NOT_HARDENED", "MISSING", "HOLE", "CALENDAR_CHANGED"})
"""Reasons that block a bill and yet leave an amount to accrue: of a period that is not over, or of windows that are not all known."""

_EXACT: Final = Context(prec=76, traps=[Inexact])

_UNBILLED: Final = """
WITH
    left_out AS (SELECT arrayJoin(arrayZip({left_accounts:Array(String)}, {left_periods:Array(Date)})) AS period),
    rated AS
    (
        SELECT account, currency, if(kind = 'tax', toDecimal128(0, 4), amount) AS net, if(kind = 'tax', amount, toDecimal128(0, 4)) AS tax
        FROM rating_charges
        WHERE (account, period_from) NOT IN (SELECT period FROM left_out)
    ),
    charged AS
    (
        SELECT account, currency, if(kind = 'tax', toDecimal128(0, 4), -amount) AS net, if(kind = 'tax', -amount, toDecimal128(0, 4)) AS tax
        FROM issued_lines
        WHERE issued_offset < {known_billing_offset:UInt64} AND accounting_period <= {period:String}
            AND account IN (SELECT account FROM rating_accounts) AND (account, period_from) NOT IN (SELECT period FROM left_out)
    ),
    summed AS
    (
        SELECT both.account AS account, both.currency AS currency, sum(both.net) AS net, sum(both.tax) AS tax
        FROM (SELECT * FROM rated UNION ALL SELECT * FROM charged) AS both
        GROUP BY account, currency
    ),
    currencies AS (SELECT * FROM ref_currencies)
SELECT summed.account, summed.currency, summed.net, summed.tax, if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits
FROM summed
LEFT JOIN currencies ON currencies.currency = summed.currency
WHERE net != 0 OR tax != 0
ORDER BY summed.account, summed.currency
"""


@dataclass(frozen=True, slots=True)
class Unbilled:
    """What is unbilled of an account in a currency; negative: billed ahead."""

    account: str
    currency: str
    net: Decimal
    tax: Decimal
    minor_digits: int = field(default=2, repr=False)


@dataclass(frozen=True, slots=True)
class Accrued:
    """An accrual. `left_out`: account and first day of periods that could not be rated at all, and why; `in_part`: periods by reason of
    which not everything was known."""

    legal_entity: str
    period: str
    lines: tuple[Unbilled, ...]
    left_out: tuple[Blocked, ...]
    in_part: dict[str, int]

    @property
    def totals(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Net and tax by currency."""
        totals: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
        for line in self.lines:
            net, tax = totals[line.currency]
            totals[line.currency] = (_EXACT.add(net, line.net), _EXACT.add(tax, line.tax))
        return dict(sorted(totals.items()))


def accrue_month(store: Store, log: BillingLog, legal_entity: str, period: str, person: str, now_ms: int) -> Accrued:
    """Work out what is unbilled at the month's end and write it down, in place of what was said before.

    Raises UnknownBooks, UnableToClose (not over, or closed), RunInProgress, UnableToProject, and what the log and the store raise.
    """
    with one_at_a_time():
        known = project(store, log)
        refuse_misread(store)
        refuse_unknown(store, legal_entity, period)
        refuse_running(period, now_ms, "accrue")
        closed = last_closed(store, legal_entity)
        if closed is not None and period <= closed:
            raise UnableToClose(
                f"{period} of {legal_entity} is closed, and its accrual with it; accrue {month_after(closed)}"
            )
        refuse_while_open(store, legal_entity, now_ms)
        pins = Pins(legal_entity, "", fold_frontier(store), known, now_ms, cut_on=first_day(month_after(period)))
        accrued = unbilled(store, pins, period)
        log.append(legal_entity.encode(), encode(_record(accrued, pins, person, now_ms)))
        log.flush()
        project(store, log)
        return accrued


def unbilled(store: Store, pins: Pins, period: str) -> Accrued:
    """What is unbilled at the end of the month as the pins see it; nothing is written."""
    lines: list[Unbilled] = []
    left_out: list[Blocked] = []
    in_part: Counter[str] = Counter()
    for accounts in batches(store, pins):
        with staged(store, pins, accounts) as session:
            blocks = blocks_in(session)
            shut = [block for block in blocks if block.reason not in KNOWN_IN_PART]
            left_out += shut
            in_part.update(_partly(blocks))
            lines += _lines(session, pins, period, shut)
    return Accrued(pins.legal_entity, period, tuple(lines), tuple(left_out), dict(sorted(in_part.items())))


def _partly(blocks: list[Blocked]) -> list[str]:
    """The reason of each period and channel of which not every window is known."""
    told = {
        (block.account, block.period_from, block.supply_point, block.channel, block.reason)
        for block in blocks
        if block.reason in KNOWN_IN_PART - {"NOT_ENDED", "CALENDAR_CHANGED"}
    }
    return [reason for *_, reason in told]


def _lines(session: Session, pins: Pins, period: str, shut: list[Blocked]) -> list[Unbilled]:
    params: dict[str, Any] = pins.params() | {
        "period": period,
        "left_accounts": [block.account for block in shut],
        "left_periods": [block.period_from for block in shut],
    }
    return [Unbilled(*row) for row in session.query(_UNBILLED, params).rows]


def _record(accrued: Accrued, pins: Pins, person: str, now_ms: int) -> dict[str, object]:
    return {
        "v": VERSION,
        "type": "accrued",
        "legal_entity": accrued.legal_entity,
        "period": accrued.period,
        "frontier": [list(row) for row in pins.frontier],
        "billing_offset": pins.known_billing_offset,
        "as_of_ms": pins.as_of_ms,
        "rule_version": RULE_VERSION,
        "lines": [
            {
                "account": line.account,
                "currency": line.currency,
                "net": decimal_text(line.net, line.minor_digits),
                "tax": decimal_text(line.tax, line.minor_digits),
            }
            for line in accrued.lines
        ],
        "person": person,
        "booked_ms": now_ms,
        "accounting_period": accrued.period,
    }
