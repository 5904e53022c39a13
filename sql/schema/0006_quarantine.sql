-- One row per unit that was decoded but is held: by the fold (a supply point is named) or by ingest (it is "").
CREATE TABLE quarantine
(
    supply_point      LowCardinality(String) COMMENT '"" while no supply point is known',
    raw_partition     UInt16 COMMENT 'Carrier: partition of reads.raw; the payload is in raw_records',
    raw_offset        UInt64 COMMENT 'Carrier: offset' CODEC(Delta, ZSTD),
    raw_sub           UInt32 COMMENT 'Carrier: position inside a list record' CODEC(T64, ZSTD),
    channel           LowCardinality(String) COMMENT 'Channel, "" if unconfigured',
    device            LowCardinality(String) COMMENT 'The meter',
    register          LowCardinality(String) COMMENT 'The counter in it',
    kind              LowCardinality(String) COMMENT 'interval, register or edit',
    start_ms          Int64 COMMENT 'Interval start (in), ms since 1970 UTC; a register read: its instant' CODEC(Delta, ZSTD),
    end_ms            Int64 COMMENT 'Interval end (out), ms since 1970 UTC; a register read: its instant' CODEC(Delta, ZSTD),
    reason            LowCardinality(String) COMMENT 'Public id of the check that held it',
    origin_partition  UInt16 COMMENT 'Where it was first received: partition',
    origin_offset     UInt64 COMMENT 'Where it was first received: offset' CODEC(Delta, ZSTD),
    origin_sub        UInt32 COMMENT 'Where it was first received: position' CODEC(T64, ZSTD),
    received_ms       Int64 COMMENT 'Time of receipt, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    known_at_ms       Int64 COMMENT 'Running maximum of append time when it was held, ms since 1970 UTC' CODEC(DoubleDelta, ZSTD),
    curated_partition UInt16 COMMENT 'Place in reads.curated: partition (held by ingest: 0)',
    curated_offset    UInt64 COMMENT 'Place in reads.curated: offset (held by ingest: 0)' CODEC(Delta, ZSTD),
    start_utc         DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(start_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'start_ms, held within 1900 … 2299: what arrives may claim anything',
    end_utc           DateTime64(3, 'UTC')
        ALIAS fromUnixTimestamp64Milli(least(greatest(end_ms, -2208988800000), 10413791999999), 'UTC')
        COMMENT 'end_ms, held within 1900 … 2299: what arrives may claim anything'
)
ENGINE = ReplacingMergeTree
ORDER BY (supply_point, raw_partition, raw_offset, raw_sub)
COMMENT 'Held and releasable. Natural key: raw coordinates and supply point.';
