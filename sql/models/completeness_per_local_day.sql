-- One row per supply point, channel and local day between its first and last hardened window, counted in windows of the billing grid.
-- Each window counts once, under the worst quality in it; open = no determinant yet. Read-to-read channels have no grid and are not here.
CREATE OR REPLACE VIEW completeness_per_local_day AS
WITH
    windows AS (SELECT * FROM current_determinants),
    channels AS (SELECT * FROM ref_channels WHERE channel_kind != 'spans'),
    sites AS (SELECT * FROM ref_sites),
    offsets AS (SELECT * FROM ref_utc_offsets),
    placed AS
    (
        SELECT
            windows.supply_point AS supply_point,
            windows.channel AS channel,
            channels.site AS site,
            channels.grid_s AS grid_s,
            windows.start_ms AS start_ms,
            windows.quality AS quality
        FROM windows
        INNER JOIN channels ON channels.supply_point = windows.supply_point AND channels.channel = windows.channel
    ),
    dated AS
    (
        SELECT
            placed.supply_point AS supply_point,
            placed.channel AS channel,
            placed.site AS site,
            placed.grid_s AS grid_s,
            placed.quality AS quality,
            toDate(toUInt16(intDiv(placed.start_ms + offsets.offset_s * 1000, 86400000))) AS local_date
        FROM placed
        ASOF INNER JOIN offsets ON offsets.site = placed.site AND placed.start_ms >= offsets.from_ms
    ),
    counted AS
    (
        SELECT
            supply_point,
            channel,
            local_date,
            countIf(quality = 'ACTUAL') AS actual,
            countIf(quality = 'CALCULATED') AS calculated,
            countIf(quality = 'SUBSTITUTED') AS substituted,
            countIf(quality = 'ESTIMATED') AS estimated,
            countIf(quality = 'MISSING') AS missing
        FROM dated
        GROUP BY supply_point, channel, local_date
    ),
    reach AS
    (
        SELECT supply_point, channel, any(site) AS site, any(grid_s) AS grid_s, min(local_date) AS first_date, max(local_date) AS last_date
        FROM dated
        GROUP BY supply_point, channel
    ),
    days AS
    (
        SELECT supply_point, channel, site, grid_s, first_date + arrayJoin(range(toUInt32(last_date - first_date + 1))) AS local_date
        FROM reach
    ),
    measured AS
    (
        SELECT
            days.supply_point AS supply_point,
            days.channel AS channel,
            days.site AS site,
            days.local_date AS local_date,
            meterfold_day_start_ms(days.local_date, offset_from_ms, offset_until_ms, offset_s) AS day_start_ms,
            meterfold_day_start_ms(days.local_date + 1, offset_from_ms, offset_until_ms, offset_s) AS day_end_ms,
            if(days.grid_s = 0, 1, intDiv(day_end_ms - day_start_ms, days.grid_s * 1000)) AS expected
        FROM days
        INNER JOIN sites ON sites.site = days.site
    )
SELECT
    measured.supply_point AS supply_point,
    measured.channel AS channel,
    measured.site AS site,
    measured.local_date AS local_date,
    measured.expected AS expected,
    counted.actual AS actual,
    counted.calculated AS calculated,
    counted.substituted AS substituted,
    counted.estimated AS estimated,
    counted.missing AS missing,
    expected - actual - calculated - substituted - estimated - missing AS open
FROM measured
LEFT JOIN counted
    ON counted.supply_point = measured.supply_point AND counted.channel = measured.channel AND counted.local_date = measured.local_date
