-- One row per record of the log reads.curated: what ingest made of the raw records, as the fold read it.
CREATE TABLE curated_records
(
    curated_partition UInt16 COMMENT 'Partition of reads.curated',
    curated_offset    UInt64 COMMENT 'Offset in that partition' CODEC(Delta, ZSTD),
    supply_point      LowCardinality(String) COMMENT 'The record''s key, "" for a gate',
    type              LowCardinality(String) COMMENT 'Record type of contracts/README.md',
    raw_partition     UInt16 COMMENT 'Carrier: partition of reads.raw that ordered it',
    raw_offset        UInt64 COMMENT 'Carrier: offset' CODEC(Delta, ZSTD),
    raw_sub           UInt32 COMMENT 'Carrier: position inside the raw record; of a list: of its first element' CODEC(T64, ZSTD),
    received_ms       Int64 COMMENT 'Time of receipt of what it carries, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    appended_ms       Int64 COMMENT 'Append time in reads.curated, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    payload           String COMMENT 'The record''s bytes' CODEC(ZSTD),
    received_utc      DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(received_ms, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (curated_partition, curated_offset)
COMMENT 'Curated archive. A crash may make ingest append a record twice, at two offsets: the fold takes the first. Natural key: curated coordinates.';
