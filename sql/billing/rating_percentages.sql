-- One row per account, billing period, supply point and percentage: of the sum of the rounded amounts that it names, rounded itself.
-- Nothing without rating_dues.
CREATE OR REPLACE TEMPORARY TABLE rating_percentages AS
WITH
    base AS (SELECT * FROM rating_base_charges),
    due AS (SELECT * FROM rating_dues)
SELECT
    due.account AS account, due.period_from AS period_from, due.supply_point AS supply_point, due.price AS price, due.tariff AS tariff,
    due.tariff_version AS tariff_version, due.charge AS charge, due.tax_from AS tax_from,
    sumIf(base.amount, is_of_all OR has(of_charges, base.charge)) AS of_amount,
    reinterpret(
        toInt128(meterfold_in_steps(
            toInt256(reinterpret(of_amount, 'Int128')) * reinterpret(any(due.rate), 'Int128') * 100000000, any(step), any(round_mode)
        ) * intDiv(any(step), 100000000000000000)),
        'Decimal(38, 4)'
    ) AS amount
FROM due
INNER JOIN base
    ON base.account = due.account AND base.period_from = due.period_from AND base.supply_point = due.supply_point
        AND base.tariff = due.tariff AND base.tariff_version = due.tariff_version AND base.tax_from = due.tax_from
WHERE due.kind = 'percentage'
GROUP BY account, period_from, supply_point, price, tariff, tariff_version, charge, tax_from
