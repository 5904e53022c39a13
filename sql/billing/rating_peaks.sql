-- One row per supply point, channel and slot whose highest window may have been adjusted (no windows: all of them were): the highest of the windows that
-- were not (`peak`: twice its quantity, and one more where any of it is estimated). These alone are read a second time.
-- Nothing without rating_doubts.
CREATE OR REPLACE TEMPORARY TABLE rating_peaks
(
    supply_point LowCardinality(String), channel LowCardinality(String), slot UInt32, windows UInt64, peak Int128
)
AS
WITH
    slots AS (SELECT start_ms, slot FROM rating_slots),
    single AS
    (
        SELECT
            supply_point,
            channel,
            stretches.start_ms + place * length_ms AS start_ms,
            stretches.start_ms + (place + 1) * length_ms AS end_ms,
            quantity_nano,
            n_estimated > 0 AS is_estimated
        FROM determinant_stretches AS stretches
        ARRAY JOIN quantities_nano AS quantity_nano, range(toInt64(length(quantities_nano))) AS place
        WHERE supply_point IN (SELECT supply_point FROM rating_doubts) AND channel IN (SELECT channel FROM rating_doubts)
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    ),
    placed AS
    (
        SELECT single.*, slots.slot AS slot
        FROM single
        INNER JOIN slots ON slots.start_ms = single.start_ms
    )
SELECT
    doubts.supply_point AS supply_point,
    doubts.channel AS channel,
    doubts.slot AS slot,
    countIf(NOT has(doubts.changed, (placed.start_ms, placed.end_ms))) AS windows,
    maxIf(toInt128(placed.quantity_nano) * 2 + placed.is_estimated, NOT has(doubts.changed, (placed.start_ms, placed.end_ms))) AS peak
FROM placed
INNER JOIN rating_doubts AS doubts ON doubts.supply_point = placed.supply_point AND doubts.channel = placed.channel AND doubts.slot = placed.slot
GROUP BY supply_point, channel, slot
