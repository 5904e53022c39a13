-- One row per hardened window as far as it was known: the determinant and the adjustments to it that lie within both bounds, summed.
-- known_at_ms bounds by time; next_offsets bounds by place, per partition (unlisted_offset bounds the partitions not listed).
CREATE OR REPLACE VIEW determinants_known AS
WITH
    first_rows AS (SELECT * FROM determinants FINAL),
    changes AS (SELECT * FROM adjustments FINAL),
    revisions AS
    (
        SELECT
            supply_point, channel, start_ms, end_ms, unit, toUInt32(0) AS revision, toInt128(quantity_nano) AS change_nano,
            n_actual, n_calculated, n_substituted, n_estimated, n_missing, quality, methods, missing_reason,
            hardened_by, '' AS reason, rule_version, config_version, known_at_ms, curated_partition, curated_offset
        FROM first_rows
        UNION ALL
        SELECT
            supply_point, channel, start_ms, end_ms, unit, revision, toInt128(delta_nano) AS change_nano,
            n_actual, n_calculated, n_substituted, n_estimated, n_missing, quality, methods, missing_reason,
            '' AS hardened_by, reason, rule_version, config_version, known_at_ms, curated_partition, curated_offset
        FROM changes
    ),
    known AS
    (
        SELECT *
        FROM revisions
        WHERE known_at_ms <= {known_at_ms:Int64}
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, {unlisted_offset:UInt64})
    ),
    standing AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            end_ms,
            any(unit) AS unit,
            max(revision) AS last_revision,
            min(revision) AS first_revision,
            sum(change_nano) AS quantity_nano,
            argMin(change_nano, revision) AS first_nano,
            argMax((n_actual, n_calculated, n_substituted, n_estimated, n_missing), revision) AS counts,
            argMax(quality, revision) AS quality,
            argMax(methods, revision) AS methods,
            argMax(missing_reason, revision) AS missing_reason,
            argMin(hardened_by, revision) AS hardened_by,
            argMax(reason, revision) AS last_reason,
            argMax(rule_version, revision) AS rule_version,
            argMax(config_version, revision) AS config_version,
            argMin(known_at_ms, revision) AS hardened_at_ms,
            argMax(known_at_ms, revision) AS changed_at_ms,
            any(curated_partition) AS curated_partition,
            max(curated_offset) AS curated_offset
        FROM known
        GROUP BY supply_point, channel, start_ms, end_ms
    )
SELECT
    supply_point,
    channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_utc,
    unit,
    -- nothing is known of a window that is wholly MISSING: NULL, never a silent zero
    if(counts.5 > 0 AND counts.1 + counts.2 + counts.3 + counts.4 = 0, NULL, reinterpret(quantity_nano, 'Decimal(38, 9)')) AS quantity,
    reinterpret(first_nano, 'Decimal(38, 9)') AS quantity_hardened,
    last_revision AS revision,
    counts.1 AS n_actual,
    counts.2 AS n_calculated,
    counts.3 AS n_substituted,
    counts.4 AS n_estimated,
    counts.5 AS n_missing,
    -- a read-to-read span that no longer exists is adjusted to 0 with 0 in every count
    n_actual + n_calculated + n_substituted + n_estimated + n_missing = 0 AS is_withdrawn,
    quality,
    methods,
    missing_reason,
    hardened_by,
    last_reason,
    rule_version,
    config_version,
    fromUnixTimestamp64Milli(hardened_at_ms, 'UTC') AS hardened_at,
    fromUnixTimestamp64Milli(changed_at_ms, 'UTC') AS changed_at,
    start_ms,
    end_ms,
    quantity_nano,
    curated_partition,
    curated_offset
FROM standing
WHERE first_revision = 0
