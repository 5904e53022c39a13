-- One row per segment and priced channel: how its windows tile the time of the segment, and the first of what is wrong.
CREATE OR REPLACE TEMPORARY TABLE rating_tiles AS
WITH
    channels AS (SELECT * FROM rating_channels),
    tiled AS
    (
        SELECT
            account,
            period_from,
            tenancy,
            tariff_version,
            supply_point,
            channel,
            arraySort(groupArray((start_ms, end_ms))) AS spans,
            countIf(n_missing > 0) AS missing_count,
            minIf(start_ms, n_missing > 0) AS first_missing_ms,
            maxIf(end_ms, n_missing > 0) AS missing_until_ms,
            countIf(band_index = 0) AS unbanded_count,
            minIf(start_ms, band_index = 0) AS first_unbanded_ms
        FROM rating_windows
        GROUP BY account, period_from, tenancy, tariff_version, supply_point, channel
    ),
    compared AS
    (
        SELECT
            channels.*,
            tiled.missing_count AS missing_count,
            tiled.first_missing_ms AS first_missing_ms,
            tiled.missing_until_ms AS missing_until_ms,
            tiled.unbanded_count AS unbanded_count,
            tiled.first_unbanded_ms AS first_unbanded_ms,
            tiled.spans AS spans,
            -- where the windows before each one ended
            arrayPushFront(arrayMap(span -> span.2, spans), service_start_ms) AS ends,
            arrayFirstIndex((span, end_before) -> span.1 > end_before, spans, arrayPopBack(ends)) AS hole_index,
            arrayFirstIndex((span, end_before) -> span.1 < end_before, spans, arrayPopBack(ends)) AS overlap_index
        FROM channels
        LEFT JOIN tiled USING (account, period_from, tenancy, tariff_version, supply_point, channel)
    )
SELECT
    account,
    period_from,
    period_to,
    tenancy,
    supply_point,
    channel,
    site,
    tariff,
    tariff_version,
    service_to,
    service_end_ms,
    gate_at,
    addDays(service_to, gate_after_days - 1) AS gate_date,
    ends[-1] AS hardened_to_ms,
    missing_count,
    first_missing_ms,
    missing_until_ms,
    unbanded_count,
    first_unbanded_ms,
    hole_index > 0 AS has_hole,
    if(has_hole, ends[hole_index], 0) AS hole_from_ms,
    if(has_hole, spans[hole_index].1, 0) AS hole_until_ms,
    overlap_index > 0 AS has_overlap,
    if(has_overlap, spans[overlap_index].1, 0) AS overlap_from_ms,
    if(has_overlap, ends[overlap_index], 0) AS overlap_until_ms
FROM compared
