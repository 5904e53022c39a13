-- One row per account, billing period, currency and tax (name and rate): on the sum of the rounded net amounts that its tariff versions name, and on
-- the amounts of taxes before it that they name, one after the other. Rounded once. `is_circular`: a tax that it is on does not come before it.
-- Nothing without rating_taxes.
CREATE OR REPLACE TEMPORARY TABLE rating_tax_charges AS
WITH
    charges AS (SELECT * FROM rating_net_charges),
    taxes AS (SELECT * FROM rating_taxes WHERE complaint = ''),
    currencies AS (SELECT * FROM ref_currencies),
    taxed AS
    (
        SELECT
            charges.account AS account, charges.period_from AS period_from, charges.period_to AS period_to, charges.currency AS currency,
            taxes.tax AS tax, taxes.rate_text AS rate_text, taxes.rate AS rate,
            min(charges.service_from) AS service_from, max(charges.service_to) AS service_to,
            sumIf(charges.amount, empty(taxes.of_charges) OR has(taxes.of_charges, charges.charge)) AS of_amount,
            max(taxes.tax_no) AS tax_no,
            groupUniqArrayArray(taxes.on_taxes) AS on_taxes,
            argMax((taxes.has_rounding, taxes.round_to, taxes.round_mode), (taxes.effective_from, taxes.tariff, taxes.tariff_version)) AS rounding
        FROM charges
        INNER JOIN taxes ON taxes.tariff = charges.tariff AND taxes.tariff_version = charges.tariff_version
        GROUP BY account, period_from, period_to, currency, tax, rate_text, rate
    ),
    stepped AS
    (
        SELECT
            taxed.*,
            if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
            if(rounding.1, reinterpret(rounding.2, 'Int256') * 1000000000000, toInt256(intExp10(19 - digits)) * 100) AS step
        FROM taxed
        LEFT JOIN currencies ON currencies.currency = taxed.currency
    ),
    rowed AS
    (
        SELECT
            account,
            period_from,
            period_to,
            currency,
            arraySort(groupArray((
                tax_no, tax, rate_text, toInt256(reinterpret(of_amount, 'Int128')), toInt256(reinterpret(rate, 'Int128')), on_taxes, step,
                rounding.3, service_from, service_to, rate
            ))) AS rows,
            -- (name, rate, base, amount), both in 10⁻⁴
            arrayFold(
                (billed, row) -> arrayPushBack(
                    billed,
                    (
                        row.2, row.3,
                        row.4 + arraySum(arrayMap(before -> if(has(row.6, (before.1, before.2)), before.4, toInt256(0)), billed)),
                        meterfold_in_steps(
                            (row.4 + arraySum(arrayMap(before -> if(has(row.6, (before.1, before.2)), before.4, toInt256(0)), billed)))
                                * row.5 * 100000000,
                            row.7, row.8
                        ) * intDiv(row.7, 100000000000000000)
                    )
                ),
                rows,
                CAST([], 'Array(Tuple(String, String, Int256, Int256))')
            ) AS amounts
        FROM stepped
        GROUP BY account, period_from, period_to, currency
    )
SELECT
    account,
    period_from,
    period_to,
    currency,
    row.2 AS tax,
    row.3 AS rate_text,
    row.9 AS service_from,
    row.10 AS service_to,
    row.11 AS rate,
    place,
    reinterpret(toInt128(billed.3), 'Decimal(38, 4)') AS base,
    reinterpret(toInt128(billed.4), 'Decimal(38, 4)') AS amount,
    NOT hasAll(arrayMap(before -> (before.1, before.2), arraySlice(amounts, 1, place - 1)), row.6) AS is_circular
FROM rowed
ARRAY JOIN rows AS row, amounts AS billed, arrayEnumerate(rows) AS place
