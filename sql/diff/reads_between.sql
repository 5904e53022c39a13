-- One row per record of reads.curated between two frontiers that hardened or adjusted windows of these supply points, reason (HARDENED, or that of the
-- adjustments), supply point, channel and billing period of the account that the windows begin in (`span`: its place in the given spans, 0: none).
WITH
    hardened AS
    (
        SELECT
            known_at_ms, curated_partition, curated_offset, 'HARDENED' AS reason, supply_point, channel, unit, start_ms, end_ms,
            toInt128(quantity_nano) AS change_nano
        FROM determinants FINAL
        WHERE supply_point IN {supply_points:Array(String)}
    ),
    adjusted AS
    (
        SELECT
            known_at_ms, curated_partition, curated_offset, toString(reason) AS reason, supply_point, channel, unit, start_ms, end_ms,
            toInt128(delta_nano) AS change_nano
        FROM adjustments FINAL
        WHERE supply_point IN {supply_points:Array(String)}
    ),
    changes AS
    (
        SELECT * FROM hardened
        UNION ALL
        SELECT * FROM adjusted
    )
SELECT
    known_at_ms,
    curated_partition,
    curated_offset,
    reason,
    supply_point,
    channel,
    arrayFirstIndex(
        (point, from_ms, until_ms) -> point = supply_point AND start_ms >= from_ms AND start_ms < until_ms,
        {span_points:Array(String)}, {span_starts:Array(Int64)}, {span_ends:Array(Int64)}
    ) AS span,
    any(unit) AS unit,
    count() AS windows,
    reinterpret(sum(change_nano), 'Decimal(38, 9)') AS quantity,
    min(start_ms) AS first_ms,
    max(end_ms) AS last_ms
FROM changes
WHERE curated_offset >= transform(curated_partition, {partitions:Array(UInt16)}, {from_offsets:Array(UInt64)}, toUInt64(0))
    AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {until_offsets:Array(UInt64)}, toUInt64(0))
GROUP BY known_at_ms, curated_partition, curated_offset, reason, supply_point, channel, span
ORDER BY known_at_ms, curated_partition, curated_offset, reason, supply_point, channel, span
