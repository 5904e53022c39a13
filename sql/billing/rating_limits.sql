-- One row per account, billing period, supply point and minimum or maximum that its charges (rounded, percentages included) do not keep: what it
-- adds, or takes off.
-- Nothing without rating_dues.
CREATE OR REPLACE TEMPORARY TABLE rating_limits
(
    account String, period_from Date, supply_point String, price UInt64, tax_from Date, rate Decimal(38, 9), of_amount Decimal(38, 4),
    limit_days Int256, limit_of_days Int256, lacking Int256, amount Decimal(38, 4)
)
AS
WITH
    limited AS
    (
        SELECT account, period_from, supply_point, tariff, tariff_version, tax_from, charge, amount FROM rating_base_charges
        UNION ALL
        SELECT account, period_from, supply_point, tariff, tariff_version, tax_from, charge, amount FROM rating_percentages
    )
SELECT
    due.account AS account, due.period_from AS period_from, due.supply_point AS supply_point, due.price AS price,
    due.tax_from AS tax_from, any(due.rate) AS rate,
    sumIf(limited.amount, is_of_all OR has(of_charges, limited.charge)) AS of_amount,
    toInt256(any(due.days)) AS limit_days,
    if(any(prorate) = 'days', toInt256(any(due.of_days)), any(due.whole_days)) AS limit_of_days,
    toInt256(reinterpret(rate, 'Int128')) * 1000000000000 * limit_days
        - toInt256(reinterpret(of_amount, 'Int128')) * 100000000000000000 * limit_of_days AS lacking,
    reinterpret(
        toInt128(meterfold_in_steps(
            if(any(due.kind) = 'minimum', greatest(lacking, toInt256(0)), least(lacking, toInt256(0))),
            any(step) * limit_of_days, any(round_mode)
        ) * intDiv(any(step), 100000000000000000)),
        'Decimal(38, 4)'
    ) AS amount
FROM rating_dues AS due
LEFT JOIN limited
    ON limited.account = due.account AND limited.period_from = due.period_from AND limited.supply_point = due.supply_point
        AND limited.tariff = due.tariff AND limited.tariff_version = due.tariff_version
        AND limited.tax_from = due.tax_from
WHERE due.kind != 'percentage'
GROUP BY due.account, due.period_from, due.supply_point, due.price, due.tax_from
HAVING amount != 0
