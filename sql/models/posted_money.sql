-- One row per leg that payments, entries and opening positions post, debit above zero. An opening position is posted when the portfolio says it, and
-- by its change when the portfolio says another; its month is the first that was open then.
CREATE OR REPLACE VIEW posted_money AS
WITH
    received AS (SELECT * FROM payments),
    booked AS (SELECT * FROM entries),
    accounts AS (SELECT * FROM ref_accounts_history),
    closings AS (SELECT legal_entity, period, billing_offset FROM bill_periods_closed FINAL),
    openings AS
    (
        SELECT
            account,
            version,
            legal_entity,
            currency,
            billing_from,
            known_from_offset,
            if(is_withdrawn, toDecimal128(0, 4), opening_position) AS position_now,
            position_now - lagInFrame(position_now, 1, toDecimal128(0, 4)) OVER (
                PARTITION BY account ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS change
        FROM accounts
    ),
    opened AS
    (
        SELECT
            openings.legal_entity AS legal_entity, openings.account AS account, openings.version AS version, openings.currency AS currency,
            openings.billing_from AS billing_from, openings.change AS change, openings.known_from_offset AS known_from_offset,
            maxIf(closings.period, closings.billing_offset < openings.known_from_offset) AS last_closed
        FROM openings
        LEFT JOIN closings ON closings.legal_entity = openings.legal_entity
        WHERE openings.change != 0
        GROUP BY legal_entity, account, version, currency, billing_from, change, known_from_offset
    )
SELECT
    legal_entity, accounting_period, 'payment/' || payment_id AS posting_id, toUInt32(side) AS leg, false AS is_memo, received_on AS day,
    received_on AS tax_point, if(side = 0, 'bank', 'receivable') AS role, '' AS detail, account, currency, if(side = 0, amount, -amount) AS amount,
    'payment' AS source_type, payment_id AS source, '' AS document_number, billing_offset AS booked_offset
FROM received
ARRAY JOIN [0, 1] AS side

UNION ALL
SELECT
    legal_entity, accounting_period, 'entry/' || entry_id AS posting_id, toUInt32(side) AS leg, false AS is_memo, booked_on AS day,
    booked_on AS tax_point,
    if(side = 0, 'receivable', transform(kind, ['goodwill', 'fee', 'deposit', 'write_off'], ['goodwill', 'fees', 'deposits', 'bad_debt'], kind)) AS role,
    '' AS detail, account, currency, if(side = 0, amount, -amount) AS amount, 'entry' AS source_type, entry_id AS source,
    concerns AS document_number, billing_offset AS booked_offset
FROM booked
ARRAY JOIN [0, 1] AS side

UNION ALL
SELECT
    legal_entity,
    greatest(
        formatDateTime(billing_from, '%Y-%m'),
        if(last_closed = '', '', formatDateTime(addMonths(toDate(last_closed || '-01'), 1), '%Y-%m'))
    ) AS accounting_period,
    'opening/' || account || '/' || toString(version) AS posting_id, toUInt32(side) AS leg, false AS is_memo, billing_from AS day,
    billing_from AS tax_point, if(side = 0, 'receivable', 'opening') AS role, '' AS detail, account, currency,
    if(side = 0, change, -change) AS amount, 'account' AS source_type, account AS source, '' AS document_number,
    known_from_offset AS booked_offset
FROM opened
ARRAY JOIN [0, 1] AS side
