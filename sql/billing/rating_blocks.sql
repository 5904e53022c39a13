-- One row per account, billing period and reason why it cannot be billed as a whole: where, from when, until when, how many, and in words.
-- NOT_ENDED only says that a period is still running on some site's clock. A period with no row here is ready. `remedy` is what to do about it
-- where `detail` does not say so.
CREATE OR REPLACE TEMPORARY TABLE rating_blocks
(
    account String, period_from Date, period_to Date, reason String, supply_point String, channel String, from_ms Int64, until_ms Int64,
    windows UInt64, detail String, remedy String
)
AS
WITH
    complaints AS
    (
        SELECT tariff, tariff_version, channel, complaint FROM rating_prices WHERE complaint != ''
        UNION ALL
        SELECT tariff, tariff_version, '' AS channel, complaint FROM rating_taxes WHERE complaint != ''
    ),
    -- windows of an energy charge that none of its bands prices, or that start at no instant of the grid
    unbanded AS
    (
        SELECT segment, channel, max(first_ms) AS first_ms, max(windows) AS windows
        FROM
        (
            SELECT
                metered.segment AS segment, metered.channel AS channel, metered.price AS price,
                min(rating_cells.first_ms) AS first_ms, sum(rating_cells.windows) AS windows
            FROM rating_metered AS metered
            INNER JOIN rating_cells ON rating_cells.segment = metered.segment AND rating_cells.channel = metered.channel
            WHERE metered.kind = 'energy' AND rating_cells.cell[metered.cell_no] = 0
                AND rating_cells.minus = if(metered.net = 'interval', metered.minus, '')
            GROUP BY metered.segment, metered.channel, metered.price
            UNION ALL
            SELECT segment, channel, 0 AS price, first_unplaced_ms AS first_ms, unplaced_count AS windows FROM rating_tiles WHERE unplaced_count > 0
        )
        GROUP BY segment, channel
    ),
    all_tenancies AS
    (
        SELECT *
        FROM ref_tenancies_history
        WHERE NOT is_withdrawn AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    off_calendar AS
    (
        SELECT DISTINCT account, period_from, period_to
        FROM rating_billed
        WHERE (account, period_from, period_to) NOT IN (SELECT account, period_from, period_to FROM rating_periods)
    ),
    accounts AS (SELECT * FROM rating_accounts WHERE NOT is_withdrawn),
    priced AS
    (
        SELECT account, period_from, tenancy, sum(dateDiff('day', service_from, service_to)) AS days
        FROM rating_segments
        GROUP BY account, period_from, tenancy
    )
SELECT
    account, period_from, period_to, 'NOT_ENDED' AS reason, supply_point, '' AS channel, service_start_ms AS from_ms,
    service_end_ms AS until_ms, toUInt64(0) AS windows, 'the period has not ended at ' || site AS detail, '' AS remedy
FROM rating_tenancies
WHERE service_end_ms > {as_of_ms:Int64}

UNION ALL
SELECT
    account, period_from, period_to, 'NO_REFERENCE_DATA' AS reason, supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    if(
        site = '', 'the supply point of tenancy ' || tenancy || ' is not in the portfolio',
        'site ' || site || ' has no clock (utc_offsets) in the portfolio'
    ) AS detail, '' AS remedy
FROM rating_tenancies
WHERE empty(offset_s)

UNION ALL
SELECT
    account, period_from, period_to, 'TENANCY_ENDED_WITHOUT_DATE' AS reason, supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tenancy ' || tenancy || ' left the portfolio with no end date; give it one, or withdraw it' AS detail, '' AS remedy
FROM rating_tenancies
WHERE is_ended_without_date

UNION ALL
SELECT
    tenancies.account AS account, period_from, period_to, 'TENANCY_OVERLAP' AS reason, tenancies.supply_point AS supply_point,
    '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tenancies ' || tenancies.tenancy || ' and ' || min(all_tenancies.tenancy) || ' occupy the supply point on the same days' AS detail, '' AS remedy
FROM rating_tenancies AS tenancies
INNER JOIN all_tenancies ON all_tenancies.supply_point = tenancies.supply_point
WHERE all_tenancies.tenancy != tenancies.tenancy
    AND all_tenancies.from_date < service_to
    AND (all_tenancies.to_date IS NULL OR (all_tenancies.to_date > service_from AND all_tenancies.from_date < all_tenancies.to_date))
GROUP BY tenancies.account, period_from, period_to, tenancies.supply_point, tenancies.tenancy

UNION ALL
SELECT
    tenancies.account AS account, tenancies.period_from AS period_from, tenancies.period_to AS period_to, 'NO_TARIFF' AS reason,
    tenancies.supply_point AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tariff ' || tenancies.tariff || ' has no prices for '
        || toString(dateDiff('day', tenancies.service_from, tenancies.service_to) - priced.days) || ' days of tenancy ' || tenancies.tenancy
        AS detail, '' AS remedy
FROM rating_tenancies AS tenancies
LEFT JOIN priced ON priced.account = tenancies.account AND priced.period_from = tenancies.period_from AND priced.tenancy = tenancies.tenancy
WHERE priced.days != dateDiff('day', tenancies.service_from, tenancies.service_to)

UNION ALL
SELECT
    account, period_from, period_to, 'BAD_TARIFF' AS reason, supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tariff ' || tariff || ' version ' || tariff_version || multiIf(
        tariff_currency != currency, ' is in ' || tariff_currency || ', the account in ' || currency,
        is_ambiguous, ' shares its name or its first day with another version',
        ' has `charges` or `taxes` that are no list'
    ) AS detail, '' AS remedy
