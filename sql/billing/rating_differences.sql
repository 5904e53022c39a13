-- One row per account, billing period, charge element and currency on either side: what should be charged, what was, and the difference.
-- The two sides are stacked and summed, which is a full join without NULLs: a key on one side only is charged or reversed whole.
CREATE OR REPLACE TEMPORARY TABLE rating_differences AS
WITH
    rated AS (SELECT * FROM rating_charges),
    billed AS (SELECT * FROM rating_billed),
    currencies AS (SELECT * FROM ref_currencies),
    stacked AS
    (
        SELECT
            account, period_from, period_to, element, currency, quantity AS quantity_should, toDecimal128(0, 12) AS quantity_was,
            quantity_estimated, amount AS amount_should, toDecimal128(0, 4) AS amount_was, 1 AS is_rated, charge_no, band_no,
            (kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, band, service_from, service_to, unit, rate) AS words
        FROM rated
        UNION ALL
        SELECT
            account, period_from, period_to, element, currency, toDecimal128(0, 12) AS quantity_should, quantity AS quantity_was,
            toDecimal128(0, 12) AS quantity_estimated, toDecimal128(0, 4) AS amount_should, amount AS amount_was, 0 AS is_rated,
            0 AS charge_no, 0 AS band_no, words
        FROM billed
    ),
    summed AS
    (
        SELECT
            account,
            period_from,
            period_to,
            element,
            currency,
            argMax(words, is_rated) AS words,
            max(charge_no) AS charge_no,
            max(band_no) AS band_no,
            sum(stacked.quantity_should) AS quantity_should,
            sum(stacked.quantity_was) AS quantity_was,
            sum(stacked.quantity_estimated) AS quantity_estimated,
            sum(stacked.amount_should) AS amount_should,
            sum(stacked.amount_was) AS amount_was
        FROM stacked
        GROUP BY account, period_from, period_to, element, currency
    )
SELECT
    account,
    period_from,
    period_to,
    words.1 AS kind,
    element,
    words.2 AS supply_point,
    words.3 AS channel,
    words.4 AS tariff,
    words.5 AS tariff_version,
    words.6 AS band,
    words.7 AS service_from,
    words.8 AS service_to,
    summed.currency AS currency,
    words.9 AS unit,
    words.10 AS rate,
    quantity_should,
    quantity_was,
    quantity_should - quantity_was AS quantity,
    quantity_estimated,
    amount_should,
    amount_was,
    amount_should - amount_was AS amount,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits,
    -- where it stands in its tariff version, 0 where it does not any more
    charge_no,
    band_no
FROM summed
LEFT JOIN currencies ON currencies.currency = summed.currency
-- no difference, no line; the first document of a period also shows what was free
WHERE amount != 0 OR (quantity_should != 0 AND (account, period_from) NOT IN (SELECT account, period_from FROM billed))
