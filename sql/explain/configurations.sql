-- One row per raw configuration record behind these views of these devices. Parameters: devices, versions (of views: config_version).
-- Ingest counts the views of a device: one with each configuration, and each assignment once it has one, whose version is above those before.
WITH
    contradicting AS (SELECT raw_partition, raw_offset FROM dead_letters FINAL),
    records AS
    (
        SELECT *, JSONExtractInt(payload, 'version') AS version
        FROM raw_records FINAL
        WHERE type IN ('configuration', 'assignment') AND device IN {devices:Array(String)}
            AND (raw_partition, raw_offset) NOT IN contradicting
    ),
    ranked AS
    (
        SELECT
            *,
            max(toNullable(version)) OVER (
                PARTITION BY device, raw_partition, type ORDER BY raw_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS version_before
        FROM records
    ),
    accepted AS
    (
        SELECT * FROM ranked WHERE version > version_before OR (version_before IS NULL AND (type = 'configuration' OR version >= 0))
    ),
    counted AS
    (
        SELECT
            *,
            countIf(type = 'configuration') OVER so_far AS configuration_number,
            row_number() OVER so_far AS place
        FROM accepted
        WINDOW so_far AS (PARTITION BY device, raw_partition ORDER BY raw_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    views AS
    (
        SELECT
            *,
            place - minIf(place, configuration_number = 1) OVER (PARTITION BY device, raw_partition) + 1 AS view_version
        FROM counted
        WHERE configuration_number > 0
    ),
    asked AS (SELECT device, raw_partition, configuration_number FROM views WHERE view_version IN {versions:Array(Int64)})
SELECT device, version, raw_partition, raw_offset, fromUnixTimestamp64Milli(received_ms, 'UTC') AS received_utc, payload
FROM counted
WHERE type = 'configuration' AND (device, raw_partition, configuration_number) IN asked
ORDER BY device, version, raw_partition, raw_offset
