-- One row per stretch of evidence: the elements of a record that follow one another and were judged alike. A list of a day was 48 rows, and inserting
-- and merging them took most of the time of the road. The view `evidence` spells stretches out.
CREATE TABLE evidence_stretches
(
    supply_point     LowCardinality(String) COMMENT 'Where the utility is delivered and billed',
    raw_partition    UInt16 COMMENT 'Carrier: partition of reads.raw that ordered it',
    raw_offset       UInt64 COMMENT 'Carrier: offset' CODEC(Delta, ZSTD),
    raw_sub          UInt32 COMMENT 'Carrier: position of the first inside a list record; those after it follow one by one' CODEC(T64, ZSTD),
    channel          LowCardinality(String) COMMENT 'Measured quantity; "" if unconfigured',
    device           LowCardinality(String) COMMENT 'The meter',
    register         LowCardinality(String) COMMENT 'The counter in it',
    kind             LowCardinality(String) COMMENT 'interval, register or edit',
    start_ms         Int64 COMMENT 'Start (in) of the first, ms since 1970 UTC; a register read: its instant' CODEC(DoubleDelta, ZSTD),
    length_ms        Int64 COMMENT 'Length of each, ms; each begins where the one before ends; a register read: 0' CODEC(T64, ZSTD),
    quantities_nano  Array(Nullable(Int64)) COMMENT 'Of each: 10⁻⁹ of the native unit, after the multiplier; NULL: register, or refused before known' CODEC(GCD, T64, LZ4),
    count            Nullable(Int64) COMMENT 'Register total in its last digit; NULL unless a register read' CODEC(T64, ZSTD),
    decimals         Nullable(Int32) COMMENT 'Places after the point in count; NULL unless a register read',
    quality          LowCardinality(String) COMMENT 'ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED, MISSING, as delivered',
    version          Int64 COMMENT 'Edition of the intervals; higher wins' CODEC(T64, ZSTD),
    verdict          LowCardinality(String) COMMENT 'ACCEPTED, DUPLICATE, CONFLICTING, SUPERSEDED, CORRECTED, REJECTED, BEYOND_HORIZON',
    checks_failed    Array(LowCardinality(String)) COMMENT 'Public ids of checks that failed, sorted',
    checks_not_run   Array(LowCardinality(String)) COMMENT 'Public ids of checks that could not run, sorted',
    origin_partition UInt16 COMMENT 'Where it was first received: partition',
    origin_offset    UInt64 COMMENT 'Where it was first received: offset' CODEC(Delta, ZSTD),
    origin_sub       UInt32 COMMENT 'Where the first was first received: position; those after it follow one by one' CODEC(T64, ZSTD),
    received_ms      Int64 COMMENT 'Time of receipt, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    known_at_ms      Int64 COMMENT 'Running maximum of append time when the fold saw it, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition',
    curated_offset   UInt64 COMMENT 'Place in reads.curated: offset' CODEC(Delta, ZSTD),
    CONSTRAINT quantities_in_range CHECK arrayAll(quantity -> abs(ifNull(quantity, 0)) < 1000000000000000000, quantities_nano)
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, raw_partition, raw_offset, raw_sub)
COMMENT 'Everything that arrived, judged once: elements in a row of one record, alike but for their quantities. Natural key: raw coordinates of the first, and supply point.';
-- rows are not carried over: they are made anew from the logs, so that what the fold repeats after a crash lands on itself
SELECT throwIf(total_rows > 0, 'these tables are of an earlier layout: make them anew from the logs with `meterfold rebuild`')
FROM system.tables
WHERE database = currentDatabase() AND name = 'evidence' AND engine = 'ReplacingMergeTree';
DROP TABLE IF EXISTS evidence;
