-- One row per signed change of a hardened window; revisions count 1, 2, … without holes.
CREATE TABLE adjustments
(
    supply_point      LowCardinality(String) COMMENT 'Where the utility is delivered and billed',
    channel           LowCardinality(String) COMMENT 'Measured quantity: commodity, direction, unit, grid',
    start_ms          Int64 COMMENT 'Window start (in), ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    end_ms            Int64 COMMENT 'Window end (out), ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    revision          UInt32 COMMENT '1 for the first change of the determinant' CODEC(T64, ZSTD),
    unit              LowCardinality(String) COMMENT 'Native unit of the quantities',
    old_nano          Int64 COMMENT 'Standing before, 10⁻⁹ of the unit' CODEC(T64, ZSTD),
    new_nano          Int64 COMMENT 'Standing after, 10⁻⁹ of the unit' CODEC(T64, ZSTD),
    delta_nano        Int64 COMMENT 'new − old, 10⁻⁹ of the unit. Sum `delta`: an Int64 sum wraps' CODEC(T64, ZSTD),
    n_actual          UInt32 COMMENT 'After the change: native intervals that are ACTUAL' CODEC(T64, ZSTD),
    n_calculated      UInt32 COMMENT 'After the change: native intervals that are CALCULATED' CODEC(T64, ZSTD),
    n_substituted     UInt32 COMMENT 'After the change: native intervals that are SUBSTITUTED' CODEC(T64, ZSTD),
    n_estimated       UInt32 COMMENT 'After the change: native intervals that are ESTIMATED' CODEC(T64, ZSTD),
    n_missing         UInt32 COMMENT 'After the change: native intervals that are MISSING' CODEC(T64, ZSTD),
    quality           LowCardinality(String) COMMENT 'After the change: worst present',
    methods           Array(LowCardinality(String)) COMMENT 'After the change: how its non-actual parts came about, sorted',
    missing_reason    LowCardinality(String) COMMENT 'After the change: NO_REFERENCE, POLICY_REFUSES or ""',
    reason            LowCardinality(String) COMMENT 'Why: LATE_READ, CORRECTED_READ, ESTIMATE_REPLACED, METER_EXCHANGED, …',
    corrects_revision UInt32 COMMENT 'The revision it stands on: revision − 1' CODEC(T64, ZSTD),
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
    delta             Decimal(38, 9) ALIAS reinterpret(toInt128(delta_nano), 'Decimal(38, 9)')
        COMMENT 'Native unit; may reach twice the bound of a quantity',
    CONSTRAINT old_in_range CHECK abs(old_nano) < 1000000000000000000,
    CONSTRAINT new_in_range CHECK abs(new_nano) < 1000000000000000000
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, channel, start_ms, end_ms, revision)
COMMENT 'Signed changes to determinants, never amended. Natural key: supply point, channel, window, revision.';
