-- One row per stretch of windows: those that follow one another, that one record hardened, and that are alike but for their quantities. The view
-- `determinants` spells stretches out.
CREATE TABLE determinant_stretches
(
    supply_point      LowCardinality(String) COMMENT 'Where the utility is delivered and billed',
    channel           LowCardinality(String) COMMENT 'Measured quantity: commodity, direction, unit, grid',
    start_ms          Int64 COMMENT 'Start (in) of the first window, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    length_ms         Int64 COMMENT 'Length of each window, ms; each begins where the one before ends' CODEC(T64, ZSTD),
    unit              LowCardinality(String) COMMENT 'Native unit of the quantities',
    quantities_nano   Array(Int64) COMMENT 'Of each window: 10⁻⁹ of the unit, MISSING parts counted 0. An Int64 sum wraps' CODEC(GCD, T64, LZ4),
    n_actual          UInt32 COMMENT 'Native intervals in each window that are ACTUAL' CODEC(T64, ZSTD),
    n_calculated      UInt32 COMMENT 'Native intervals in each window that are CALCULATED' CODEC(T64, ZSTD),
    n_substituted     UInt32 COMMENT 'Native intervals in each window that are SUBSTITUTED' CODEC(T64, ZSTD),
    n_estimated       UInt32 COMMENT 'Native intervals in each window that are ESTIMATED' CODEC(T64, ZSTD),
    n_missing         UInt32 COMMENT 'Native intervals in each window that are MISSING' CODEC(T64, ZSTD),
    quality           LowCardinality(String) COMMENT 'Worst present',
    methods           Array(LowCardinality(String)) COMMENT 'How their non-actual parts came about, sorted',
    missing_reason    LowCardinality(String) COMMENT 'NO_REFERENCE, POLICY_REFUSES or ""',
    hardened_by       LowCardinality(String) COMMENT 'read, heartbeat, gate or configuration',
    cause_partition   UInt16 COMMENT 'Raw partition of the record that caused them',
    cause_offset      UInt64 COMMENT 'Raw offset of that record' CODEC(Delta, ZSTD),
    cause_subs        Array(UInt32) COMMENT 'Of each window: the position in that record' CODEC(T64, LZ4),
    rule_version      UInt32 COMMENT 'Rules of the fold in force',
    config_version    Int64 COMMENT 'Version of the configuration in force' CODEC(T64, ZSTD),
    known_at_ms       Int64 COMMENT 'Running maximum of append time when the fold knew them, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition',
    curated_offset    UInt64 COMMENT 'Place in reads.curated: offset' CODEC(Delta, ZSTD),
    end_ms            Int64 ALIAS start_ms + length_ms * length(quantities_nano) COMMENT 'End (out) of the last window, ms since 1970 UTC',
    CONSTRAINT quantities_in_range CHECK arrayAll(quantity -> abs(quantity) < 1000000000000000000, quantities_nano)
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, channel, start_ms, curated_partition, curated_offset)
COMMENT 'Hardened quantities, never amended: windows in a row that one record hardened, alike but for their quantities. Natural key: supply point, channel, first window, and the record (of two there is one too many).';
-- rows are not carried over: they are made anew from the logs, so that what the fold repeats after a crash lands on itself
SELECT throwIf(total_rows > 0, 'these tables are of an earlier layout: make them anew from the logs with `meterfold rebuild`')
FROM system.tables
WHERE database = currentDatabase() AND name = 'determinants' AND engine = 'ReplacingMergeTree';
DROP TABLE IF EXISTS determinants;
