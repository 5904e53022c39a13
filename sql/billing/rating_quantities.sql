-- One row per segment, metered charge and band (1 where it has none) into which windows fall: its quantity, a demand as it was measured. Counted in
-- 10⁻¹²; on the way in 10⁻¹⁸, where what has no end is cut (towards zero). A charge whose `when` no window of the segment meets has no row.
CREATE OR REPLACE TEMPORARY TABLE rating_quantities
(
    segment UInt32, price UInt64, band_no UInt8, quantity_pico Int256, estimated_pico Int256
)
AS
WITH
    metered AS (SELECT * FROM rating_metered WHERE unit_denominator > 0),
    roles AS
    (
        SELECT
            segment,
            price,
            cell_no,
            kind,
            highest,
            arrayJoin(arrayFilter(
                role -> role.2 != '',
                [(1, channel, if(net = 'interval', minus, '')), (2, if(net = 'period', minus, ''), ''), (3, beyond_channel, '')]
            )) AS role
        FROM metered
    ),
    added AS
    (
        SELECT
            roles.segment AS segment,
            roles.price AS price,
            if(roles.kind = 'energy', cells.cell[roles.cell_no], toUInt8(cells.cell[roles.cell_no] > 0)) AS band_no,
            any(roles.highest) AS highest,
            sumIf(cells.windows, role.1 = 1) AS windows,
            sumIf(toInt256(cells.quantity_nano), role.1 = 1) AS metered_nano,
            sumIf(toInt256(cells.estimated_nano), role.1 = 1) AS estimated_nano,
            sumIf(toInt256(cells.quantity_nano), role.1 = 2) AS minus_nano,
            sumIf(toInt256(cells.quantity_nano), role.1 = 3) AS beyond_nano,
            arraySlice(arrayReverseSort(groupArrayArrayIf(cells.peaks, role.1 = 1 AND roles.kind = 'demand')), 1, highest) AS peaks,
            arraySlice(arrayReverseSort(groupArrayArrayIf(cells.peaks, role.1 = 2 AND roles.kind = 'demand')), 1, highest) AS minus_peaks,
            arraySlice(arrayReverseSort(groupArrayArrayIf(cells.peaks, role.1 = 3 AND roles.kind = 'demand')), 1, highest) AS beyond_peaks
        FROM roles
        INNER JOIN rating_cells AS cells ON cells.segment = roles.segment AND cells.channel = roles.role.2 AND cells.minus = roles.role.3
        GROUP BY roles.segment, roles.price, band_no
        HAVING band_no > 0 AND windows > 0
    ),
    counted AS
    (
        SELECT
            added.segment AS segment,
            added.price AS price,
            added.band_no AS band_no,
            metered.kind AS kind,
            metered.unit_numerator AS unit_numerator,
            metered.unit_denominator AS unit_denominator,
            prices.steps AS steps,
            metered.has_minus AND metered.net = 'period' AS is_net,
            metered.beyond_channel != '' AS is_beyond,
            -- a demand is the mean of the peaks, per hour
            if(
                kind = 'demand',
                intDiv(arraySum(arrayMap(peak -> toInt256(peak.1), peaks)) * toInt256(3600000000000), greatest(metered.grid_s * length(peaks), 1)),
                metered_nano * 1000000000
            ) AS gross,
            multiIf(
                NOT is_net, toInt256(0),
                kind = 'demand',
                intDiv(
                    arraySum(arrayMap(peak -> toInt256(peak.1), minus_peaks)) * toInt256(3600000000000),
                    greatest(metered.minus_grid_s * length(minus_peaks), 1)
                ),
                minus_nano * 1000000000
            ) AS minus_gross,
            multiIf(
                NOT is_beyond, toInt256(0),
                kind = 'demand',
                intDiv(
                    arraySum(arrayMap(peak -> toInt256(peak.1), beyond_peaks)) * toInt256(3600000000000),
                    greatest(metered.beyond_grid_s * length(beyond_peaks), 1)
                ),
                beyond_nano * 1000000000
            ) AS beyond_gross,
            if(kind = 'demand', if(arrayExists(peak -> peak.2, peaks), gross, 0), estimated_nano * 1000000000) AS estimated_gross,
            if(is_net, greatest(toInt256(0), gross - intDiv(minus_gross * metered.minus_numerator, greatest(metered.minus_denominator, 1))), gross)
                AS netted,
            if(
                is_beyond,
                greatest(
                    toInt256(0),
                    netted - intDiv(
                        intDiv(beyond_gross * metered.beyond_numerator, greatest(metered.beyond_denominator, 1))
                            * reinterpret(prices.beyond_share, 'Int128'),
                        1000000000
                    )
                ),
                netted
            ) AS left_over,
            intDiv(left_over * reinterpret(prices.share, 'Int128'), 1000000000) AS shared,
            if(empty(steps), shared, arrayFold(
                (amount, step) -> if(
                    step.3 = 0,
                    if(step.1, intDiv(amount * 1000000000, step.2), intDiv(amount * step.2, 1000000000)),
                    meterfold_in_steps(
                        if(step.1, intDiv(amount * 1000000000, step.2), intDiv(amount * step.2, 1000000000)), greatest(step.3, toInt256(1)), step.4
                    ) * step.3
                ),
                arrayMap(
                    step -> (step.1, greatest(reinterpret(step.2, 'Int256'), toInt256(1)), reinterpret(step.3, 'Int256') * 1000000000, step.4),
                    steps
                ),
                shared
            )) AS stepped
        FROM added
        INNER JOIN metered ON metered.segment = added.segment AND metered.price = added.price
        INNER JOIN rating_prices AS prices ON prices.price = added.price
    )
SELECT
    segment,
    price,
    band_no,
    intDiv(stepped * unit_numerator, toInt256(unit_denominator) * 1000000) AS quantity_pico,
    -- as the quantity, where it is a multiple of what was metered; else in proportion
    multiIf(
        gross = estimated_gross, quantity_pico,
        estimated_gross = 0 OR gross = 0, toInt256(0),
        NOT is_net AND NOT is_beyond AND empty(steps),
        intDiv(intDiv(estimated_gross * shared, gross) * unit_numerator, toInt256(unit_denominator) * 1000000),
        intDiv(quantity_pico * estimated_gross, gross)
    ) AS estimated_pico
FROM counted
