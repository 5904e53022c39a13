-- One row per supply point, stretch of local days without a tenancy and channel metered in it ('': none): how much, and whom it is charged to ('': to
-- nobody). From the first tenancy on, or the day from which vacancy is charged; `vacant_to` NULL: until further notice. A window counts where it begins.
CREATE OR REPLACE VIEW vacant_stretches AS
WITH
    supply_points AS (SELECT * FROM ref_supply_points WHERE NOT is_withdrawn),
    tenancies AS (SELECT * FROM ref_tenancies WHERE NOT is_withdrawn AND (to_date IS NULL OR from_date < to_date)),
    sites AS (SELECT * FROM ref_sites_history WHERE known_until_offset = 18446744073709551615),
    windows AS (SELECT supply_point, channel, unit, start_ms, quantity FROM current_determinants WHERE NOT is_withdrawn),
    occupied AS
    (
        SELECT
            supply_points.supply_point AS supply_point,
            any(supply_points.site) AS site,
            any(vacant_account) AS account,
            any(vacant_tariff) AS tariff,
            arraySort(groupArrayIf((from_date, ifNull(to_date, toDate('2149-06-06'))), tenancies.tenancy != '')) AS spans,
            ifNull(any(vacant_from), if(empty(spans), toDate('2149-06-06'), spans[1].1)) AS since,
            ifNull(any(vacant_to), toDate('2149-06-06')) AS until
        FROM supply_points
        LEFT JOIN tenancies ON tenancies.supply_point = supply_points.supply_point
        GROUP BY supply_point
    ),
    stretches AS
    (
        SELECT supply_point, site, account, tariff, gap.1 AS vacant_from, gap.2 AS last
        FROM occupied
        ARRAY JOIN meterfold_gaps(spans, since, until) AS gap
    ),
    placed AS
    (
        SELECT
            stretches.*,
            if(empty(offset_s), 0, meterfold_day_start_ms(vacant_from, offset_from_ms, offset_until_ms, offset_s)) AS start_ms,
            if(empty(offset_s), 0, meterfold_day_start_ms(last, offset_from_ms, offset_until_ms, offset_s)) AS end_ms
        FROM stretches
        LEFT JOIN sites ON sites.site = stretches.site
    ),
    metered AS
    (
        SELECT
            placed.supply_point AS supply_point, placed.vacant_from AS vacant_from, windows.channel AS channel, any(windows.unit) AS unit,
            count() AS windows, sum(windows.quantity) AS quantity
        FROM placed
        INNER JOIN windows ON windows.supply_point = placed.supply_point
        WHERE windows.start_ms >= placed.start_ms AND windows.start_ms < placed.end_ms
        GROUP BY supply_point, vacant_from, channel
    )
SELECT
    placed.supply_point AS supply_point,
    placed.vacant_from AS vacant_from,
    nullIf(placed.last, toDate('2149-06-06')) AS vacant_to,
    placed.account AS account,
    placed.tariff AS tariff,
    metered.channel AS channel,
    metered.unit AS unit,
    metered.windows AS windows,
    metered.quantity AS quantity
FROM placed
LEFT JOIN metered ON metered.supply_point = placed.supply_point AND metered.vacant_from = placed.vacant_from
