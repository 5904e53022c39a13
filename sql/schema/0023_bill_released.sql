-- One row per release of a held draft by a person.
CREATE TABLE bill_released
(
    document_id    String COMMENT 'The draft',
    legal_entity   LowCardinality(String) COMMENT 'Who bills',
    rules          Array(LowCardinality(String)) COMMENT 'The rules that held it and do not any more',
    person         String COMMENT 'Who released it, as claimed',
    reason         String COMMENT 'Why',
    booked_ms      Int64 COMMENT 'When it was said, ms since 1970 UTC',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (document_id, billing_offset)
COMMENT 'Releases of held drafts. Natural key: document, offset.';
