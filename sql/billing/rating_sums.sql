-- One row per supply point, channel and slot of what hardened, before adjustments: added up in one pass over the determinants, in the order of
-- their key. Slot 0: windows that start at no instant of any calendar. `print` is the sum of a hash of each window: together with the count it
-- tells a whole tiling from one in which a row came twice, is missing, or has other bounds.
CREATE OR REPLACE TEMPORARY TABLE rating_sums AS
WITH
    streams AS (SELECT supply_point, channel FROM rating_streams WHERE NOT is_exact AND {exact:UInt8} = 0),
    slots AS (SELECT start_ms, slot FROM rating_slots)
SELECT
    supply_point,
    channel,
    slots.slot AS slot,
    count() AS windows,
    sum(intHash64(bitXor(determinants.start_ms, bitShiftLeft(determinants.end_ms - determinants.start_ms, 40)))) AS print,
    sum(toInt128(determinants.quantity_nano)) AS quantity_nano,
    max(determinants.quantity_nano) AS peak_nano,
    countIf(n_estimated > 0) AS estimated_windows,
    sumIf(toInt128(determinants.quantity_nano), n_estimated > 0) AS estimated_nano,
    maxIf(determinants.quantity_nano, n_estimated > 0) AS estimated_peak_nano,
    countIf(n_missing > 0) AS missing_windows
FROM determinants
ANY LEFT JOIN slots ON slots.start_ms = determinants.start_ms
WHERE supply_point IN (SELECT supply_point FROM streams) AND channel IN (SELECT channel FROM streams)
    AND determinants.start_ms >= (SELECT min(start_ms) FROM slots) AND determinants.start_ms <= (SELECT max(start_ms) FROM slots)
    AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
GROUP BY supply_point, channel, slot
