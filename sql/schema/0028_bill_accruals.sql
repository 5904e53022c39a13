-- One row per accrual that was said of a month of a legal entity: what was unbilled at its end. The latest of a month counts (view accruals).
CREATE TABLE bill_accruals
(
    legal_entity   LowCardinality(String) COMMENT 'Whose books',
    period         LowCardinality(String) COMMENT 'The month at whose end it was, YYYY-MM',
    frontier_partitions Array(UInt16) COMMENT 'Pinned frontier of the fold: partitions of reads.curated',
    frontier_offsets    Array(UInt64) COMMENT 'Pinned frontier: rows at offsets below these are seen, by position',
    frontier_known_at_ms Array(Int64) COMMENT 'Pinned frontier: known_at of each partition, ms since 1970 UTC',
    known_billing_offset UInt64 COMMENT 'Records of the billing log below this offset are seen: reference data, documents',
    as_of_ms       Int64 COMMENT 'When it was worked out, ms since 1970 UTC',
    rule_version   LowCardinality(String) COMMENT 'Version of the rules of billing',
    accounts       Array(String) COMMENT 'Whose',
    currencies     Array(LowCardinality(String)) COMMENT 'ISO 4217, by position of accounts',
    nets           Array(Decimal(38, 4)) COMMENT 'Unbilled without tax, by position of accounts',
    taxes          Array(Decimal(38, 4)) COMMENT 'Its tax, by position of accounts',
    person         String COMMENT 'Who said so, as claimed',
    booked_ms      Int64 COMMENT 'When it was said, ms since 1970 UTC',
    accounting_period LowCardinality(String) COMMENT 'Month of the books, YYYY-MM: the period',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (legal_entity, period, billing_offset)
COMMENT 'Accruals as recorded. Natural key: billing offset.';
