-- One row per arriving interval, register read or edit, with the one verdict it was given on arrival.
CREATE TABLE evidence
(
    supply_point     LowCardinality(String) COMMENT 'Where the utility is delivered and billed',
    raw_partition    UInt16 COMMENT 'Carrier: partition of reads.raw that ordered it',
    raw_offset       UInt64 COMMENT 'Carrier: offset' CODEC(Delta, ZSTD),
    raw_sub          UInt32 COMMENT 'Carrier: position inside a list record' CODEC(Delta, ZSTD),
    channel          LowCardinality(String) COMMENT 'Measured quantity; "" if unconfigured',
    device           LowCardinality(String) COMMENT 'The meter',
    register         LowCardinality(String) COMMENT 'The counter in it',
    kind             LowCardinality(String) COMMENT 'interval, register or edit',
    start_ms         Int64 COMMENT 'Interval start (in), ms since 1970 UTC; a register read: its instant' CODEC(DoubleDelta, ZSTD),
    end_ms           Int64 COMMENT 'Interval end (out), ms since 1970 UTC; a register read: its instant' CODEC(DoubleDelta, ZSTD),
    quantity_nano    Nullable(Int64)
        COMMENT '10⁻⁹ of the native unit, after the multiplier; NULL: register, or refused before known. Sum `quantity`: an Int64 sum wraps'
        CODEC(T64, ZSTD),
    count            Nullable(Int64) COMMENT 'Register total in its last digit; NULL unless a register read' CODEC(T64, ZSTD),
    decimals         Nullable(Int32) COMMENT 'Places after the point in count; NULL unless a register read',
    quality          LowCardinality(String) COMMENT 'ACTUAL, CALCULATED, SUBSTITUTED, ESTIMATED, MISSING, as delivered',
    version          Int64 COMMENT 'Edition of the interval; higher wins' CODEC(T64, ZSTD),
    verdict          LowCardinality(String) COMMENT 'ACCEPTED, DUPLICATE, CONFLICTING, SUPERSEDED, CORRECTED, REJECTED, BEYOND_HORIZON',
    checks_failed    Array(LowCardinality(String)) COMMENT 'Public ids of checks that failed, sorted',
    checks_not_run   Array(LowCardinality(String)) COMMENT 'Public ids of checks that could not run, sorted',
    origin_partition UInt16 COMMENT 'Where it was first received: partition',
    origin_offset    UInt64 COMMENT 'Where it was first received: offset' CODEC(Delta, ZSTD),
    origin_sub       UInt32 COMMENT 'Where it was first received: position' CODEC(Delta, ZSTD),
    received_ms      Int64 COMMENT 'Time of receipt, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    known_at_ms      Int64 COMMENT 'Running maximum of append time when the fold saw it, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition',
    curated_offset   UInt64 COMMENT 'Place in reads.curated: offset' CODEC(Delta, ZSTD),
    start_utc        DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(start_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'start_ms, held within 1900 … 2299: what arrives may claim anything',
    end_utc          DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(end_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'end_ms, held within 1900 … 2299: what arrives may claim anything',
    quantity         Nullable(Decimal(18, 9)) ALIAS reinterpret(quantity_nano, 'Decimal(18, 9)') COMMENT 'Native unit',
    CONSTRAINT quantity_in_range CHECK abs(ifNull(quantity_nano, 0)) < 1000000000000000000
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, raw_partition, raw_offset, raw_sub)
COMMENT 'Everything that arrived, judged once. Natural key: raw coordinates and supply point.';
