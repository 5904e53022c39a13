-- One row per revision of a determinant (0: as hardened, then its adjustments) that belongs to a month of a legal entity: to that of its window's local
-- start, or if that was closed when it became known, to the first that was open. So each is in one month, and their changes add up to what is known.
-- For an open month the pins are given, or with known_billing_offset = 0 are what is stored. The columns are those of docs/extracts.md, for ever.
-- Order: curated_partition, curated_offset, supply_point, channel, start_ms, end_ms, revision.
CREATE OR REPLACE VIEW extract_determinants_v1 AS
WITH
    pins AS
    (
        SELECT *
        FROM books_pins(
            legal_entity = {legal_entity:String}, period = {period:String}, partitions = {partitions:Array(UInt16)},
            next_offsets = {next_offsets:Array(UInt64)}, known_billing_offset = {known_billing_offset:UInt64}
        )
    ),
    now_pins AS (SELECT arrayJoin(now_offsets) AS pin, pin.1 AS pinned_partition, pin.2 AS next_offset FROM pins),
    before_pins AS (SELECT arrayJoin(before_offsets) AS pin, pin.1 AS pinned_partition, pin.2 AS next_offset FROM pins),
    month_end AS (SELECT addMonths(toDate({period:String} || '-01'), 1) AS day),
    points AS (SELECT * FROM ref_supply_points_history),
    sites AS (SELECT * FROM ref_sites_history WHERE legal_entity = {legal_entity:String} AND notEmpty(offset_s)),
    -- until when its windows are of this month or of one before, by the site's clock
    now_points AS
    (
        SELECT points.supply_point AS pinned_point,
            any(meterfold_day_start_ms((SELECT day FROM month_end), offset_from_ms, offset_until_ms, offset_s)) AS until_ms
        FROM points
        INNER JOIN sites ON sites.site = points.site
        WHERE points.known_from_offset < (SELECT now_billing_offset FROM pins) AND (SELECT now_billing_offset FROM pins) <= points.known_until_offset
            AND sites.known_from_offset < (SELECT now_billing_offset FROM pins) AND (SELECT now_billing_offset FROM pins) <= sites.known_until_offset
        GROUP BY pinned_point
    ),
    before_points AS
    (
        SELECT points.supply_point AS pinned_point,
            any(meterfold_day_start_ms(toDate({period:String} || '-01'), offset_from_ms, offset_until_ms, offset_s)) AS until_ms
        FROM points
        INNER JOIN sites ON sites.site = points.site
        WHERE points.known_from_offset < (SELECT before_billing_offset FROM pins)
            AND (SELECT before_billing_offset FROM pins) <= points.known_until_offset
            AND sites.known_from_offset < (SELECT before_billing_offset FROM pins)
            AND (SELECT before_billing_offset FROM pins) <= sites.known_until_offset
        GROUP BY pinned_point
    ),
    first_rows AS (SELECT * FROM determinants FINAL),
    changes AS (SELECT * FROM adjustments FINAL),
    revisions AS
    (
        SELECT
            supply_point, channel, start_ms, end_ms, toUInt32(0) AS revision, unit, quantity_nano AS change_nano, quantity_nano AS new_nano, quality,
            n_actual, n_calculated, n_substituted, n_estimated, n_missing, hardened_by AS reason, rule_version, known_at_ms, curated_partition,
            curated_offset
        FROM first_rows
        UNION ALL
        SELECT
            supply_point, channel, start_ms, end_ms, revision, unit, delta_nano AS change_nano, new_nano, quality, n_actual, n_calculated,
            n_substituted, n_estimated, n_missing, reason, rule_version, known_at_ms, curated_partition, curated_offset
        FROM changes
    ),
    known AS
    (
        SELECT revisions.*
        FROM revisions
        INNER JOIN now_pins ON now_pins.pinned_partition = revisions.curated_partition
        INNER JOIN now_points ON now_points.pinned_point = revisions.supply_point
        WHERE revisions.curated_offset < now_pins.next_offset AND revisions.start_ms < now_points.until_ms
    )
SELECT
    {legal_entity:String} AS legal_entity,
    {period:String} AS accounting_period,
    known.supply_point AS supply_point,
    known.channel AS channel,
    fromUnixTimestamp64Milli(known.start_ms, 'UTC') AS start_utc,
    fromUnixTimestamp64Milli(known.end_ms, 'UTC') AS end_utc,
    known.revision AS revision,
    known.unit AS unit,
    reinterpret(toInt128(known.change_nano), 'Decimal(38, 9)') AS change,
    if(n_missing > 0 AND n_actual + n_calculated + n_substituted + n_estimated = 0, NULL, reinterpret(toInt128(known.new_nano), 'Decimal(38, 9)')) AS quantity,
    known.quality AS quality,
    known.reason AS reason,
    known.rule_version AS rule_version,
    fromUnixTimestamp64Milli(known.known_at_ms, 'UTC') AS known_at_utc,
    known.curated_partition AS curated_partition,
    known.curated_offset AS curated_offset
FROM known
LEFT JOIN before_pins ON before_pins.pinned_partition = known.curated_partition
LEFT JOIN before_points ON before_points.pinned_point = known.supply_point
WHERE NOT (known.curated_offset < before_pins.next_offset AND known.start_ms < before_points.until_ms)
