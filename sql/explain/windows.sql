-- One row per window (or local day's share of a span) that the line rests on, as its run saw it, in time order by role and channel. One that had not
-- hardened has no determinant (hardened_by ''), and `of_windows` counts those that its estimate is the mean of.
WITH
    windows AS (SELECT * FROM explained_windows),
    standing AS
    (
        SELECT *
        FROM determinants_within_frontier(partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)})
        WHERE supply_point = {supply_point:String} AND channel IN (SELECT channel FROM windows)
    ),
    estimates AS (SELECT * FROM rating_estimates),
    priced AS
    (
        SELECT start_ms, end_ms, price, '' AS side
        FROM rating_series
        WHERE series IN (
            SELECT series FROM rating_prices
            WHERE tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND charge = {charge:String} AND series != ''
        )
    ),
    placed AS
    (
        SELECT windows.*, if(priced.end_ms >= windows.end_ms, priced.price, NULL) AS window_price
        FROM (SELECT *, '' AS side FROM windows) AS windows
        ASOF LEFT JOIN priced ON priced.side = windows.side AND windows.start_ms >= priced.start_ms
    )
SELECT
    fromUnixTimestamp64Milli(windows.start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(windows.end_ms, 'UTC') AS end_utc,
    fromUnixTimestamp64Milli(windows.window_start_ms, 'UTC') AS window_start_utc,
    fromUnixTimestamp64Milli(windows.window_end_ms, 'UTC') AS window_end_utc,
    windows.local_date AS local_date,
    windows.unit AS unit,
    windows.quantity AS quantity,
    if(standing.end_ms = windows.window_end_ms, toNullable(standing.quantity_hardened), NULL) AS quantity_hardened,
    windows.revision AS revision,
    windows.quality AS quality,
    if(estimates.method = '', standing.methods, [estimates.method]) AS methods,
    standing.hardened_by AS hardened_by,
    standing.rule_version AS rule_version,
    standing.config_version AS config_version,
    windows.channel AS channel,
    windows.role AS role,
    windows.window_price AS price,
    estimates.of_windows AS of_windows
FROM placed AS windows
LEFT JOIN standing
    ON standing.channel = windows.channel AND standing.start_ms = windows.window_start_ms AND standing.end_ms = windows.window_end_ms
LEFT JOIN estimates
    ON estimates.supply_point = {supply_point:String} AND estimates.channel = windows.channel AND estimates.start_ms = windows.start_ms
        AND estimates.end_ms = windows.end_ms
ORDER BY windows.role = 'counted' DESC, windows.role, windows.channel, windows.start_ms, windows.end_ms
