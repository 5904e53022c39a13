"""What a person looks at before closing a month: what is booked into which, and the journal by account of the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connectors.clickhouse import Rows, Store
from meterfold.billing.rows import decimal_text
from meterfold.books.months import refuse_unknown

_MONTHS: Final = """
WITH
    legs AS (SELECT * FROM journal WHERE legal_entity = {entity:String}),
    closings AS (SELECT period, person, booked_ms FROM bill_periods_closed FINAL WHERE legal_entity = {entity:String}),
    booked AS
    (
        SELECT
            accounting_period AS month,
            uniqExactIf(source, source_type = 'issued') AS documents,
            uniqExactIf(source, source_type = 'payment') AS payments,
            uniqExactIf(source, source_type = 'entry') AS entries,
            max(source_type = 'accrued' AND source = accounting_period) AS is_accrued
        FROM legs
        GROUP BY accounting_period
        UNION ALL
        SELECT period, 0, 0, 0, 0 FROM closings
    )
SELECT
    booked.month AS month,
    sum(documents) AS documents,
    sum(payments) AS payments,
    sum(entries) AS entries,
    if(max(is_accrued) > 0, 'yes', 'no') AS accrued,
    if(month <= (SELECT max(period) FROM closings), 'closed', 'open') AS state,
    anyIf(closings.person, closings.period != '') AS person,
    if(max(closings.booked_ms) = 0, NULL, fromUnixTimestamp64Milli(max(closings.booked_ms), 'UTC')) AS closed_at
FROM booked
LEFT JOIN closings ON closings.period = booked.month
GROUP BY booked.month
ORDER BY month
"""
_BALANCES: Final = """
WITH
    legs AS (SELECT * FROM journal WHERE legal_entity = {entity:String} AND accounting_period = {period:String}),
    currencies AS (SELECT * FROM ref_currencies)
SELECT
    legs.currency AS currency,
    legs.ledger_account AS ledger_account,
    if(legs.is_memo, 'memo', '') AS memo,
    sum(legs.debit) AS debit,
    sum(legs.credit) AS credit,
    sum(legs.debit - legs.credit) AS balance,
    any(if(currencies.currency = '', 2, currencies.minor_digits)) AS minor_digits
FROM legs
LEFT JOIN currencies ON currencies.currency = legs.currency
GROUP BY legs.currency, legs.ledger_account, legs.is_memo
ORDER BY legs.currency, legs.is_memo, legs.ledger_account
"""


def months_of(store: Store, legal_entity: str) -> Rows:
    """One row a month into which something is booked, or that is closed: how much, whether accrued, by whom closed. Raises UnknownBooks."""
    refuse_unknown(store, legal_entity)
    return store.query(_MONTHS, {"entity": legal_entity})


def balances_of(store: Store, legal_entity: str, period: str) -> Rows:
    """One row a currency and account of the ledger: debit, credit and balance of a month; memos apart. Raises UnknownBooks."""
    refuse_unknown(store, legal_entity, period)
    found = store.query(_BALANCES, {"entity": legal_entity, "period": period})
    rows = [
        (*row[:3], *(Decimal(decimal_text(amount, digits)) for amount in amounts))
        for *row, debit, credit, balance, digits in found.rows
        for amounts in [(debit, credit, balance)]
    ]
    return Rows(found.columns[:-1], rows)
