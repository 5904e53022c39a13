-- One row per step of an edition of a tariff: drafted, proposed, approved, staged, effective, withdrawn.
CREATE TABLE tariff_changes
(
    tariff         String COMMENT 'Tariff of the portfolio that it is an edition of',
    edition        UInt32 COMMENT 'Edition, from 1',
    action         LowCardinality(String) COMMENT 'drafted, proposed, approved, staged, effective, withdrawn',
    body           String COMMENT 'drafted: JSON of the tariff, as in reference_objects; else ""' CODEC(ZSTD(3)),
    sites          Array(String) COMMENT 'staged: tenancies at these sites are rated by it',
    tenancies      Array(String) COMMENT 'staged: these tenancies are rated by it',
    person         String COMMENT 'Who, as claimed: nobody authenticates',
    reason         String COMMENT 'Why, in the person''s words',
    booked_ms      Int64 COMMENT 'When it was said, ms since 1970 UTC',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (tariff, edition, billing_offset)
COMMENT 'Who changed which prices, step by step. Natural key: offset.';
