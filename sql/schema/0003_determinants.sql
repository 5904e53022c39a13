-- One row per hardened window of a channel (revision 0): the billing-grade quantity at the moment silent change ended.
CREATE TABLE determinants
(
    supply_point      LowCardinality(String) COMMENT 'Where the utility is delivered and billed',
    channel           LowCardinality(String) COMMENT 'Measured quantity: commodity, direction, unit, grid',
    start_ms          Int64 COMMENT 'Window start (in), ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    end_ms            Int64 COMMENT 'Window end (out), ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    unit              LowCardinality(String) COMMENT 'Native unit of the quantity',
    quantity_nano     Int64 COMMENT '10⁻⁹ of the unit, MISSING parts counted 0. Sum `quantity`: an Int64 sum wraps' CODEC(T64, ZSTD),
    n_actual          UInt32 COMMENT 'Native intervals in it that are ACTUAL' CODEC(T64, ZSTD),
    n_calculated      UInt32 COMMENT 'Native intervals in it that are CALCULATED' CODEC(T64, ZSTD),
    n_substituted     UInt32 COMMENT 'Native intervals in it that are SUBSTITUTED' CODEC(T64, ZSTD),
    n_estimated       UInt32 COMMENT 'Native intervals in it that are ESTIMATED' CODEC(T64, ZSTD),
    n_missing         UInt32 COMMENT 'Native intervals in it that are MISSING' CODEC(T64, ZSTD),
    quality           LowCardinality(String) COMMENT 'Worst present',
    methods           Array(LowCardinality(String)) COMMENT 'How its non-actual parts came about, sorted',
    missing_reason    LowCardinality(String) COMMENT 'NO_REFERENCE, POLICY_REFUSES or ""',
    hardened_by       LowCardinality(String) COMMENT 'read, heartbeat, gate or configuration',
    cause_partition   UInt16 COMMENT 'Raw partition of the record that caused it',
    cause_offset      UInt64 COMMENT 'Raw offset of that record' CODEC(Delta, ZSTD),
    cause_sub         UInt32 COMMENT 'Position in that record' CODEC(T64, ZSTD),
    rule_version      UInt32 COMMENT 'Rules of the fold in force',
    config_version    Int64 COMMENT 'Version of the configuration in force' CODEC(T64, ZSTD),
    known_at_ms       Int64 COMMENT 'Running maximum of append time when the fold knew it, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition',
    curated_offset    UInt64 COMMENT 'Place in reads.curated: offset' CODEC(Delta, ZSTD),
    start_utc         DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(start_ms, 'UTC'),
    end_utc           DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(end_ms, 'UTC'),
    quantity          Decimal(18, 9) ALIAS reinterpret(quantity_nano, 'Decimal(18, 9)') COMMENT 'Native unit',
    CONSTRAINT quantity_in_range CHECK abs(quantity_nano) < 1000000000000000000
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, channel, start_ms, end_ms)
COMMENT 'Hardened quantities, never amended. Natural key: supply point, channel, window.';
