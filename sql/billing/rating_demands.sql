-- One row per segment and demand charge, with what is billed and why, in 10⁻¹² of its unit: the greatest of what was measured, the minimum, and the
-- ratchet: a share of the highest billed demand of the charge (by its name) in the `months` periods before, which may have been a ratchet itself.
-- Nothing without rating_prices WHERE kind = 'demand'.
CREATE OR REPLACE TEMPORARY TABLE rating_demands
(
    segment UInt32, price UInt64, measured_pico Int256, estimated_pico Int256, minimum_pico Int256, billed_pico Int256
)
AS
WITH
    prices AS (SELECT * FROM rating_prices WHERE kind = 'demand'),
    segments AS (SELECT segment, account, supply_point, period_no, numbers, service_from FROM rating_segments),
    measured AS
    (
        SELECT
            quantities.segment AS segment,
            quantities.price AS price,
            segments.account AS account,
            segments.supply_point AS supply_point,
            segments.period_no AS period_no,
            prices.channel AS channel,
            prices.charge AS charge,
            -- beyond what is agreed
            if(
                prices.number = '', quantities.quantity_pico,
                greatest(toInt256(0), quantities.quantity_pico - meterfold_number(prices.number, segments.numbers, segments.service_from) * 1000)
            ) AS measured_pico,
            least(quantities.estimated_pico, greatest(toInt256(0), measured_pico)) AS estimated_pico,
            reinterpret(prices.minimum, 'Int256') * 1000 AS minimum_pico,
            prices.has_ratchet AS has_ratchet,
            reinterpret(prices.ratchet_share, 'Int256') AS ratchet_share_nano,
            prices.ratchet_months AS ratchet_months
        FROM rating_quantities AS quantities
        INNER JOIN prices ON prices.price = quantities.price
        INNER JOIN segments ON segments.segment = quantities.segment
    ),
    histories AS
    (
        SELECT
            arraySort(groupArray((
                toInt64(period_no), segment, price, greatest(measured_pico, minimum_pico), if(has_ratchet, ratchet_share_nano, toInt256(0)),
                toInt64(ratchet_months)
            ))) AS rows,
            arrayFold(
                (billed, row) -> arrayPushBack(
                    billed,
                    (
                        row.1,
                        greatest(
                            row.4,
                            intDiv(
                                arrayMax(arrayPushBack(
                                    arrayMap(
                                        before -> if(before.1 < row.1 AND before.1 >= row.1 - row.6, before.2, toInt256(0)), billed
                                    ),
                                    toInt256(0)
                                )) * row.5,
                                1000000000
                            )
                        )
                    )
                ),
                rows,
                CAST([], 'Array(Tuple(Int64, Int256))')
            ) AS billed
        FROM measured
        GROUP BY account, supply_point, channel, charge
        HAVING max(has_ratchet)
    ),
    ratcheted AS
    (
        SELECT row.2 AS segment, row.3 AS price, now_billed.2 AS billed_pico
        FROM histories
        ARRAY JOIN rows AS row, billed AS now_billed
    )
SELECT
    measured.segment AS segment,
    measured.price AS price,
    measured.measured_pico AS measured_pico,
    measured.estimated_pico AS estimated_pico,
    measured.minimum_pico AS minimum_pico,
    greatest(measured.measured_pico, measured.minimum_pico, ratcheted.billed_pico) AS billed_pico
FROM measured
LEFT JOIN ratcheted ON ratcheted.segment = measured.segment AND ratcheted.price = measured.price
