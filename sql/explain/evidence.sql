-- One row per accepted interval or edit inside the windows of the line, and per register read from the last at or before the first window to
-- the first at or after the last one; with the place in the raw log, and the file and line it came from. is_in_force: none replaced it since.
WITH
    windows AS (SELECT DISTINCT channel, window_start_ms, window_end_ms FROM explained_windows),
    reach AS (SELECT min(window_start_ms) AS first_ms, max(window_end_ms) AS last_ms FROM windows),
    accepted AS
    (
        SELECT *, quantity
        FROM evidence FINAL
        WHERE supply_point = {supply_point:String} AND channel IN (SELECT channel FROM windows) AND verdict IN ('ACCEPTED', 'CORRECTED')
            AND curated_offset < transform(curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
    ),
    reads AS (SELECT * FROM accepted WHERE kind = 'register'),
    reads_reach AS
    (
        SELECT
            maxIf(start_ms, start_ms <= (SELECT first_ms FROM reach)) AS from_ms,
            minIf(start_ms, start_ms >= (SELECT last_ms FROM reach)) AS until_ms
        FROM reads
    ),
    chosen AS
    (
        SELECT * FROM reads
        WHERE (SELECT count() FROM windows) > 0
            AND start_ms >= if((SELECT from_ms FROM reads_reach) = 0, (SELECT first_ms FROM reach), (SELECT from_ms FROM reads_reach))
            AND start_ms <= if((SELECT until_ms FROM reads_reach) = 0, (SELECT last_ms FROM reach), (SELECT until_ms FROM reads_reach))
        UNION ALL
        SELECT accepted.*
        FROM (SELECT * FROM accepted WHERE kind != 'register') AS accepted
        ASOF INNER JOIN windows ON windows.channel = accepted.channel AND accepted.start_ms >= windows.window_start_ms
        WHERE accepted.start_ms < windows.window_end_ms
    ),
    ranked AS
    (
        SELECT
            *,
            row_number() OVER (
                PARTITION BY channel, kind = 'register', start_ms, if(kind = 'register', device, ''), if(kind = 'register', register, '')
                ORDER BY curated_offset DESC, raw_partition, raw_offset DESC, raw_sub DESC
            ) AS rank
        FROM chosen
    ),
    archive AS (SELECT raw_partition, raw_offset, payload FROM raw_records FINAL)
SELECT
    fromUnixTimestamp64Milli(start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(end_ms, 'UTC') AS end_utc,
    kind,
    quantity,
    count,
    decimals,
    quality,
    version,
    verdict,
    rank = 1 AS is_in_force,
    device,
    register,
    ranked.raw_partition AS raw_partition,
    ranked.raw_offset AS raw_offset,
    raw_sub,
    origin_partition,
    origin_offset,
    origin_sub,
    fromUnixTimestamp64Milli(received_ms, 'UTC') AS received_utc,
    JSONExtractString(payload, 'source', 'file') AS file,
    -- the elements of a window stand on lines of their own, those of a day on one
    JSONExtractUInt(payload, 'source', 'line') + if(JSONExtractString(payload, 'type') = 'window', origin_sub, 0) AS line,
    JSONExtractString(payload, 'source', 'import') AS import,
    JSONExtractRaw(payload, 'words') AS words
FROM ranked
LEFT JOIN archive ON archive.raw_partition = ranked.origin_partition AND archive.raw_offset = ranked.origin_offset
ORDER BY start_ms, end_ms, device, register, ranked.raw_partition, ranked.raw_offset, raw_sub
