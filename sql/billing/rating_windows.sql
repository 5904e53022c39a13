-- One row per segment, stream (a channel, or what of it is left when another is taken off) and share that starts in it: the cell of its local
-- start, and its quantity in 10⁻⁹ of the channel's unit. Only of channels whose windows are looked at one by one; an empty cell: it starts at no
-- instant of the calendar.
-- Nothing without rating_exact.
CREATE OR REPLACE TEMPORARY TABLE rating_windows
(
    segment UInt32, supply_point String, channel String, minus String, start_ms Int64, end_ms Int64, window_start_ms Int64,
    window_end_ms Int64, local_date Date, cell Array(UInt8), quantity_nano Int128, n_estimated UInt64, n_missing UInt64, quality String,
    revision UInt32
)
AS
WITH
    -- an estimate stands in for what is MISSING
    shares AS
    (
        SELECT *
        FROM rating_shares
        WHERE (supply_point, channel, start_ms, end_ms) NOT IN (SELECT supply_point, channel, start_ms, end_ms FROM rating_estimates)
        UNION ALL
        SELECT
            supply_point, channel, start_ms, end_ms, start_ms AS moment_ms, start_ms AS window_start_ms, end_ms AS window_end_ms, quantity_nano,
            1 AS n_estimated, 0 AS n_missing, 'ESTIMATED' AS quality, 0 AS revision
        FROM rating_estimates
    ),
    streams AS (SELECT * FROM rating_streams WHERE (segment, channel) IN (SELECT segment, channel FROM rating_exact)),
    located AS
    (
        SELECT
            streams.segment AS segment,
            streams.calendar AS calendar,
            shares.*
        FROM shares
        ASOF INNER JOIN (SELECT * FROM streams WHERE minus = '') AS streams
            ON streams.supply_point = shares.supply_point AND streams.channel = shares.channel AND shares.start_ms >= streams.service_start_ms
        WHERE shares.start_ms < streams.service_end_ms
    ),
    placed AS
    (
        SELECT located.*, moments.local_date AS local_date, moments.cell AS cell
        FROM located
        LEFT JOIN rating_moments AS moments ON moments.calendar = located.calendar AND moments.start_ms = located.moment_ms
    ),
    taken AS (SELECT segment, channel, start_ms, end_ms, quantity_nano, n_estimated, n_missing FROM placed),
    netted AS
    (
        SELECT
            placed.segment AS segment,
            placed.supply_point AS supply_point,
            placed.channel AS channel,
            placed.start_ms AS start_ms,
            placed.end_ms AS end_ms,
            placed.window_start_ms AS window_start_ms,
            placed.window_end_ms AS window_end_ms,
            placed.local_date AS local_date,
            placed.cell AS cell,
            placed.quality AS quality,
            placed.revision AS revision,
            streams.minus AS minus,
            greatest(
                toInt128(0),
                placed.quantity_nano - intDiv(taken.quantity_nano * streams.minus_numerator, greatest(toInt128(1), streams.minus_denominator))
            ) AS quantity_nano,
            placed.n_estimated + taken.n_estimated AS n_estimated,
            placed.n_missing + taken.n_missing AS n_missing
        FROM placed
        INNER JOIN (SELECT * FROM streams WHERE minus != '') AS streams
            ON streams.segment = placed.segment AND streams.channel = placed.channel
        LEFT JOIN taken
            ON taken.segment = placed.segment AND taken.channel = streams.minus AND taken.start_ms = placed.start_ms AND taken.end_ms = placed.end_ms
    )
SELECT
    segment, supply_point, channel, '' AS minus, start_ms, end_ms, window_start_ms, window_end_ms, local_date, cell, quantity_nano, n_estimated,
    n_missing, quality, revision
FROM placed
UNION ALL
SELECT
    segment, supply_point, channel, minus, start_ms, end_ms, window_start_ms, window_end_ms, local_date, cell, quantity_nano, n_estimated,
    n_missing, quality, revision
FROM netted
