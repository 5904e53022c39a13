-- One row per supply point, channel and slot whose highest window may have been adjusted (peak_nano 0 and no windows: all of them were): the highest
-- of the windows that were not. These alone are read a second time.
-- Nothing without rating_adjusted.
CREATE OR REPLACE TEMPORARY TABLE rating_peaks AS
WITH
    adjusted AS (SELECT * FROM rating_adjusted),
    sums AS (SELECT * FROM rating_sums),
    slots AS (SELECT start_ms, slot FROM rating_slots),
    asked AS (SELECT DISTINCT supply_point, channel FROM rating_streams WHERE has_demand AND NOT is_exact),
    doubtful AS
    (
        SELECT adjusted.supply_point AS supply_point, adjusted.channel AS channel, adjusted.slot AS slot
        FROM adjusted
        INNER JOIN sums ON sums.supply_point = adjusted.supply_point AND sums.channel = adjusted.channel AND sums.slot = adjusted.slot
        WHERE adjusted.old_nano >= sums.peak_nano AND (adjusted.supply_point, adjusted.channel) IN asked
        GROUP BY supply_point, channel, slot
    ),
    changed AS
    (
        SELECT supply_point, channel, start_ms, end_ms
        FROM adjusted
        WHERE (supply_point, channel, slot) IN doubtful
    ),
    windows AS
    (
        SELECT
            supply_point,
            channel,
            stretches.start_ms + place * length_ms AS start_ms,
            stretches.start_ms + (place + 1) * length_ms AS end_ms,
            quantity_nano,
            n_estimated
        FROM determinant_stretches AS stretches
        ARRAY JOIN quantities_nano AS quantity_nano, range(toInt64(length(quantities_nano))) AS place
        WHERE supply_point IN (SELECT supply_point FROM doubtful) AND channel IN (SELECT channel FROM doubtful)
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    ),
    unchanged AS
    (
        SELECT
            windows.supply_point AS supply_point,
            windows.channel AS channel,
            slots.slot AS slot,
            count() AS windows,
            max((toInt128(windows.quantity_nano), windows.n_estimated > 0)) AS peak
        FROM windows
        ANY INNER JOIN slots ON slots.start_ms = windows.start_ms
        WHERE (windows.supply_point, windows.channel, slots.slot) IN doubtful
            AND (windows.supply_point, windows.channel, windows.start_ms, windows.end_ms) NOT IN changed
        GROUP BY supply_point, channel, slot
    )
SELECT
    doubtful.supply_point AS supply_point,
    doubtful.channel AS channel,
    doubtful.slot AS slot,
    unchanged.windows AS windows,
    unchanged.peak AS peak
FROM doubtful
LEFT JOIN unchanged ON unchanged.supply_point = doubtful.supply_point AND unchanged.channel = doubtful.channel AND unchanged.slot = doubtful.slot
