-- One row per bill run that was opened, with everything it pinned.
CREATE TABLE bill_runs
(
    run_id              String COMMENT 'Name of the run',
    legal_entity        LowCardinality(String) COMMENT 'Who bills; runs are serial within it',
    account             String COMMENT 'The one account it was limited to; "" for all of the legal entity',
    frontier_partitions Array(UInt16) COMMENT 'Pinned frontier of the fold: partitions of reads.curated',
    frontier_offsets    Array(UInt64) COMMENT 'Pinned frontier: rows at offsets below these are seen, by position',
    frontier_known_at_ms Array(Int64) COMMENT 'Pinned frontier: known_at of each partition, ms since 1970 UTC',
    known_billing_offset UInt64 COMMENT 'Records of the billing log below this offset are seen: reference data, documents',
    rule_version        LowCardinality(String) COMMENT 'Version of the rules of billing',
    as_of_ms            Int64 COMMENT 'Periods that ended by this instant are reached, ms since 1970 UTC',
    lease_until_ms      Int64 COMMENT 'Until then no other run of the legal entity may open, ms since 1970 UTC',
    billing_offset      UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY run_id
COMMENT 'Bill runs as opened; those in bill_run_closed count. Natural key: run.';
