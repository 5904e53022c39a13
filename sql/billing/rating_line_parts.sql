-- One row per segment, charge and band or tier that has a price of its own: what it adds to its line. amount = amount_numerator / amount_denominator
-- × 10⁻²¹, exactly: nothing is rounded here. above and up_to: the bounds of a tier, as they stand for the segment. A demand, a fee
-- or a price per month of a segment stands in proportion to its days, unless told not to; where a tax alone cut it, in proportion to its part.
CREATE OR REPLACE TEMPORARY TABLE rating_line_parts AS
WITH
    quantities AS (SELECT * FROM rating_quantities),
    demands AS (SELECT * FROM rating_demands),
    prices AS (SELECT * FROM rating_prices),
    valued AS (SELECT * FROM rating_valued),
    metered AS (SELECT segment, price, line_unit, unit_numerator, unit_denominator FROM rating_metered),
    segments AS (SELECT segment, tariff, tariff_version, service_days, period_days, whole_days FROM rating_segments),
    used AS
    (
        SELECT
            quantities.segment AS segment,
            quantities.price AS price,
            quantities.band_no AS band_no,
            quantities.quantity_pico AS quantity_pico,
            quantities.estimated_pico AS estimated_pico,
            prices.kind AS kind,
            prices.prorate = 'days' AS is_prorated,
            toInt256(if(is_prorated OR segments.whole_days != segments.service_days, segments.service_days, 1)) AS days,
            toInt256(multiIf(is_prorated, segments.period_days, segments.whole_days != segments.service_days, segments.whole_days, 1)) AS of_days,
            segments.service_days AS service_days,
            prices.band_names AS band_names,
            prices.band_rates AS band_rates,
            prices.scheme AS scheme,
            prices.bounds AS bounds,
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
        FROM quantities
        INNER JOIN prices ON prices.price = quantities.price
        INNER JOIN segments ON segments.segment = quantities.segment
        INNER JOIN metered ON metered.segment = quantities.segment AND metered.price = quantities.price
        LEFT JOIN valued ON valued.segment = quantities.segment AND valued.price = quantities.price
        WHERE kind IN ('energy', 'tiers')
    ),
    tiered AS
    (
        SELECT
            *,
            -- a bound in proportion is cut after nine places
            arrayMap(
                bound -> if(bounds = 'day', reinterpret(bound, 'Int256') * service_days, intDiv(reinterpret(bound, 'Int256') * days, of_days)) * 1000,
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
SELECT
    demands.segment AS segment, demands.price AS price, 1 AS band_no, '' AS label, '' AS band, metered.line_unit AS unit, prices.rate AS rate,
    intDiv(billed_pico * days, of_days) AS quantity_pico,
    if(billed_pico = measured_pico, intDiv(demands.estimated_pico * days, of_days), toInt256(0)) AS estimated_pico,
    toInt256(0) AS above_pico, NULL AS up_to_pico, toDecimal128(0, 9) AS fee,
    billed_pico * reinterpret(rate, 'Int128')
        * toInt256(if(prices.prorate = 'days' OR segments.whole_days != segments.service_days, segments.service_days, 1) AS days) AS amount_numerator,
    toInt256(multiIf(
        prices.prorate = 'days', segments.period_days, segments.whole_days != segments.service_days, segments.whole_days, 1
    ) AS of_days) AS amount_denominator
FROM demands
INNER JOIN prices ON prices.price = demands.price
INNER JOIN segments ON segments.segment = demands.segment
INNER JOIN metered ON metered.segment = demands.segment AND metered.price = demands.price

UNION ALL
SELECT
    segments.segment AS segment, prices.price AS price, 1 AS band_no, '' AS label, '' AS band, prices.per AS unit, prices.rate AS rate,
    intDiv(toInt256(1000000000000) * days, of_days) AS quantity_pico, toInt256(0) AS estimated_pico,
    toInt256(0) AS above_pico, NULL AS up_to_pico, toDecimal128(0, 9) AS fee,
    toInt256(reinterpret(rate, 'Int128')) * 1000000000000 * toInt256(if(
        prices.per = 'day' OR prices.prorate = 'days' OR segments.whole_days != segments.service_days, segments.service_days, 1
    ) AS days) AS amount_numerator,
    toInt256(multiIf(
        prices.per = 'day', 1, prices.prorate = 'days', segments.period_days, segments.whole_days != segments.service_days, segments.whole_days, 1
    ) AS of_days) AS amount_denominator
FROM segments
INNER JOIN prices ON prices.tariff = segments.tariff AND prices.tariff_version = segments.tariff_version
WHERE prices.kind = 'standing'
