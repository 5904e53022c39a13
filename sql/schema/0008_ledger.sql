-- One row per curated partition and outcome: how many units the fold has given that outcome, through curated_offset.
CREATE TABLE ledger
(
    curated_partition UInt16 COMMENT 'Partition of reads.curated',
    outcome           LowCardinality(String) COMMENT 'A verdict, or control:<record type>',
    count             UInt64 COMMENT 'Cumulative through curated_offset, never an increment',
    curated_offset    UInt64 COMMENT 'The count is true through this record',
    known_at_ms       Int64 COMMENT 'Running maximum of append time through this record, ms since 1970 UTC'
)
ENGINE = ReplacingMergeTree(curated_offset)
ORDER BY (curated_partition, outcome)
COMMENT 'The fold''s ledger, in units. Natural key: partition, outcome; the highest offset stands.';
