-- One row per supply point, channel and slot of what hardened, before adjustments: added up in one pass over the stretches of windows, turn of a slot
-- by turn. Slot 0: windows that start at no instant of any calendar. `print` adds up, over what follows one another, a hash of the end less a hash of the
-- beginning, both mixed with the length of the windows. Where windows tile a stretch of time whole, all but its own two bounds cancel out; where one
-- came twice, is missing, overlaps or has other bounds, something is left.
CREATE OR REPLACE TEMPORARY TABLE rating_sums
(
    supply_point LowCardinality(String), channel LowCardinality(String), slot UInt32, windows UInt64, print Int64, quantity_nano Int128,
    peak_nano Int64, estimated_windows UInt64, estimated_nano Int128, estimated_peak_nano Int64, missing_windows UInt64
)
AS
WITH
    streams AS (SELECT supply_point, channel FROM rating_streams WHERE NOT is_exact AND {exact:UInt8} = 0),
    -- the turn of each instant; a join would take a tenth of the step
    (SELECT (groupArray(start_ms), groupArray(turn)) FROM rating_slots) AS slots,
    -- by turn, from 1: slot, from, until
    (
        SELECT (groupArray(slot), groupArray(from_ms), groupArray(until_ms))
        FROM (SELECT slot, from_ms, until_ms FROM rating_turns ORDER BY turn)
    ) AS turns,
    ifNull((SELECT min(start_ms) FROM rating_slots), 0) AS first_ms,
    ifNull((SELECT max(start_ms) FROM rating_slots), 0) AS last_ms,
    -- of each stretch what starts within the calendars
    stretches AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            length_ms,
            quantities_nano,
            n_estimated > 0 AS is_estimated,
            n_missing > 0 AS is_missing,
            toInt64(greatest(0, intDiv(first_ms - start_ms + length_ms - 1, length_ms))) AS first_at,
            toInt64(least(toInt64(length(quantities_nano)), intDiv(last_ms - start_ms, length_ms) + 1)) AS behind_at
        FROM determinant_stretches
        WHERE supply_point IN (SELECT supply_point FROM streams) AND channel IN (SELECT channel FROM streams)
            AND start_ms <= last_ms AND start_ms + length_ms * length(quantities_nano) > first_ms AND first_at < behind_at
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    ),
    turned AS
    (
        SELECT
            *,
            transform(start_ms + first_at * length_ms, slots.1, slots.2, toUInt32(0)) AS first_turn,
            transform(start_ms + (behind_at - 1) * length_ms, slots.1, slots.2, toUInt32(0)) AS last_turn,
            arrayJoin(if(first_turn = 0 OR last_turn = 0, [toUInt32(0)], range(first_turn, last_turn + 1))) AS turn
        FROM stretches
    ),
    cut AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            length_ms,
            is_estimated,
            is_missing,
            turns.1[turn] AS slot,
            toInt64(if(slot = 0, first_at, greatest(first_at, intDiv(turns.2[turn] - start_ms + length_ms - 1, length_ms)))) AS at,
            toInt64(if(slot = 0, behind_at, least(behind_at, intDiv(turns.3[turn] - start_ms + length_ms - 1, length_ms)))) AS behind,
            arraySlice(quantities_nano, at + 1, greatest(0, behind - at)) AS quantities
        FROM turned
    ),
    added AS
    (
        SELECT
            supply_point,
            channel,
            slot,
            toUInt64(greatest(0, behind - at)) AS windows,  -- none where one is longer than a turn
            if(windows = 0, 0, meterfold_bound_hash(start_ms + behind * length_ms, length_ms) - meterfold_bound_hash(start_ms + at * length_ms, length_ms)) AS print,
            arrayMax(quantities) AS peak,
            -- an Int64 sum wraps where windows are huge
            if(
                greatest(peak, -arrayMin(quantities)) < intDiv(toInt64(9223372036854775807), greatest(1, length(quantities))),
                toInt128(arraySum(quantities)), arraySum(quantity -> toInt128(quantity), quantities)
            ) AS quantity,
            is_estimated,
            is_missing
        FROM cut
    )
SELECT
    supply_point,
    channel,
    slot,
    sum(windows) AS windows,
    sum(print) AS print,
    sum(quantity) AS quantity_nano,
    maxIf(peak, added.windows > 0) AS peak_nano,
    sumIf(added.windows, is_estimated) AS estimated_windows,
    sumIf(quantity, is_estimated) AS estimated_nano,
    maxIf(peak, is_estimated AND added.windows > 0) AS estimated_peak_nano,
    sumIf(added.windows, is_missing) AS missing_windows
FROM added
GROUP BY supply_point, channel, slot
HAVING windows > 0
