-- Two hardened windows of a channel cover the same time (a read-to-read span that was withdrawn does not count).
WITH
    windows AS (SELECT * FROM current_determinants WHERE NOT is_withdrawn),
    paired AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            end_ms,
            lagInFrame(end_ms, 1, start_ms) OVER (
                PARTITION BY supply_point, channel ORDER BY start_ms, end_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS end_before_ms
        FROM windows
    )
SELECT
    supply_point,
    channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(end_before_ms, 'UTC') AS covered_until_utc
FROM paired
WHERE start_ms < end_before_ms OR end_ms <= start_ms
ORDER BY supply_point, channel, start_ms, end_ms
