-- One row per segment and charge at the prices of a series: the sum of each window's quantity times its price, in 10⁻¹⁸ of the channel's unit times
-- the currency; and the windows that have no price, with the first of them.
-- Nothing without rating_windows.
CREATE OR REPLACE TEMPORARY TABLE rating_valued
(
    segment UInt32, price UInt64, series String, value Int256, unpriced_windows UInt64, first_unpriced_ms Int64, unpriced_until_ms Int64
)
AS
WITH
    charges AS (SELECT price AS price_no, series AS series_name FROM rating_prices WHERE series != ''),
    asked AS
    (
        SELECT metered.segment AS segment, metered.price AS price_no, metered.channel AS channel, metered.minus AS minus, charges.series_name AS series_name
        FROM (SELECT segment, price, channel, if(net = 'interval', rating_metered.minus, '') AS minus FROM rating_metered) AS metered
        INNER JOIN charges ON charges.price_no = metered.price
    ),
    windows AS
    (
        SELECT asked.segment AS segment, asked.price_no AS price_no, asked.series_name AS series_name, standing.start_ms AS at_ms,
            standing.end_ms AS until_ms, standing.quantity_nano AS quantity_nano
        FROM rating_windows AS standing
        INNER JOIN asked ON asked.segment = standing.segment AND asked.channel = standing.channel AND asked.minus = standing.minus
    )
SELECT
    segment,
    price_no AS price,
    any(series_name) AS series,
    sum(toInt256(quantity_nano) * if(has_price, reinterpret(window_price, 'Int128'), 0)) AS value,
    countIf(NOT has_price) AS unpriced_windows,
    minIf(at_ms, NOT has_price) AS first_unpriced_ms,
    maxIf(until_ms, NOT has_price) AS unpriced_until_ms
FROM
(
    SELECT
        windows.segment AS segment, windows.price_no AS price_no, windows.series_name AS series_name, windows.at_ms AS at_ms,
        windows.until_ms AS until_ms, windows.quantity_nano AS quantity_nano, series.price AS window_price,
        series.series != '' AND series.end_ms >= windows.until_ms AS has_price
    FROM windows
    ASOF LEFT JOIN rating_series AS series ON series.series = windows.series_name AND windows.at_ms >= series.start_ms
)
GROUP BY segment, price_no
