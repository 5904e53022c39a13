-- One row per price series that a charge is at, and step of it: its price, in the unit and currency of the charge.
-- Nothing without rating_prices WHERE series != ''.
CREATE OR REPLACE TEMPORARY TABLE rating_series
(
    series String, start_ms Int64, end_ms Int64, price Decimal(38, 9)
)
AS
WITH
    asked AS (SELECT series, unit, currency FROM rating_prices WHERE series != ''),
    known AS
    (
        SELECT *
        FROM ref_series_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset AND NOT is_withdrawn
            AND series IN (SELECT series FROM rating_prices WHERE series != '')
    )
SELECT series, starts AS start_ms, starts + step_s * 1000 AS end_ms, price
FROM known
ARRAY JOIN known.start_ms AS starts, known.prices AS price
WHERE complaint = '' AND (series, unit, currency) IN asked
