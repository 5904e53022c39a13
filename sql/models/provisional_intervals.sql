-- One row per interval that has accepted evidence and no determinant yet: the evidence in force (PROVISIONAL).
-- A channel hardens in time order, so what starts at or after its last hardened end is open. Register reads are not intervals and are not here.
CREATE OR REPLACE VIEW provisional_intervals AS
WITH
    arrived AS
    (
        SELECT *
        FROM evidence FINAL
        WHERE verdict IN ('ACCEPTED', 'CORRECTED') AND kind IN ('interval', 'edit') AND channel != ''
    ),
    hardened AS
    (
        SELECT supply_point, channel, max(end_ms) AS hardened_to_ms
        FROM determinants
        GROUP BY supply_point, channel
    ),
    in_force AS
    (
        SELECT
            supply_point,
            channel,
            start_ms,
            end_ms,
            -- accepted in this order; each later one replaced the one before
            argMax(
                (quantity_nano, quality, version, device, register, raw_partition, raw_offset, raw_sub, known_at_ms),
                (curated_offset, raw_sub)
            ) AS best
        FROM arrived
        GROUP BY supply_point, channel, start_ms, end_ms
    )
SELECT
    in_force.supply_point AS supply_point,
    in_force.channel AS channel,
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_utc,
    reinterpret(assumeNotNull(best.1), 'Decimal(18, 9)') AS quantity,
    best.2 AS quality,
    best.3 AS version,
    best.4 AS device,
    best.5 AS register,
    best.6 AS raw_partition,
    best.7 AS raw_offset,
    best.8 AS raw_sub,
    fromUnixTimestamp64Milli(best.9, 'UTC') AS known_at,
    start_ms,
    end_ms
FROM in_force
LEFT JOIN hardened ON hardened.supply_point = in_force.supply_point AND hardened.channel = in_force.channel
-- no determinant at all: the join gives 0
WHERE start_ms >= hardened_to_ms OR ifNull(hardened_to_ms, 0) = 0
