-- One row per supply point, channel and slot whose highest window may have been adjusted: the windows that were (`changed`: start and end).
-- Nothing without rating_adjusted.
CREATE OR REPLACE TEMPORARY TABLE rating_doubts
(
    supply_point LowCardinality(String), channel LowCardinality(String), slot UInt32, changed Array(Tuple(Int64, Int64))
)
AS
WITH
    asked AS (SELECT DISTINCT supply_point, channel FROM rating_streams WHERE has_demand AND NOT is_exact)
SELECT
    adjusted.supply_point AS supply_point,
    adjusted.channel AS channel,
    adjusted.slot AS slot,
    groupArray((adjusted.start_ms, adjusted.end_ms)) AS changed
FROM rating_adjusted AS adjusted
INNER JOIN rating_sums AS sums ON sums.supply_point = adjusted.supply_point AND sums.channel = adjusted.channel AND sums.slot = adjusted.slot
WHERE (adjusted.supply_point, adjusted.channel) IN asked
GROUP BY supply_point, channel, slot
HAVING max(adjusted.old_nano >= sums.peak_nano)
