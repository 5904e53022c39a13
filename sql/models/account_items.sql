-- One row per thing that an account has to pay, per currency: a document, a fee or deposit, its opening position; how much was credited and paid, and what is open.
-- Credit notes pay for what they correct (documents of the same period, oldest first), credits that concern a document for that one, payments for what
-- they say. What is left of these pays for what is oldest, credits before payments; what is left then is in no row here.
CREATE OR REPLACE VIEW account_items AS
WITH
    movements AS (SELECT * FROM account_movements WHERE NOT is_cancelled),
    items AS (SELECT * FROM movements WHERE amount > 0 AND kind != 'payment'),
    notes AS
    (
        SELECT account AS note_account, currency AS note_currency, assumeNotNull(period_from) AS note_period, sum(-amount) AS period_credit
        FROM movements
        WHERE kind = 'credit_note'
        GROUP BY note_account, note_currency, note_period
    ),
    -- an empty number: credits that concern nothing
    credits AS
    (
        SELECT account AS credit_account, currency AS credit_currency, if(empty(concerns), '', concerns[1]) AS credit_number, sum(-amount) AS credit
        FROM movements
        WHERE amount < 0 AND kind NOT IN ('credit_note', 'payment')
        GROUP BY credit_account, credit_currency, credit_number
    ),
    received AS (SELECT * FROM payments WHERE NOT is_reversed AND reverses = ''),
    allocated AS
    (
        SELECT account AS paid_account, currency AS paid_currency, pair.1 AS paid_number, sum(pair.2) AS said_paid
        FROM (SELECT account, currency, arrayJoin(arrayZip(allocated_numbers, allocated_amounts)) AS pair FROM received)
        GROUP BY paid_account, paid_currency, paid_number
    ),
    pools AS
    (
        SELECT pool_account, pool_currency, sum(credited_in) AS pool_credits, sum(paid_in) AS pool_payments
        FROM
        (
            SELECT note_account AS pool_account, note_currency AS pool_currency, period_credit AS credited_in, toDecimal128(0, 4) AS paid_in FROM notes
            UNION ALL
            SELECT credit_account AS pool_account, credit_currency AS pool_currency, credit AS credited_in, toDecimal128(0, 4) AS paid_in FROM credits
            UNION ALL
            SELECT account AS pool_account, currency AS pool_currency, toDecimal128(0, 4) AS credited_in, amount AS paid_in FROM received
        )
        GROUP BY pool_account, pool_currency
    ),
    noted AS
    (
        SELECT
            *,
            sum(if(kind = 'invoice', amount, toDecimal128(0, 4))) OVER (
                PARTITION BY account, currency, period_from ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) - amount AS before_in_period,
            if(kind = 'invoice', least(amount, greatest(period_credit - before_in_period, toDecimal128(0, 4))), toDecimal128(0, 4)) AS by_notes
        FROM items
        LEFT JOIN notes
            ON notes.note_account = items.account AND notes.note_currency = items.currency
            AND notes.note_period = ifNull(items.period_from, toDate(0))
    ),
    directed AS
    (
        SELECT
            *,
            least(amount - by_notes, greatest(credit, toDecimal128(0, 4))) AS by_credits,
            least(amount - by_notes - by_credits, greatest(said_paid, toDecimal128(0, 4))) AS by_payments,
            amount - by_notes - by_credits - by_payments AS rest
        FROM noted
        LEFT JOIN credits ON credits.credit_account = noted.account AND credits.credit_currency = noted.currency
            AND credits.credit_number = if(noted.kind = 'invoice', noted.reference, '-')
        LEFT JOIN allocated ON allocated.paid_account = noted.account AND allocated.paid_currency = noted.currency
            AND allocated.paid_number = if(noted.kind = 'invoice', noted.reference, '-')
    ),
    placed AS
    (
        SELECT
            *,
            sum(rest) OVER (
                PARTITION BY account, currency ORDER BY day, place, kind, reference ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) - rest AS rest_before,
            pool_credits - sum(by_notes + by_credits) OVER (PARTITION BY account, currency) AS left_credits,
            pool_payments - sum(by_payments) OVER (PARTITION BY account, currency) AS left_payments,
            greatest(left_credits + left_payments, toDecimal128(0, 4)) AS left_all,
            least(rest, greatest(left_all - rest_before, toDecimal128(0, 4))) AS by_age,
            least(rest, greatest(least(left_credits, left_all) - rest_before, toDecimal128(0, 4))) AS credits_by_age
        FROM directed
        LEFT JOIN pools ON pools.pool_account = directed.account AND pools.pool_currency = directed.currency
    )
SELECT
    legal_entity,
    account,
    currency,
    day,
    place,
    kind,
    reference,
    detail,
    amount,
    by_notes + by_credits + credits_by_age AS credited,
    by_payments + by_age - credits_by_age AS paid,
    amount - credited - paid AS open
FROM placed
