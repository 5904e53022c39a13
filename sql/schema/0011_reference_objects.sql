-- One row per version of an object of the portfolio, as the billing log has it.
CREATE TABLE reference_objects
(
    kind           LowCardinality(String) COMMENT 'legal_entity, site, supply_point, account, tenancy, tariff, …',
    id             String COMMENT 'Name of the object within its kind',
    version        Int64 COMMENT 'Edition; rises with each change',
    body           String COMMENT 'JSON of the object; the ref_ views give its columns' CODEC(ZSTD(3)),
    ended_reason   Nullable(String) COMMENT 'Why the object left the portfolio; NULL while it is in it',
    is_withdrawn   Bool COMMENT 'It left because it should never have been: nothing is charged by it',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log',
    appended_ms    Int64 COMMENT 'Append time of the record, ms since 1970 UTC'
)
ENGINE = ReplacingMergeTree(billing_offset)
ORDER BY (kind, id, version)
COMMENT 'Reference data, every version. Natural key: kind, id, version.';
