-- One row per segment and channel whose windows must be looked at one by one: spans, whole days, averages of several peaks, nets; and where the sums
-- by slot do not hold: a row came twice, one lacks or overlaps, or something is MISSING.
CREATE OR REPLACE TEMPORARY TABLE rating_exact
(
    segment UInt32, supply_point String, channel String
)
AS
WITH
    streams AS (SELECT * FROM rating_streams WHERE minus = ''),
    slots AS (SELECT slot, any(part_no) AS part_no FROM rating_slot_cells GROUP BY slot),
    placed AS
    (
        SELECT
            sums.supply_point AS supply_point,
            sums.channel AS channel,
            slots.part_no AS part_no,
            sums.print AS print,
            sums.missing_windows AS missing_windows
        FROM rating_sums AS sums
        INNER JOIN slots ON slots.slot = sums.slot
    ),
    found AS
    (
        SELECT
            streams.segment AS segment,
            streams.channel AS channel,
            sum(placed.print) AS print,
            sum(placed.missing_windows) AS missing_windows
        FROM placed
        ASOF INNER JOIN streams
            ON streams.supply_point = placed.supply_point AND streams.channel = placed.channel AND placed.part_no >= streams.part_from
        WHERE placed.part_no < streams.part_to
        GROUP BY segment, channel
    ),
    -- windows at no instant of a calendar, and what stands MISSING since it was adjusted
    strange AS
    (
        SELECT supply_point, channel FROM rating_sums WHERE slot = 0
        UNION DISTINCT
        SELECT supply_point, channel FROM rating_adjusted WHERE slot = 0 OR is_missing
    )
SELECT streams.segment AS segment, streams.supply_point AS supply_point, streams.channel AS channel
FROM streams
LEFT JOIN found ON found.segment = streams.segment AND found.channel = streams.channel
WHERE streams.is_exact OR {exact:UInt8} = 1 OR found.missing_windows > 0
    OR NOT ifNull(found.print = meterfold_bound_hash(service_end_ms, toInt64(grid_s) * 1000) - meterfold_bound_hash(service_start_ms, toInt64(grid_s) * 1000), false)
    OR (streams.supply_point, streams.channel) IN strange
