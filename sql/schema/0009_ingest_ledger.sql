-- One row per raw partition and outcome: how many records ingest has given that outcome, through raw_offset.
CREATE TABLE ingest_ledger
(
    raw_partition UInt16 COMMENT 'Partition of reads.raw',
    outcome       LowCardinality(String)
        COMMENT 'forwarded, split, quarantined, dead_lettered or a kind of control; intervals_… count inside records',
    count         UInt64 COMMENT 'Cumulative through raw_offset, never an increment',
    raw_offset    UInt64 COMMENT 'The count is true through this record',
    received_ms   Int64 COMMENT 'Append time of that record, ms since 1970 UTC'
)
ENGINE = ReplacingMergeTree(raw_offset)
ORDER BY (raw_partition, outcome)
COMMENT 'The ledger of ingest, in records. Natural key: partition, outcome; the highest offset stands.';
