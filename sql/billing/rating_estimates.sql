-- One row per segment and interval that nobody knows yet (it has not hardened, or hardened as MISSING) and that is billed all the same: its estimate, cut
-- towards zero to 10⁻⁹ of the channel's unit. That is the mean of what stands at the same local time on the same weekday in the 56 days before it (`same_weekday`)
-- or, where nothing does, on any of these days (`same_time`); `of_windows` counts them. If one interval of a segment and channel cannot be
-- estimated, none is. Nor is a hole: no meter was there whose reads might still come.
-- Nothing without rating_history.
CREATE OR REPLACE TEMPORARY TABLE rating_estimates
(
    segment UInt32, supply_point String, channel String, start_ms Int64, end_ms Int64, quantity_nano Int128, of_windows UInt32,
    method String
)
AS
WITH
    hardened AS (SELECT supply_point, channel, max(end_ms) AS until_ms FROM rating_history GROUP BY supply_point, channel),
    exact AS (SELECT segment, channel FROM rating_exact),
    -- by the time of the day: (local day, quantity)
    known AS
    (
        SELECT supply_point, channel, local_ms % 86400000 AS time_ms, groupArray((intDiv(local_ms, 86400000), quantity_nano)) AS days
        FROM rating_history
        WHERE NOT is_missing
        GROUP BY supply_point, channel, time_ms
    ),
    segments AS
    (
        SELECT segment, service_from, service_days
        FROM rating_segments
        WHERE estimate_after_days IS NOT NULL
            AND (toInt64(toInt32(period_to)) + assumeNotNull(estimate_after_days)) * 86400000 <= {as_of_ms:Int64}
    ),
    clocks AS
    (
        SELECT supply_point, any(offset_from_ms) AS offset_from_ms, any(offset_until_ms) AS offset_until_ms, any(offset_s) AS offset_s
        FROM rating_tenancies
        WHERE notEmpty(rating_tenancies.offset_s)
        GROUP BY supply_point
    ),
    expected AS
    (
        SELECT
            channels.segment AS segment,
            channels.supply_point AS supply_point,
            channels.channel AS channel,
            hardened.until_ms AS hardened_until_ms,
            arrayJoin(if(
                channels.grid_s > 0,
                arrayMap(
                    begins_ms -> (begins_ms, begins_ms + toInt64(channels.grid_s) * 1000),
                    range(channels.service_start_ms, channels.service_end_ms, greatest(toInt64(channels.grid_s), 1) * 1000)
                ),
                arrayMap(
                    day -> (
                        meterfold_day_start_ms(segments.service_from + day, clocks.offset_from_ms, clocks.offset_until_ms, clocks.offset_s),
                        meterfold_day_start_ms(segments.service_from + day + 1, clocks.offset_from_ms, clocks.offset_until_ms, clocks.offset_s)
                    ),
                    range(segments.service_days)
                )
            )) AS bounds,
            bounds.1 AS start_ms,
            bounds.2 AS end_ms,
            start_ms + toInt64(clocks.offset_s[arrayLastIndex(begins_ms -> begins_ms <= start_ms, clocks.offset_from_ms)]) * 1000 AS local_ms
        FROM rating_channels AS channels
        INNER JOIN segments ON segments.segment = channels.segment
        INNER JOIN hardened ON hardened.supply_point = channels.supply_point AND hardened.channel = channels.channel
        INNER JOIN clocks ON clocks.supply_point = channels.supply_point
        WHERE (channels.segment, channels.channel) IN exact
    ),
    lacking AS
    (
        SELECT expected.*, local_ms % 86400000 AS time_ms, intDiv(local_ms, 86400000) AS local_day
        FROM expected
        LEFT JOIN (SELECT * FROM rating_history WHERE is_missing) AS missing
            ON missing.supply_point = expected.supply_point AND missing.channel = expected.channel
                AND missing.start_ms = expected.start_ms AND missing.end_ms = expected.end_ms
        WHERE expected.start_ms >= hardened_until_ms OR missing.end_ms = expected.end_ms
    ),
    compared AS
    (
        SELECT
            lacking.*,
            arrayFilter(day -> day.1 < local_day AND day.1 >= local_day - 56, known.days) AS before,
            arrayFilter(day -> (local_day - day.1) % 7 = 0, before) AS on_weekday,
            if(empty(on_weekday), before, on_weekday) AS used,
            countIf(empty(used)) OVER (PARTITION BY lacking.segment, lacking.channel) AS without
        FROM lacking
        LEFT JOIN known ON known.supply_point = lacking.supply_point AND known.channel = lacking.channel AND known.time_ms = lacking.time_ms
    )
SELECT
    segment,
    supply_point,
    channel,
    start_ms,
    end_ms,
    toInt128(intDiv(arraySum(day -> day.2, used), toInt256(greatest(length(used), 1)))) AS quantity_nano,
    toUInt32(length(used)) AS of_windows,
    if(empty(on_weekday), 'same_time', 'same_weekday') AS method
FROM compared
WHERE without = 0
