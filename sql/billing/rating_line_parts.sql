-- One row per segment, charge and band or tier that has a price of its own: what it adds to its line. amount = amount_numerator / amount_denominator
-- × 10⁻²¹, exactly: nothing is rounded here. above and up_to: the bounds of a tier, as they stand for the segment. A demand, a fee
-- or a price per month of a segment stands in proportion to its days in the calendar period, or, where it is taken whole, in those that share it.
CREATE OR REPLACE TEMPORARY TABLE rating_line_parts
(
    segment UInt32, price UInt64, band_no UInt32, label String, band String, unit String, rate Decimal(38, 9), quantity_pico Int256,
    estimated_pico Int256, above_pico Int256, up_to_pico Nullable(Int256), fee Decimal(38, 9), amount_numerator Int256,
    amount_denominator Int256
)
AS
WITH
    -- of tiers whose bounds are per demand of another charge
    bounded AS
    (
        SELECT prices.price AS price, other.price AS demand_price
        FROM (SELECT * FROM rating_prices WHERE bounds_of != '') AS prices
        INNER JOIN (SELECT * FROM rating_prices WHERE kind = 'demand') AS other
            ON other.tariff = prices.tariff AND other.tariff_version = prices.tariff_version AND other.charge = prices.bounds_of
    ),
    bound_demands AS
    (
        SELECT demands.segment AS segment, bounded.price AS price, demands.billed_pico AS billed_pico
        FROM rating_demands AS demands
        INNER JOIN bounded ON bounded.demand_price = demands.price
    ),
    metered AS (SELECT segment, price, line_unit, unit_numerator, unit_denominator FROM rating_metered),
    used AS
    (
        SELECT
            quantities.segment AS segment,
            quantities.price AS price,
            quantities.band_no AS band_no,
            quantities.quantity_pico AS quantity_pico,
            quantities.estimated_pico AS estimated_pico,
            prices.kind AS kind,
            toInt256(segments.service_days) AS days,
            if(prices.prorate = 'days', toInt256(segments.period_days), greatest(wholes.whole_days, toInt256(1))) AS of_days,
            segments.service_days AS service_days,
            prices.band_names AS band_names,
            prices.band_rates AS band_rates,
            prices.scheme AS scheme,
            prices.bounds AS bounds,
            -- what a bound is per, in 10⁻¹²
            multiIf(
                bounds = 'demand', bound_demands.billed_pico,
                bounds = 'number', meterfold_number(prices.number, segments.numbers, segments.service_from) * 1000,
                toInt256(1000000000000)
            ) AS bound_pico,
            prices.tier_names AS tier_names,
            prices.tier_rates AS tier_rates,
            prices.tier_fees AS tier_fees,
            prices.tier_bounds AS tier_bounds,
            metered.line_unit AS line_unit,
            prices.series AS series,
            -- windows times prices, in 10⁻²¹ × series_denominator
            valued.value * reinterpret(prices.share, 'Int128') * reinterpret(prices.series_times, 'Int128') * metered.unit_numerator
                + quantities.quantity_pico * reinterpret(prices.series_plus, 'Int128') * series_denominator AS series_numerator,
            toInt256(metered.unit_denominator) * 1000000000000000 AS series_denominator
        FROM rating_quantities AS quantities
        INNER JOIN rating_prices AS prices ON prices.price = quantities.price
        INNER JOIN rating_segments AS segments ON segments.segment = quantities.segment
        INNER JOIN metered ON metered.segment = quantities.segment AND metered.price = quantities.price
        LEFT JOIN rating_wholes AS wholes
            ON wholes.account = segments.account AND wholes.period_from = segments.period_from AND wholes.supply_point = segments.supply_point
                AND wholes.charge = prices.charge
        LEFT JOIN bound_demands ON bound_demands.segment = quantities.segment AND bound_demands.price = quantities.price
        LEFT JOIN rating_valued AS valued ON valued.segment = quantities.segment AND valued.price = quantities.price
        WHERE kind IN ('energy', 'tiers')
    ),
    tiered AS
    (
        SELECT
            *,
            -- a bound in proportion is cut after nine places
            arrayMap(
                bound -> if(
                    bounds = 'day', reinterpret(bound, 'Int256') * service_days,
                    intDiv(reinterpret(bound, 'Int256') * bound_pico * days, of_days * 1000000000000)
                ) * 1000,
                tier_bounds
            ) AS highs,
            -- what lies on a bound belongs to the tier below
            arrayPushBack(highs, greatest(quantity_pico, toInt256(0)) + if(empty(highs), toInt256(0), highs[-1])) AS all_highs,
            arrayFirstIndex(high -> quantity_pico <= high, all_highs) AS reached,
            tier_no
        FROM used
        ARRAY JOIN arrayEnumerate(tier_names) AS tier_no
        WHERE kind = 'tiers' AND if(scheme = 'volume', tier_no = reached, tier_no <= reached)
    )
SELECT
    segment, price, toUInt32(band_no) AS band_no, if(length(band_names) > 1, band_names[band_no], '') AS label, band_names[band_no] AS band,
    line_unit AS unit, band_rates[band_no] AS rate, quantity_pico, estimated_pico,
    toInt256(0) AS above_pico, CAST(NULL, 'Nullable(Int256)') AS up_to_pico, toDecimal128(0, 9) AS fee,
    if(series = '', quantity_pico * reinterpret(band_rates[band_no], 'Int128'), series_numerator) AS amount_numerator,
    if(series = '', toInt256(1), series_denominator) AS amount_denominator
