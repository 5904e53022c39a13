-- One row per segment and channel whose windows were looked at one by one: how they tile the time of the segment, and the first of what is wrong.
-- The windows of the other channels tile it whole, and none is MISSING.
-- Nothing without rating_exact.
CREATE OR REPLACE TEMPORARY TABLE rating_tiles
(
    segment UInt32, account String, period_from Date, period_to Date, supply_point String, channel String, site String, service_to Date,
    service_end_ms Int64, gate_at String, gate_date Date, hardened_to_ms Int64, missing_count UInt64, first_missing_ms Int64,
    missing_until_ms Int64, unplaced_count UInt64, first_unplaced_ms Int64, has_hole UInt8, hole_from_ms Int64, hole_until_ms Int64,
    has_overlap UInt8, overlap_from_ms Int64, overlap_until_ms Int64
)
AS
WITH
    channels AS (SELECT * FROM rating_channels WHERE (segment, channel) IN (SELECT segment, channel FROM rating_exact)),
    tiled AS
    (
        SELECT
            segment,
            channel,
            arraySort(groupArray((start_ms, end_ms))) AS spans,
            countIf(n_missing > 0) AS missing_count,
            minIf(start_ms, n_missing > 0) AS first_missing_ms,
            maxIf(end_ms, n_missing > 0) AS missing_until_ms,
            countIf(empty(cell)) AS unplaced_count,
            minIf(start_ms, empty(cell)) AS first_unplaced_ms
        FROM rating_windows
        WHERE minus = ''
        GROUP BY segment, channel
    ),
    compared AS
    (
        SELECT
            channels.*,
            tiled.missing_count AS missing_count,
            tiled.first_missing_ms AS first_missing_ms,
            tiled.missing_until_ms AS missing_until_ms,
            tiled.unplaced_count AS unplaced_count,
            tiled.first_unplaced_ms AS first_unplaced_ms,
            tiled.spans AS spans,
            -- where the windows before each one ended
            arrayPushFront(arrayMap(span -> span.2, spans), service_start_ms) AS ends,
            arrayFirstIndex((span, end_before) -> span.1 > end_before, spans, arrayPopBack(ends)) AS hole_index,
            arrayFirstIndex((span, end_before) -> span.1 < end_before, spans, arrayPopBack(ends)) AS overlap_index
        FROM channels
        LEFT JOIN tiled ON tiled.segment = channels.segment AND tiled.channel = channels.channel
    )
SELECT
    compared.segment AS segment,
    segments.account AS account,
    segments.period_from AS period_from,
    segments.period_to AS period_to,
    segments.supply_point AS supply_point,
    channel,
    segments.site AS site,
    segments.service_to AS service_to,
    segments.service_end_ms AS service_end_ms,
    segments.gate_at AS gate_at,
    addDays(segments.service_to, segments.gate_after_days - 1) AS gate_date,
    ends[-1] AS hardened_to_ms,
    missing_count,
    first_missing_ms,
    missing_until_ms,
    unplaced_count,
    first_unplaced_ms,
    hole_index > 0 AS has_hole,
    if(has_hole, ends[hole_index], 0) AS hole_from_ms,
    if(has_hole, spans[hole_index].1, 0) AS hole_until_ms,
    overlap_index > 0 AS has_overlap,
    if(has_overlap, spans[overlap_index].1, 0) AS overlap_from_ms,
    if(has_overlap, ends[overlap_index], 0) AS overlap_until_ms
FROM compared
INNER JOIN rating_segments AS segments ON segments.segment = compared.segment
