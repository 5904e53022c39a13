-- A window whose native intervals all have accepted evidence is not their sum (unless its device was configured anew since, or it was restated).
WITH
    windows AS (SELECT * FROM current_determinants WHERE n_missing = 0 AND NOT is_withdrawn),
    restatements AS (SELECT raw_partition, raw_offset FROM raw_records WHERE type = 'restatement'),
    restated_windows AS
    (
        SELECT supply_point, channel, start_ms, end_ms FROM adjustments FINAL WHERE (cause_partition, cause_offset) IN restatements
    ),
    restated AS
    (
        SELECT device, raw_partition, max(raw_offset) AS last_offset
        FROM raw_records
        WHERE type IN ('configuration', 'assignment')
        GROUP BY device, raw_partition
    ),
    in_force AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            argMax((quantity_nano, device, raw_partition, raw_offset), (curated_offset, raw_sub)) AS last
        FROM evidence FINAL
        WHERE kind IN ('interval', 'edit') AND verdict IN ('ACCEPTED', 'CORRECTED')
        GROUP BY supply_point, channel, start_ms
    ),
    dated AS
    (
        SELECT
            in_force.supply_point AS supply_point,
            in_force.channel AS channel,
            start_ms,
            last.1 AS quantity_nano,
            last.4 < restated.last_offset AS is_older
        FROM in_force
        LEFT JOIN restated ON restated.device = in_force.last.2 AND restated.raw_partition = in_force.last.3
    ),
    parts AS
    (
        SELECT
            windows.supply_point AS supply_point,
            windows.channel AS channel,
            windows.start_ms AS start_ms,
            windows.end_ms AS end_ms,
            any(windows.quantity_nano) AS window_nano,
            any(n_actual + n_calculated + n_substituted + n_estimated) AS native_count,
            count() AS part_count,
            sum(toInt128(assumeNotNull(dated.quantity_nano))) AS parts_nano,
            max(is_older) AS has_older
        FROM dated
        ASOF INNER JOIN windows
            ON windows.supply_point = dated.supply_point AND windows.channel = dated.channel AND dated.start_ms >= windows.start_ms
        WHERE dated.start_ms < windows.end_ms
        GROUP BY windows.supply_point, windows.channel, windows.start_ms, windows.end_ms
    )
SELECT
    supply_point,
    channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    reinterpret(window_nano, 'Decimal(38, 9)') AS quantity,
    reinterpret(parts_nano, 'Decimal(38, 9)') AS sum_of_parts
FROM parts
WHERE part_count = native_count AND window_nano != parts_nano AND NOT has_older
    AND (supply_point, channel, start_ms, end_ms) NOT IN restated_windows
ORDER BY supply_point, channel, start_ms, end_ms
