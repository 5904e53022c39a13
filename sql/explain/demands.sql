-- One row per segment of a demand line: what was measured, the least that is billed, and the highest billed demand of the periods that a ratchet
-- looks back on (NULL: none), with the day the period began.
WITH
    demands AS (SELECT * FROM rating_demands),
    segments AS (SELECT * FROM rating_segments),
    prices AS (SELECT * FROM rating_prices WHERE kind = 'demand'),
    wholes AS (SELECT * FROM rating_wholes),
    placed AS
    (
        SELECT
            demands.billed_pico AS billed_pico, demands.measured_pico AS measured_pico, demands.minimum_pico AS minimum_pico,
            demands.segment AS segment, segments.period_no AS period_no, segments.period_from AS period_from, segments.supply_point AS supply_point,
            segments.service_from AS service_from, segments.service_to AS service_to, segments.service_days AS days,
            if(prices.prorate = 'none', wholes.whole_days, segments.period_days) AS of_days, prices.channel AS channel, prices.charge AS charge, prices.tariff AS tariff,
            prices.tariff_version AS tariff_version, prices.ratchet_share AS ratchet_share, prices.ratchet_months AS ratchet_months
        FROM demands
        INNER JOIN segments ON segments.segment = demands.segment
        INNER JOIN prices ON prices.price = demands.price
        LEFT JOIN wholes
            ON wholes.account = segments.account AND wholes.period_from = segments.period_from AND wholes.supply_point = segments.supply_point
                AND wholes.charge = prices.charge
        WHERE supply_point = {supply_point:String} AND channel = {channel:String} AND charge = {charge:String}
    )
SELECT
    service_from,
    service_to,
    toUInt32(any(days)) AS days,
    toUInt32(any(of_days)) AS of_days,
    reinterpret(toInt128(any(measured_pico)), 'Decimal(38, 12)') AS measured,
    reinterpret(toInt128(any(minimum_pico)), 'Decimal(38, 12)') AS minimum,
    toDecimal128(any(ratchet_share), 9) AS ratchet_share,
    if(
        countIf(is_looked_back_on) = 0, NULL, reinterpret(toInt128(maxIf(earlier_pico, is_looked_back_on)), 'Decimal(38, 12)')
    ) AS highest_before,
    if(countIf(is_looked_back_on) = 0, NULL, argMaxIf(earlier_from, earlier_pico, is_looked_back_on)) AS highest_period_from,
    reinterpret(toInt128(any(billed_pico)), 'Decimal(38, 12)') AS billed
FROM
(
    SELECT
        now.service_from AS service_from,
        now.service_to AS service_to,
        now.days AS days,
        now.of_days AS of_days,
        now.measured_pico AS measured_pico,
        now.minimum_pico AS minimum_pico,
        now.billed_pico AS billed_pico,
        now.ratchet_share AS ratchet_share,
        earlier.billed_pico AS earlier_pico,
        earlier.period_from AS earlier_from,
        earlier.period_no < now.period_no AND earlier.period_no + now.ratchet_months >= now.period_no AS is_looked_back_on
    FROM placed AS now
    CROSS JOIN placed AS earlier
    WHERE now.period_from = {period_from:Date} AND now.tariff = {tariff:String} AND now.tariff_version = {tariff_version:String}
        AND now.service_from >= {service_from:Date} AND now.service_to <= {service_to:Date}
)
GROUP BY service_from, service_to
ORDER BY service_from, service_to