FROM rating_segments
WHERE tariff_currency != currency OR is_ambiguous OR is_misshapen

UNION ALL
SELECT DISTINCT
    segments.account AS account, segments.period_from AS period_from, segments.period_to AS period_to, 'BAD_TARIFF' AS reason,
    segments.supply_point AS supply_point, complaints.channel AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tariff ' || segments.tariff || ' version ' || segments.tariff_version || ' ' || complaints.complaint AS detail, '' AS remedy
FROM rating_segments AS segments
INNER JOIN complaints ON complaints.tariff = segments.tariff AND complaints.tariff_version = segments.tariff_version

UNION ALL
-- Nothing without rating_tax_charges.
SELECT
    account, period_from, period_to, 'BAD_TARIFF' AS reason, '' AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'the tariffs of the account have taxes that are on each other: ' || arrayStringConcat(arraySort(groupArray(tax)), ', ') AS detail, '' AS remedy
FROM rating_tax_charges
WHERE is_circular
GROUP BY account, period_from, period_to

UNION ALL
-- Nothing without rating_tax_charges.
SELECT
    account, period_from, period_to, 'BAD_TARIFF' AS reason, '' AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'no rate is stated for the day on which they are due, of the taxes: ' || arrayStringConcat(arraySort(groupUniqArray(tax)), ', ') AS detail,
    '' AS remedy
FROM rating_tax_charges
WHERE is_without_rate
GROUP BY account, period_from, period_to

UNION ALL
SELECT
    account, period_from, period_to, 'NO_CHANNEL' AS reason, supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tariff ' || tariff || ' version ' || tariff_version || ' prices no channel that the supply point has' AS detail, '' AS remedy
FROM rating_segments
WHERE is_metered AND site != '' AND segment NOT IN (SELECT segment FROM rating_metered)

UNION ALL
SELECT DISTINCT
    segments.account AS account, segments.period_from AS period_from, segments.period_to AS period_to,
    if(NOT has_beyond AND beyond_channel != '', 'NO_CHANNEL', 'BAD_TARIFF') AS reason, segments.supply_point AS supply_point,
    metered.channel AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tariff ' || segments.tariff || ' version ' || segments.tariff_version || multiIf(
        unit_denominator = 0, ' is per ' || unit || ', and no factor from ' || channel_unit || ' is stated',
        has_times AND grid_s = 0, ' has bands by time of day, finer than the grid of the channel',
        kind = 'demand' AND grid_s = 0, ' has a demand charge, finer than the grid of the channel',
        has_minus AND minus_denominator = 0, ' takes ' || minus || ' off, and no factor to ' || channel_unit || ' is stated',
        has_minus AND minus_grid_s != grid_s, ' takes ' || minus || ' off, which has another grid',
        has_beyond, ' compares with ' || beyond_channel || ', and no factor to ' || channel_unit || ' is stated, or its grid is another',
        ' compares with ' || beyond_channel || ', which the supply point has not'
    ) AS detail, '' AS remedy
FROM rating_segments AS segments
INNER JOIN rating_metered AS metered ON metered.segment = segments.segment
WHERE unit_denominator = 0 OR (grid_s = 0 AND (has_times OR kind = 'demand'))
    OR (has_minus AND (minus_denominator = 0 OR (minus_grid_s != grid_s AND (net = 'interval' OR kind = 'demand'))))
    OR (beyond_channel != '' AND (NOT has_beyond OR beyond_denominator = 0 OR (kind = 'demand' AND beyond_grid_s = 0)))

UNION ALL
SELECT
    segments.account AS account, segments.period_from AS period_from, segments.period_to AS period_to, 'NO_BAND' AS reason,
    segments.supply_point AS supply_point, unbanded.channel AS channel, unbanded.first_ms AS from_ms, segments.service_end_ms AS until_ms,
    unbanded.windows AS windows,
    'no band of tariff ' || segments.tariff || ' version ' || segments.tariff_version || ' matches them' AS detail, '' AS remedy
FROM rating_segments AS segments
INNER JOIN unbanded ON unbanded.segment = segments.segment

UNION ALL
-- Nothing without rating_prices WHERE number != ''.
SELECT DISTINCT
    segments.account AS account, segments.period_from AS period_from, segments.period_to AS period_to, 'NO_NUMBER' AS reason,
    segments.supply_point AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'tenancy ' || segments.tenancy || ' has no ' || needed.number || ' on ' || toString(segments.service_from) AS detail,
    'add it to the numbers of the tenancy in the portfolio' AS remedy