FROM used
WHERE kind = 'energy'

UNION ALL
-- Nothing without rating_prices WHERE kind = 'tiers'.
SELECT
    segment, price, tier_no AS band_no, if(length(tier_names) > 1, tier_names[tier_no], '') AS label, tier_names[tier_no] AS band,
    line_unit AS unit, tier_rates[tier_no] AS rate,
    if(scheme = 'volume', tiered.quantity_pico, least(tiered.quantity_pico, all_highs[tier_no]) - if(tier_no = 1, toInt256(0), highs[tier_no - 1]))
        AS quantity_pico,
    if(tiered.quantity_pico = 0, toInt256(0), intDiv(tiered.estimated_pico * quantity_pico, tiered.quantity_pico)) AS estimated_pico,
    if(tier_no = 1, toInt256(0), highs[tier_no - 1]) AS above_pico, if(tier_no > length(highs), NULL, highs[tier_no]) AS up_to_pico,
    tier_fees[tier_no] AS fee,
    quantity_pico * reinterpret(rate, 'Int128') * of_days + toInt256(reinterpret(tier_fees[tier_no], 'Int128')) * 1000000000000 * days
        AS amount_numerator,
    of_days AS amount_denominator
FROM tiered

UNION ALL
-- Nothing without rating_demands.
SELECT
    demands.segment AS segment, demands.price AS price, 1 AS band_no, '' AS label, '' AS band, metered.line_unit AS unit, prices.rate AS rate,
    intDiv(billed_pico * days, of_days) AS quantity_pico,
    if(billed_pico = measured_pico, intDiv(demands.estimated_pico * days, of_days), toInt256(0)) AS estimated_pico,
    toInt256(0) AS above_pico, NULL AS up_to_pico, toDecimal128(0, 9) AS fee,
    billed_pico * reinterpret(rate, 'Int128') * (toInt256(segments.service_days) AS days) AS amount_numerator,
    toInt256(if(prices.prorate = 'days', toInt256(segments.period_days), greatest(wholes.whole_days, toInt256(1))) AS of_days)
        AS amount_denominator
FROM rating_demands AS demands
INNER JOIN rating_prices AS prices ON prices.price = demands.price
INNER JOIN rating_segments AS segments ON segments.segment = demands.segment
INNER JOIN metered ON metered.segment = demands.segment AND metered.price = demands.price
LEFT JOIN rating_wholes AS wholes
    ON wholes.account = segments.account AND wholes.period_from = segments.period_from AND wholes.supply_point = segments.supply_point
        AND wholes.charge = prices.charge

UNION ALL
-- Nothing without rating_prices WHERE kind = 'standing'.
SELECT
    segment, price, 1 AS band_no, '' AS label, '' AS band,
    multiIf(number_unit != '', number_unit, number != '', number, per) AS unit, rate,
    intDiv(number_nano * 1000 * days, of_days) AS quantity_pico, toInt256(0) AS estimated_pico,
    toInt256(0) AS above_pico, NULL AS up_to_pico, toDecimal128(0, 9) AS fee,
    toInt256(reinterpret(rate, 'Int128')) * number_nano * 1000 * days AS amount_numerator, of_days AS amount_denominator
FROM
(
    SELECT
        stretches.segment AS segment, stretches.service_days AS service_days, wholes.whole_days AS whole_days,
        stretches.period_days AS period_days, prices.price AS price, prices.per AS per, prices.prorate AS prorate, prices.rate AS rate,
        prices.number AS number, prices.number_unit AS number_unit,
        if(prices.number = '', toInt256(1000000000), meterfold_number(prices.number, stretches.numbers, stretches.service_from)) AS number_nano,
        toStartOfYear(stretches.service_from) AS year,
        toInt256(dateDiff('day', year, addYears(year, 1))) AS year_days,
        toInt256(dateDiff('day', addYears(year, 1), addYears(year, 2))) AS next_days,
        toInt256(greatest(0, dateDiff('day', addYears(year, 1), stretches.service_to))) AS days_in_next,
        -- a year's price is by the days of each year, or a twelfth of it a period
        toInt256(multiIf(
            per = 'year' AND prorate = 'days', (service_days - days_in_next) * next_days + days_in_next * year_days,
            toInt256(service_days)
        )) AS days,
        toInt256(multiIf(
            per = 'year' AND prorate = 'days', year_days * next_days,
            per = 'year', whole_days * 12,
            per = 'day', toInt256(1),
            prorate = 'days', toInt256(period_days),
            whole_days
        )) AS of_days
    FROM rating_segments AS stretches
    INNER JOIN (SELECT * FROM rating_prices WHERE kind = 'standing') AS prices
        ON prices.tariff = stretches.tariff AND prices.tariff_version = stretches.tariff_version
    LEFT JOIN rating_wholes AS wholes
        ON wholes.account = stretches.account AND wholes.period_from = stretches.period_from AND wholes.supply_point = stretches.supply_point
            AND wholes.charge = prices.charge
)
