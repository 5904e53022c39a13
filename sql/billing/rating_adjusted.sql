-- One row per adjusted window of a channel that is added up by slot: what hardened, and what stands. The revisions chain (checks/adjustments_chain),
-- so the first one's `old` is the determinant, and rows that were delivered twice do not matter.
CREATE OR REPLACE TEMPORARY TABLE rating_adjusted
(
    supply_point LowCardinality(String), channel LowCardinality(String), start_ms Int64, end_ms Int64, slot UInt32, old_nano Int64,
    new_nano Int64, was_estimated Bool, is_estimated UInt8, is_missing UInt8
)
AS
WITH
    streams AS (SELECT supply_point, channel FROM rating_streams WHERE NOT is_exact AND {exact:UInt8} = 0),
    slots AS (SELECT start_ms, slot FROM rating_slots),
    changed AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            end_ms,
            argMin(old_nano, revision) AS old_nano,
            argMax(new_nano, revision) AS new_nano,
            argMax(n_estimated > 0, revision) AS is_estimated,
            argMax(n_missing > 0 OR n_actual + n_calculated + n_substituted + n_estimated = 0, revision) AS is_missing
        FROM adjustments
        WHERE supply_point IN (SELECT supply_point FROM streams) AND channel IN (SELECT channel FROM streams)
            AND start_ms >= (SELECT min(start_ms) FROM slots) AND start_ms <= (SELECT max(start_ms) FROM slots)
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
        GROUP BY supply_point, channel, start_ms, end_ms
    ),
    estimated AS
    (
        SELECT supply_point, channel, start_ms, start_ms + length_ms AS end_ms, true AS is_one
        FROM
        (
            SELECT supply_point, channel, length_ms, arrayJoin(range(start_ms, start_ms + length_ms * length(quantities_nano), length_ms)) AS start_ms
            FROM determinant_stretches
            PREWHERE n_estimated > 0
            WHERE supply_point IN (SELECT supply_point FROM streams) AND channel IN (SELECT channel FROM streams)
        )
        WHERE start_ms >= (SELECT min(start_ms) FROM slots) AND start_ms <= (SELECT max(start_ms) FROM slots)
    )
SELECT
    changed.supply_point AS supply_point,
    changed.channel AS channel,
    changed.start_ms AS start_ms,
    changed.end_ms AS end_ms,
    slots.slot AS slot,
    changed.old_nano AS old_nano,
    changed.new_nano AS new_nano,
    estimated.is_one AS was_estimated,
    changed.is_estimated AS is_estimated,
    changed.is_missing AS is_missing
FROM changed
LEFT JOIN slots ON slots.start_ms = changed.start_ms
ANY LEFT JOIN estimated
    ON estimated.supply_point = changed.supply_point AND estimated.channel = changed.channel AND estimated.start_ms = changed.start_ms
        AND estimated.end_ms = changed.end_ms
