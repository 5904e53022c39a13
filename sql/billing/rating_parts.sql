-- One row per instant at which a segment begins or ends; the parts of time between them are numbered in order.
CREATE OR REPLACE TEMPORARY TABLE rating_parts
(
    at_ms Int64, part_no UInt32
)
AS
WITH
    bounds AS
    (
        SELECT service_start_ms AS at_ms FROM rating_channels
        UNION DISTINCT
        SELECT service_end_ms AS at_ms FROM rating_channels
    )
SELECT at_ms, toUInt32(row_number() OVER (ORDER BY at_ms)) AS part_no
FROM bounds
