-- One row per window (or local day's share of a span) that the line charges, as its run saw it, in time order.
WITH
    windows AS
    (
        SELECT *
        FROM rating_windows
        WHERE period_from = {period_from:Date} AND supply_point = {supply_point:String} AND channel = {channel:String}
            AND tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND band = {band:String}
    ),
    standing AS
    (
        SELECT *
        FROM determinants_within_frontier(partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)})
        WHERE supply_point = {supply_point:String} AND channel = {channel:String}
    )
SELECT
    fromUnixTimestamp64Milli(windows.start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(windows.end_ms, 'UTC') AS end_utc,
    fromUnixTimestamp64Milli(windows.window_start_ms, 'UTC') AS window_start_utc,
    fromUnixTimestamp64Milli(windows.window_end_ms, 'UTC') AS window_end_utc,
    windows.local_date AS local_date,
    windows.channel_unit AS unit,
    windows.quantity AS quantity,
    standing.quantity_hardened AS quantity_hardened,
    windows.revision AS revision,
    windows.quality AS quality,
    standing.methods AS methods,
    standing.hardened_by AS hardened_by,
    standing.rule_version AS rule_version,
    standing.config_version AS config_version
FROM windows
INNER JOIN standing ON standing.start_ms = windows.window_start_ms AND standing.end_ms = windows.window_end_ms
ORDER BY windows.start_ms, windows.end_ms
