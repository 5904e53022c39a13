-- One row per standing window, from eight weeks before a segment on, of a channel that its tariff version bills also where it does not know: what estimates
-- are made of. That is so from `estimate_after_days` after the end of the period on, by UTC. Read-to-read spans are never estimated.
-- Nothing without rating_segments WHERE estimate_after_days IS NOT NULL.
CREATE OR REPLACE TEMPORARY TABLE rating_history
(
    supply_point LowCardinality(String), channel LowCardinality(String), start_ms Int64, end_ms Int64, local_ms Int64,
    quantity_nano Int256, is_missing UInt8
)
AS
WITH
    exact AS (SELECT segment, channel FROM rating_exact),
    clocks AS
    (
        SELECT supply_point, any(offset_from_ms) AS offset_from_ms, any(offset_s) AS offset_s
        FROM rating_tenancies
        WHERE notEmpty(rating_tenancies.offset_s)
        GROUP BY supply_point
    ),
    segments AS
    (
        SELECT segment
        FROM rating_segments
        WHERE estimate_after_days IS NOT NULL
            AND (toInt64(toInt32(period_to)) + assumeNotNull(estimate_after_days)) * 86400000 <= {as_of_ms:Int64}
    ),
    channels AS
    (
        SELECT supply_point, channel, min(service_start_ms) - 57 * 86400000 AS from_ms
        FROM rating_channels
        WHERE channel_kind != 'spans' AND (segment, channel) IN exact AND segment IN segments
        GROUP BY supply_point, channel
    ),
    windows AS
    (
        SELECT supply_point, channel, start_ms, end_ms, quantity_nano, n_missing > 0 AS is_missing
        FROM determinants_within_frontier(partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)})
        WHERE (supply_point, channel) IN (SELECT supply_point, channel FROM channels) AND NOT is_withdrawn
    )
SELECT
    windows.supply_point AS supply_point,
    windows.channel AS channel,
    windows.start_ms AS start_ms,
    windows.end_ms AS end_ms,
    windows.start_ms + toInt64(clocks.offset_s[arrayLastIndex(begins_ms -> begins_ms <= windows.start_ms, clocks.offset_from_ms)]) * 1000 AS local_ms,
    toInt256(windows.quantity_nano) AS quantity_nano,
    windows.is_missing AS is_missing
FROM windows
INNER JOIN channels ON channels.supply_point = windows.supply_point AND channels.channel = windows.channel
INNER JOIN clocks ON clocks.supply_point = windows.supply_point
WHERE windows.end_ms > channels.from_ms
