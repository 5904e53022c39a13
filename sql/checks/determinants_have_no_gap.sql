-- Accepted evidence stands between two hardened windows of its channel, and no window covers it (unless its device was configured anew since).
WITH
    windows AS (SELECT supply_point, channel, start_ms, end_ms FROM determinants FINAL),
    reach AS
    (
        SELECT supply_point, channel, min(start_ms) AS first_ms, max(end_ms) AS last_ms FROM windows GROUP BY supply_point, channel
    ),
    restated AS
    (
        SELECT device, raw_partition, max(raw_offset) AS last_offset
        FROM raw_records
        WHERE type IN ('configuration', 'assignment')
        GROUP BY device, raw_partition
    ),
    accepted AS
    (
        SELECT supply_point, channel, start_ms, end_ms, device, raw_partition, raw_offset
        FROM evidence FINAL
        WHERE kind = 'interval' AND verdict IN ('ACCEPTED', 'CORRECTED')
    ),
    inside AS
    (
        SELECT
            accepted.supply_point AS supply_point, accepted.channel AS channel, accepted.start_ms AS start_ms,
            accepted.raw_offset AS raw_offset, restated.last_offset AS last_offset
        FROM accepted
        INNER JOIN reach ON reach.supply_point = accepted.supply_point AND reach.channel = accepted.channel
        LEFT JOIN restated ON restated.device = accepted.device AND restated.raw_partition = accepted.raw_partition
        WHERE accepted.start_ms >= reach.first_ms AND accepted.end_ms <= reach.last_ms
    ),
    covered AS
    (
        SELECT
            inside.supply_point AS supply_point, inside.channel AS channel, inside.start_ms AS start_ms, inside.raw_offset AS raw_offset,
            inside.last_offset AS last_offset, windows.end_ms AS window_end_ms
        FROM inside
        ASOF LEFT JOIN windows
            ON windows.supply_point = inside.supply_point AND windows.channel = inside.channel AND inside.start_ms >= windows.start_ms
    )
SELECT supply_point, channel, fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc, count() AS evidence_rows
FROM covered
WHERE start_ms >= window_end_ms AND raw_offset >= last_offset
GROUP BY supply_point, channel, start_ms
ORDER BY supply_point, channel, start_ms
