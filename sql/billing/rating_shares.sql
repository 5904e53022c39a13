-- One row per standing window of a channel whose windows are looked at one by one: a determinant, or one local day's share of a read-to-read span.
-- A span is shared out over local days by the profile FLAT (each millisecond alike): cumulative totals, so the shares add up to the span.
-- Nothing without rating_exact.
CREATE OR REPLACE TEMPORARY TABLE rating_shares
(
    supply_point String, channel String, start_ms Int64, end_ms Int64, moment_ms Int64, window_start_ms Int64, window_end_ms Int64,
    quantity_nano Int128, n_estimated UInt32, n_missing UInt32, quality String, revision UInt32
)
AS
WITH
    clocks AS
    (
        SELECT supply_point, any(offset_from_ms) AS offset_from_ms, any(offset_until_ms) AS offset_until_ms, any(offset_s) AS offset_s
        FROM rating_tenancies
        WHERE notEmpty(rating_tenancies.offset_s)
        GROUP BY supply_point
    ),
    channels AS
    (
        SELECT supply_point, channel, any(channel_kind) AS channel_kind, min(service_start_ms) AS from_ms, max(service_end_ms) AS until_ms
        FROM rating_channels
        WHERE (segment, channel) IN (SELECT segment, channel FROM rating_exact)
        GROUP BY supply_point, channel
    ),
    windows AS
    (
        SELECT *
        FROM determinants_within_frontier(partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)})
        WHERE (supply_point, channel) IN (SELECT supply_point, channel FROM channels) AND NOT is_withdrawn
            AND end_ms > (SELECT min(from_ms) FROM channels) AND start_ms < (SELECT max(until_ms) FROM channels)
    ),
    placed AS
    (
        SELECT * FROM windows INNER JOIN channels USING (supply_point, channel) INNER JOIN clocks USING (supply_point)
    ),
    days AS
    (
        SELECT
            *,
            -- a day either side covers every clock; shares outside the span are empty and fall away
            toDate(toUInt16(intDiv(start_ms, 86400000) - 1)) + arrayJoin(
                if(channel_kind = 'spans', range(toUInt32(intDiv(end_ms, 86400000) - intDiv(start_ms, 86400000) + 3)), [0])
            ) AS day,
            channel_kind = 'spans' AS is_span,
            -- the instant whose month and weekday are the share's
            if(is_span, meterfold_day_start_ms(day, offset_from_ms, offset_until_ms, offset_s), start_ms) AS moment_ms,
            if(is_span, greatest(start_ms, moment_ms), start_ms) AS share_start_ms,
            if(is_span, least(end_ms, meterfold_day_start_ms(day + 1, offset_from_ms, offset_until_ms, offset_s)), end_ms) AS share_end_ms
        FROM placed
        WHERE share_start_ms < share_end_ms
    )
SELECT
    supply_point,
    channel,
    share_start_ms AS start_ms,
    share_end_ms AS end_ms,
    moment_ms,
    days.start_ms AS window_start_ms,
    days.end_ms AS window_end_ms,
    intDiv(days.quantity_nano * (share_end_ms - days.start_ms), toInt128(days.end_ms - days.start_ms))
        - intDiv(days.quantity_nano * (share_start_ms - days.start_ms), toInt128(days.end_ms - days.start_ms)) AS quantity_nano,
    n_estimated,
    n_missing,
    share_start_ms = days.start_ms AND share_end_ms = days.end_ms ? quality : if(quality = 'ACTUAL', 'CALCULATED', quality) AS quality,
    revision
FROM days
