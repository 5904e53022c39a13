-- One row per closed month of a legal entity: nothing is posted into it any more.
CREATE TABLE bill_periods_closed
(
    legal_entity   LowCardinality(String) COMMENT 'Whose books',
    period         LowCardinality(String) COMMENT 'The month, YYYY-MM',
    lines          UInt64 COMMENT 'Rows of its extracts, all together',
    sha256         String COMMENT 'SHA-256, lower-case hex, of the hashes of its extracts',
    frontier_partitions Array(UInt16) COMMENT 'Pinned frontier of the fold: partitions of reads.curated',
    frontier_offsets    Array(UInt64) COMMENT 'Pinned frontier: determinants at offsets below these belong to it, by position',
    frontier_known_at_ms Array(Int64) COMMENT 'Pinned frontier: known_at of each partition, ms since 1970 UTC',
    known_billing_offset UInt64 COMMENT 'Records of the billing log below this offset are seen: supply points and their clocks',
    extract_names  Array(LowCardinality(String)) COMMENT 'Extracts that were hashed, in order',
    extract_rows   Array(UInt64) COMMENT 'Their rows, by position',
    extract_sha256 Array(String) COMMENT 'SHA-256, lower-case hex, of their CSV, by position',
    person         String COMMENT 'Who closed it, as claimed',
    booked_ms      Int64 COMMENT 'When it was said, ms since 1970 UTC',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (legal_entity, period, billing_offset)
COMMENT 'Closed months; they close in order. Natural key: billing offset (a second closing of a month would be one too many).';
