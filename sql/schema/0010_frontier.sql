-- One row per kind and partition: everything of the log below next_offset is in these tables.
CREATE TABLE frontier
(
    kind        LowCardinality(String) COMMENT 'fold: reads.curated; ingest: reads.raw; billing: the billing log',
    partition   UInt16 COMMENT 'Partition of that log',
    next_offset UInt64 COMMENT 'Records at offsets below this are stored',
    known_at_ms Int64 COMMENT 'Running maximum of append time of those records, ms since 1970 UTC',
    known_at    DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(known_at_ms, 'UTC')
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (kind, partition)
COMMENT 'How far the projection has come. Natural key: kind, partition; the highest offset stands.';
