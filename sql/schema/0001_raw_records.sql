-- One row per record of the log reads.raw: the archive that every figure leads back to.
CREATE TABLE raw_records
(
    raw_partition UInt16 COMMENT 'Partition of reads.raw',
    raw_offset    UInt64 COMMENT 'Offset in that partition' CODEC(Delta, ZSTD),
    device        String COMMENT 'The record''s key: the device, "" for a gate',
    type          LowCardinality(String) COMMENT 'Record type of contracts/README.md, "" if it could not be decoded',
    received_ms   Int64 COMMENT 'Append time in the log, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    payload       String COMMENT 'The record''s bytes as received' CODEC(ZSTD),
    received_utc  DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_ms, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (raw_partition, raw_offset)
COMMENT 'Raw archive. Natural key: raw coordinates.';
