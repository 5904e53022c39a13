-- One row per held unit that is still to be dealt with: no later carrier cites the same origin, and, where it came beyond the
-- horizon, no restatement has adjusted its window since (nothing else adjusts a window before the horizon). What a device said of itself
-- (heartbeat, status) while nobody knew it is of no use once reads of it have a verdict.
CREATE OR REPLACE VIEW open_quarantine AS
WITH
    held AS (SELECT * FROM quarantine FINAL),
    judged AS (SELECT DISTINCT device FROM evidence),
    archive AS (SELECT raw_partition, raw_offset, payload FROM raw_records FINAL),
    carriers AS
    (
        SELECT origin_partition, origin_offset, origin_sub, raw_partition, raw_offset FROM held
        UNION ALL
        SELECT origin_partition, origin_offset, origin_sub, raw_partition, raw_offset FROM evidence FINAL
    ),
    last_carriers AS
    (
        SELECT origin_partition, origin_offset, origin_sub, max((raw_partition, raw_offset)) AS last_carrier
        FROM carriers
        GROUP BY origin_partition, origin_offset, origin_sub
    ),
    still_held AS
    (
        SELECT
            held.* EXCEPT (origin_partition, origin_offset, origin_sub),
            held.origin_partition AS origin_partition,
            held.origin_offset AS origin_offset,
            held.origin_sub AS origin_sub
        FROM held
        INNER JOIN last_carriers
            ON last_carriers.origin_partition = held.origin_partition
            AND last_carriers.origin_offset = held.origin_offset
            AND last_carriers.origin_sub = held.origin_sub
        WHERE (held.raw_partition, held.raw_offset) = last_carriers.last_carrier
            AND NOT (held.kind IN ('heartbeat', 'status') AND held.device IN judged)
    ),
    restated AS
    (
        SELECT DISTINCT supply_point, raw_partition, raw_offset, raw_sub
        FROM still_held
        INNER JOIN adjustments AS a FINAL
            ON a.supply_point = still_held.supply_point
            AND a.channel = still_held.channel
        WHERE still_held.reason = 'beyond_horizon'
            AND a.curated_partition = still_held.curated_partition
            AND a.curated_offset > still_held.curated_offset
            AND a.start_ms <= still_held.start_ms
            AND (still_held.start_ms < a.end_ms OR (still_held.kind = 'register' AND still_held.start_ms = a.end_ms))
    )
SELECT
    still_held.supply_point AS supply_point,
    still_held.channel AS channel,
    still_held.device AS device,
    still_held.register AS register,
    still_held.kind AS kind,
    still_held.reason AS reason,
    fromUnixTimestamp64Milli(least(greatest(still_held.start_ms, -2208988800000), 10413791999999), 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(least(greatest(still_held.end_ms, -2208988800000), 10413791999999), 'UTC') AS end_utc,
    still_held.raw_partition AS raw_partition,
    still_held.raw_offset AS raw_offset,
    still_held.raw_sub AS raw_sub,
    still_held.origin_partition AS origin_partition,
    still_held.origin_offset AS origin_offset,
    still_held.origin_sub AS origin_sub,
    fromUnixTimestamp64Milli(still_held.received_ms, 'UTC') AS received_utc,
    fromUnixTimestamp64Milli(still_held.known_at_ms, 'UTC') AS known_at,
    archive.payload AS payload
FROM still_held
LEFT JOIN archive ON archive.raw_partition = still_held.origin_partition AND archive.raw_offset = still_held.origin_offset
WHERE (still_held.supply_point, still_held.raw_partition, still_held.raw_offset, still_held.raw_sub) NOT IN restated
