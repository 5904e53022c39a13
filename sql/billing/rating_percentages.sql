-- One row per account, billing period, supply point and percentage: of the sum of the rounded amounts that it names, rounded itself. A
-- share by the power factor P / √(P² + Q²) of the sums of active and reactive energy is that of the first bound it is below: squares are compared.
-- Nothing without rating_dues.
CREATE OR REPLACE TEMPORARY TABLE rating_percentages
(
    account String, period_from Date, supply_point String, price UInt64, tariff String, tariff_version String, charge String,
    tax_from Date, rate Decimal(38, 9), of_amount Decimal(38, 4), amount Decimal(38, 4)
)
AS
WITH
    due AS (SELECT * FROM rating_dues WHERE kind = 'percentage'),
    factored AS
    (
        SELECT
            segment, price, role.1 AS is_active, role.2 AS channel,
            toInt256(if(is_active, beyond_denominator, beyond_numerator)) AS size
        FROM rating_metered
        ARRAY JOIN [(true, rating_metered.channel), (false, rating_metered.beyond_channel)] AS role
        WHERE kind = 'percentage'
    ),
    energies AS
    (
        SELECT
            segments.account AS account, segments.period_from AS period_from, segments.supply_point AS supply_point,
            segments.tax_from AS tax_from, factored.price AS price,
            sumIf(cells.quantity_nano * factored.size, factored.is_active) AS active,
            sumIf(cells.quantity_nano * factored.size, NOT factored.is_active) AS reactive
        FROM factored
        INNER JOIN (SELECT segment, channel, toInt256(quantity_nano) AS quantity_nano FROM rating_cells WHERE minus = '') AS cells
            ON cells.segment = factored.segment AND cells.channel = factored.channel
        INNER JOIN rating_segments AS segments ON segments.segment = factored.segment
        GROUP BY account, period_from, supply_point, tax_from, price
    ),
    shares AS
    (
        SELECT
            due.account AS account, due.period_from AS period_from, due.supply_point AS supply_point, due.tax_from AS tax_from, due.price AS price,
            if(
                prices.has_power_factor,
                arrayFirst(
                    row -> active * active * 1000000000000000000 < row.1 * row.1 * (active * active + reactive * reactive), prices.power_factors
                ).2,
                toInt256(reinterpret(due.rate, 'Int128'))
            ) AS share_nano
        FROM due
        INNER JOIN (SELECT price, has_power_factor, power_factors FROM rating_prices) AS prices ON prices.price = due.price
        LEFT JOIN energies
            ON energies.account = due.account AND energies.period_from = due.period_from AND energies.supply_point = due.supply_point
                AND energies.tax_from = due.tax_from AND energies.price = due.price
    )
SELECT
    due.account AS account, due.period_from AS period_from, due.supply_point AS supply_point, due.price AS price, due.tariff AS tariff,
    due.tariff_version AS tariff_version, due.charge AS charge, due.tax_from AS tax_from,
    reinterpret(toInt128(any(shares.share_nano)), 'Decimal(38, 9)') AS rate,
    sumIf(base.amount, due.is_of_all OR has(due.of_charges, base.charge)) AS of_amount,
    reinterpret(
        toInt128(meterfold_in_steps(
            toInt256(reinterpret(of_amount, 'Int128')) * any(shares.share_nano) * 100000000, any(due.step), any(due.round_mode)
        ) * intDiv(any(due.step), 100000000000000000)),
        'Decimal(38, 4)'
    ) AS amount
FROM due
INNER JOIN shares
    ON shares.account = due.account AND shares.period_from = due.period_from AND shares.supply_point = due.supply_point
        AND shares.tax_from = due.tax_from AND shares.price = due.price
INNER JOIN rating_base_charges AS base
    ON base.account = due.account AND base.period_from = due.period_from AND base.supply_point = due.supply_point
        AND base.tariff = due.tariff AND base.tariff_version = due.tariff_version AND base.tax_from = due.tax_from
GROUP BY account, period_from, supply_point, price, tariff, tariff_version, charge, tax_from
