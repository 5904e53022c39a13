-- One row per thing that could not be decoded: never silently lost, never retried by itself.
CREATE TABLE dead_letters
(
    raw_partition UInt16 COMMENT 'Where it stands in reads.raw: partition',
    raw_offset    UInt64 COMMENT 'Where it stands in reads.raw: offset' CODEC(Delta, ZSTD),
    raw_sub       UInt32 COMMENT 'Position inside a list record',
    device        String COMMENT 'The record''s key',
    reason        LowCardinality(String) COMMENT 'Stable code of what is wrong',
    detail        String COMMENT 'What is wrong and what to do, for a person',
    file          String COMMENT 'File it came from, "" if none',
    line          UInt32 COMMENT 'Line in that file, from 1; 0: none, or the file as a whole',
    import        String COMMENT 'Import it came with, "" if none',
    payload       String COMMENT 'The bytes (of a file: the beginning of the bad line)' CODEC(ZSTD(3)),
    received_ms   Int64 COMMENT 'Append time in the log, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    received_utc  DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_ms, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (raw_partition, raw_offset, raw_sub)
COMMENT 'Undecodable input with its coordinates. Natural key: raw coordinates.';