FROM rating_segments AS segments
INNER JOIN (SELECT tariff, tariff_version, number FROM rating_prices WHERE number != '') AS needed
    ON needed.tariff = segments.tariff AND needed.tariff_version = segments.tariff_version
WHERE NOT arrayExists(item -> item.1 = needed.number AND item.2 <= segments.service_from, segments.numbers)

UNION ALL
-- Nothing without rating_valued.
SELECT
    segments.account AS account, segments.period_from AS period_from, segments.period_to AS period_to, 'NO_PRICE' AS reason,
    segments.supply_point AS supply_point, metered.channel AS channel, valued.first_unpriced_ms AS from_ms, valued.unpriced_until_ms AS until_ms,
    valued.unpriced_windows AS windows,
    'series ' || valued.series || ' has no price for them, or its step is shorter, or its unit or currency another' AS detail,
    'add the prices to the series in the portfolio' AS remedy
FROM rating_valued AS valued
INNER JOIN rating_segments AS segments ON segments.segment = valued.segment
INNER JOIN rating_metered AS metered ON metered.segment = valued.segment AND metered.price = valued.price
WHERE valued.unpriced_windows > 0

UNION ALL
-- Nothing without rating_tiles.
SELECT
    account, period_from, period_to, 'NOT_HARDENED' AS reason, supply_point, channel, hardened_to_ms AS from_ms, service_end_ms AS until_ms,
    0 AS windows,
    'lacks reads, a heartbeat or a gate; the gate of ' || site || ' through the end of ' || toString(addDays(service_to, -1))
        || if(gate_at = '', ' is on no timetable', ' is due on ' || toString(gate_date) || ' at ' || gate_at) AS detail,
    'bring the reads, or close it without them: meterfold gate --until ' || toString(service_to) || ' --site ' || site AS remedy
FROM rating_tiles
WHERE hardened_to_ms < service_end_ms

UNION ALL
-- Nothing without rating_tiles.
SELECT
    account, period_from, period_to, 'HOLE' AS reason, supply_point, channel, hole_from_ms AS from_ms, hole_until_ms AS until_ms, 0 AS windows,
    'no determinant: no register was configured for the channel then' AS detail,
    'if a meter was there, let the `from` of its assignment (or register) in the portfolio begin sooner; if nobody was to be billed, the '
        || '`from` of the tenancy (or the `billing_from` of the account) later' AS remedy
FROM rating_tiles
WHERE has_hole

UNION ALL
-- Nothing without rating_tiles.
SELECT
    account, period_from, period_to, 'OVERLAP' AS reason, supply_point, channel, overlap_from_ms AS from_ms, overlap_until_ms AS until_ms,
    0 AS windows, 'two determinants cover the same time' AS detail, '' AS remedy
FROM rating_tiles
WHERE has_overlap

UNION ALL
-- Nothing without rating_tiles.
SELECT
    account, period_from, period_to, 'MISSING' AS reason, supply_point, channel, first_missing_ms AS from_ms, missing_until_ms AS until_ms,
    missing_count AS windows, 'hardened as MISSING: an estimate was refused; bring the reads, or edit' AS detail, '' AS remedy
FROM rating_tiles
WHERE missing_count > 0

UNION ALL
-- Nothing without rating_billed.
SELECT
    account, period_from, period_to, 'CALENDAR_CHANGED' AS reason, '' AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'documents were issued for this period, which is not on the calendar of the account any more; once billed, the calendar is fixed' AS detail, '' AS remedy
FROM off_calendar

UNION ALL
-- Nothing without rating_billed.
SELECT
    periods.account AS account, periods.period_from AS period_from, periods.period_to AS period_to, 'CALENDAR_CHANGED' AS reason,
    '' AS supply_point, '' AS channel, 0 AS from_ms, 0 AS until_ms, 0 AS windows,
    'documents were issued for ' || toString(min(off_calendar.period_from)) || ' to ' || toString(max(off_calendar.period_to))
        || ', which cuts across this period; once billed, the calendar is fixed' AS detail, '' AS remedy
FROM rating_periods AS periods
INNER JOIN off_calendar ON off_calendar.account = periods.account
WHERE off_calendar.period_from < periods.period_to AND periods.period_from < off_calendar.period_to
    AND (off_calendar.period_from, off_calendar.period_to) != (periods.period_from, periods.period_to)
GROUP BY periods.account, periods.period_from, periods.period_to

UNION ALL
SELECT
    account, billing_from AS period_from, billing_from AS period_to, 'NO_CALENDAR' AS reason, '' AS supply_point, '' AS channel, 0 AS from_ms,
    0 AS until_ms, 0 AS windows, 'the calendar of the account is not monthly on a day from 1 to 28: it has no periods' AS detail, '' AS remedy
FROM accounts
WHERE calendar_kind != 'monthly' OR calendar_day NOT BETWEEN 1 AND 28
