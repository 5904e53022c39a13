-- One row per adjustment to the windows of the line that its run saw, in time order; is_new: not seen by the run of the last document before.
WITH
    windows AS (SELECT channel, window_start_ms, window_end_ms FROM explained_windows),
    changes AS (SELECT *, delta FROM adjustments FINAL WHERE supply_point = {supply_point:String} AND channel IN (SELECT channel FROM windows)),
    previous AS
    (
        SELECT argMax(run_id, issued_offset) AS run_id
        FROM issued_lines
        WHERE account = {account:String} AND period_from = {period_from:Date} AND issued_offset < {known_billing_offset:UInt64}
    ),
    seen_before AS
    (
        SELECT frontier_partitions AS partitions, frontier_offsets AS offsets FROM bill_runs FINAL WHERE run_id IN (SELECT run_id FROM previous)
    ),
    seen AS
    (
        SELECT arrayJoin(arrayZip(partitions, offsets)) AS pair, pair.1 AS curated_partition, pair.2 AS next_offset FROM seen_before
    )
SELECT
    fromUnixTimestamp64Milli(changes.start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(changes.end_ms, 'UTC') AS end_utc,
    changes.revision AS revision,
    changes.delta AS delta,
    changes.unit AS unit,
    changes.reason AS reason,
    changes.quality AS quality,
    changes.cause_partition AS cause_partition,
    changes.cause_offset AS cause_offset,
    changes.cause_sub AS cause_sub,
    changes.rule_version AS rule_version,
    changes.config_version AS config_version,
    fromUnixTimestamp64Milli(changes.known_at_ms, 'UTC') AS known_at,
    (SELECT count() FROM seen_before) > 0 AND changes.curated_offset >= seen.next_offset AS is_new
FROM changes
LEFT JOIN seen ON seen.curated_partition = changes.curated_partition
WHERE (changes.channel, changes.start_ms, changes.end_ms) IN (SELECT channel, window_start_ms, window_end_ms FROM windows)
    AND changes.curated_offset
        < transform(changes.curated_partition, {partitions:Array(UInt16)}, {next_offsets:Array(UInt64)}, toUInt64(0))
ORDER BY changes.start_ms, changes.end_ms, changes.revision, changes.channel
