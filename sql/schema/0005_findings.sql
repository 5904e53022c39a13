-- One row per check that failed, could not run, or had something to say, about one unit, window or stretch.
CREATE TABLE findings
(
    supply_point      LowCardinality(String) COMMENT 'Where it was found',
    channel           LowCardinality(String) COMMENT 'Channel, "" where none is named',
    check_id          LowCardinality(String) COMMENT 'Public id of the check (docs/rules.md)',
    device            LowCardinality(String) COMMENT 'Meter, "" where none is named',
    start_ms          Int64 COMMENT 'From (in), ms since 1970 UTC; 0 for configuration' CODEC(Delta, ZSTD),
    end_ms            Int64 COMMENT 'To (out), ms since 1970 UTC; 0 for configuration' CODEC(Delta, ZSTD),
    cause_partition   UInt16 COMMENT 'Raw partition of the record that caused it',
    cause_offset      UInt64 COMMENT 'Raw offset of that record' CODEC(Delta, ZSTD),
    cause_sub         UInt32 COMMENT 'Position in that record' CODEC(T64, ZSTD),
    severity          LowCardinality(String) COMMENT 'error, reject, warn, info or not_run',
    detail            String COMMENT 'JSON: the figures of the check' CODEC(ZSTD),
    known_at_ms       Int64 COMMENT 'Running maximum of append time when the fold knew it, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition',
    curated_offset    UInt64 COMMENT 'Place in reads.curated: offset' CODEC(Delta, ZSTD),
    start_utc         DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(start_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'start_ms, held within 1900 … 2299: what arrives may claim anything',
    end_utc           DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(end_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'end_ms, held within 1900 … 2299: what arrives may claim anything'
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, channel, check_id, device, start_ms, end_ms, cause_partition, cause_offset, cause_sub)
COMMENT 'What the checks said. Natural key: all of check, place, span and cause.';
