-- One row per step of a dispute: opened, then upheld, rejected or withdrawn.
CREATE TABLE bill_disputes
(
    dispute_id      String COMMENT 'Name of the dispute',
    legal_entity    LowCardinality(String) COMMENT 'Who bills',
    account         String COMMENT 'Whose',
    document_number String COMMENT 'Printed number of the document',
    state           LowCardinality(String) COMMENT 'opened, upheld, rejected or withdrawn',
    amount          Decimal(38, 4) COMMENT 'Contested, with opened; else 0',
    person          String COMMENT 'Who said so, as claimed',
    reason          String COMMENT 'Why',
    booked_ms       Int64 COMMENT 'When it was said, ms since 1970 UTC',
    billing_offset  UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (dispute_id, billing_offset)
COMMENT 'Disputes of issued documents. Natural key: dispute, offset.';
