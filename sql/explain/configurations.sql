-- One row per configuration of these devices and versions, where it stands in the raw log. Parameters: devices, versions.
WITH
    configurations AS (SELECT * FROM raw_records FINAL WHERE type = 'configuration' AND device IN {devices:Array(String)})
SELECT
    device,
    JSONExtractInt(payload, 'version') AS version,
    raw_partition,
    raw_offset,
    fromUnixTimestamp64Milli(received_ms, 'UTC') AS received_utc,
    payload
FROM configurations
WHERE version IN {versions:Array(Int64)}
ORDER BY device, version, raw_partition, raw_offset
