-- One row per account, billing period, charge element and currency on either side, and whether it is charged or withheld: what should be, what was, and
-- the difference. Of `rating_stacked_periods` the sides are stacked and summed, which is a full join without NULLs: a key on one side only is
-- charged or reversed whole; of any other, what should be is the difference. A net claim of a period that ended too long ago is withheld: what was
-- billed stays, the rest of every element is withheld, whatever its sign.
CREATE OR REPLACE TEMPORARY TABLE rating_differences
(
    account String, period_from Date, period_to Date, kind String, element String, supply_point String, channel String, tariff String,
    tariff_version String, band String, service_from Date, service_to Date, currency String, unit String, rate Decimal(38, 9),
    quantity_should Decimal(38, 12), quantity_was Decimal(38, 12), quantity Decimal(38, 12), quantity_estimated Decimal(38, 12),
    amount_should Decimal(38, 4), amount_was Decimal(38, 4), amount Decimal(38, 4), minor_digits UInt8, is_withheld UInt8,
    withheld_reason String, withheld_bearer String, tax_point Nullable(Date), tax_remainder Decimal(38, 21), charge_no UInt32,
    band_no UInt32
)
AS
WITH
    (
        ifNull((SELECT any(back_billing_reason) FROM rating_entity), ''), ifNull((SELECT any(back_billing_bearer) FROM rating_entity), '')
    ) AS limit_words,
    stacked AS
    (
        SELECT
            account, period_from, period_to, element, currency, quantity AS rated_quantity, toDecimal128(0, 12) AS billed_quantity,
            toDecimal128(0, 12) AS withheld_quantity, quantity_estimated, amount AS rated_amount, toDecimal128(0, 4) AS billed_amount,
            toDecimal128(0, 4) AS withheld_amount, 1 AS is_rated, charge_no, band_no,
            (kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, band, service_from, service_to, unit, rate) AS words,
            ('', '') AS withheld_words, tax_point, tax_remainder
        FROM rating_charges
        WHERE (account, period_from) IN (SELECT account, period_from FROM rating_stacked_periods)
        UNION ALL
        SELECT
            account, period_from, period_to, element, currency, toDecimal128(0, 12) AS rated_quantity, quantity AS billed_quantity,
            withheld_quantity, toDecimal128(0, 12) AS quantity_estimated, toDecimal128(0, 4) AS rated_amount, amount AS billed_amount,
            withheld_amount, 0 AS is_rated, 0 AS charge_no, 0 AS band_no, words, (withheld_reason, withheld_bearer) AS withheld_words,
            CAST(NULL, 'Nullable(Date)') AS tax_point, toDecimal128(0, 21) AS tax_remainder
        FROM rating_billed
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
            max(withheld_words) AS withheld_words,
            max(stacked.tax_point) AS tax_point,
            sum(stacked.tax_remainder) AS tax_remainder,
            max(charge_no) AS charge_no,
            max(band_no) AS band_no,
            sum(stacked.rated_quantity) AS rated_quantity,
            sum(stacked.billed_quantity) AS billed_quantity,
            sum(stacked.withheld_quantity) AS withheld_quantity,
            sum(stacked.quantity_estimated) AS quantity_estimated,
            sum(stacked.rated_amount) AS rated_amount,
            sum(stacked.billed_amount) AS billed_amount,
            sum(stacked.withheld_amount) AS withheld_amount
        FROM stacked
        GROUP BY account, period_from, period_to, element, currency
    ),
    decided AS
    (
        SELECT *, (account, period_from, period_to, currency) IN (SELECT account, period_from, period_to, currency FROM rating_late) AS is_late
        FROM summed
    ),
    -- (is it withheld, quantity and amount that should be, and that were)
    parts AS
    (
        SELECT
            *,
            (
                false, if(is_late, billed_quantity, rated_quantity), billed_quantity, if(is_late, billed_amount, rated_amount), billed_amount
            ) AS charged,
            (
                true, if(is_late, rated_quantity - billed_quantity, toDecimal128(0, 12)), withheld_quantity,
                if(is_late, rated_amount - billed_amount, toDecimal128(0, 4)), withheld_amount
            ) AS withheld,
            arrayJoin(if(is_late OR withheld_quantity != 0 OR withheld_amount != 0, [charged, withheld], [charged])) AS part
        FROM decided
    )
SELECT
    charges.account AS account,
    charges.period_from AS period_from,
    charges.period_to AS period_to,
    charges.kind AS kind,
    charges.element AS element,
    charges.supply_point AS supply_point,
    charges.channel AS channel,
    meterfold_tariff(charges.tariff) AS tariff,
    charges.tariff_version AS tariff_version,
    charges.band AS band,
    charges.service_from AS service_from,
    charges.service_to AS service_to,
    charges.currency AS currency,
    charges.unit AS unit,
    charges.rate AS rate,
    charges.quantity AS quantity_should,
    toDecimal128(0, 12) AS quantity_was,
    charges.quantity AS quantity,
    charges.quantity_estimated AS quantity_estimated,
    charges.amount AS amount_should,
    toDecimal128(0, 4) AS amount_was,
    charges.amount AS amount,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits,
    (account, period_from, period_to, charges.currency) IN (SELECT account, period_from, period_to, currency FROM rating_late) AS is_withheld,
    if(is_withheld, limit_words, ('', '')).1 AS withheld_reason,
    if(is_withheld, limit_words, ('', '')).2 AS withheld_bearer,
    charges.tax_point AS tax_point,
    if(is_withheld, toDecimal128(0, 21), charges.tax_remainder) AS tax_remainder,
    -- where it stands in its tariff version, 0 where it does not any more
    charges.charge_no AS charge_no,
    charges.band_no AS band_no
FROM rating_charges AS charges
LEFT JOIN rating_currencies AS currencies ON currencies.currency = charges.currency
-- the first document of a period also shows what was free
WHERE (account, period_from) NOT IN (SELECT account, period_from FROM rating_stacked_periods) AND (charges.amount != 0 OR charges.quantity != 0)

UNION ALL
-- Nothing without rating_stacked_periods.
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
    parts.currency AS currency,
    words.9 AS unit,
    words.10 AS rate,
    part.2 AS quantity_should,
    part.3 AS quantity_was,
    quantity_should - quantity_was AS quantity,
    quantity_estimated,
    part.4 AS amount_should,
    part.5 AS amount_was,
    amount_should - amount_was AS amount,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits,
    part.1 AS is_withheld,
    -- what is taken back from the withheld keeps the words under which it was
    if(is_withheld, if(is_late, limit_words, withheld_words), ('', '')).1 AS withheld_reason,
    if(is_withheld, if(is_late, limit_words, withheld_words), ('', '')).2 AS withheld_bearer,
    tax_point,
    if(is_withheld, toDecimal128(0, 21), tax_remainder) AS tax_remainder,
    charge_no,
    band_no
FROM parts
LEFT JOIN rating_currencies AS currencies ON currencies.currency = parts.currency
-- no difference, no line; the first document of a period also shows what was free
-- what is taxed at nothing is said on a correction too
WHERE amount != 0 OR (words.1 = 'tax' AND words.10 = 0 AND quantity_should != quantity_was)
    OR (quantity_should != 0 AND (account, period_from) NOT IN (SELECT account, period_from FROM rating_billed))
