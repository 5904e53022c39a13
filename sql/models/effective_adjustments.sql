-- One row per adjustment, with what stood before and after it and whether it is the one in force.
CREATE OR REPLACE VIEW effective_adjustments AS
WITH
    changes AS (SELECT *, delta FROM adjustments FINAL),
    ranked AS
    (
        SELECT *, max(revision) OVER (PARTITION BY supply_point, channel, start_ms, end_ms) AS last_revision
        FROM changes
    )
SELECT
    supply_point,
    channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_utc,
    revision,
    revision = last_revision AS is_latest,
    unit,
    reinterpret(old_nano, 'Decimal(18, 9)') AS old_quantity,
    reinterpret(new_nano, 'Decimal(18, 9)') AS new_quantity,
    delta,
    n_actual,
    n_calculated,
    n_substituted,
    n_estimated,
    n_missing,
    quality,
    methods,
    missing_reason,
    reason,
    corrects_revision,
    cause_partition,
    cause_offset,
    cause_sub,
    rule_version,
    config_version,
    fromUnixTimestamp64Milli(known_at_ms, 'UTC') AS known_at,
    start_ms,
    end_ms
FROM ranked
