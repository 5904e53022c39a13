-- One row per account, billing period and tenancy within it (or vacancy that is charged to the account): the stretch of local days, and the site's clock.
-- What is missing from the reference data shows as '' or an empty array: rating_blocks names it. `tariff` is the price list: TARIFF#EDITION where
-- an edition rates the tenancy (`shadow`: that one instead, at `shadow_site` or, '', everywhere), else the tariff of the portfolio.
CREATE OR REPLACE TEMPORARY TABLE rating_tenancies
(
    account String, currency String, period_no UInt32, period_days UInt16, period_from Date, period_to Date, tenancy String,
    supply_point String, edition String, tariff String, numbers Array(Tuple(String, Date, Int256)), is_ended_without_date UInt8,
    service_from Date, service_to Date, site String, offset_from_ms Array(Int64), offset_until_ms Array(Int64), offset_s Array(Int32),
    holidays Array(Date), gate_after_days Int64, gate_at String, service_start_ms Int64, service_end_ms Int64
)
AS
WITH
    sites AS
    (
        SELECT *
        FROM ref_sites_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    rollouts AS (SELECT * FROM tariff_rollouts_known(known_billing_offset = {known_billing_offset:UInt64})),
    stays AS
    (
        SELECT tenancy, account, supply_point, tariff, numbers, from_date, to_date, ended_reason
        FROM ref_tenancies_history
        WHERE NOT is_withdrawn AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND account IN (SELECT account FROM rating_accounts)
        UNION ALL
        SELECT tenancy, account, supply_point, tariff, [] AS numbers, from_date, to_date, NULL AS ended_reason FROM rating_vacancies
    ),
    occupied AS
    (
        SELECT
            periods.account AS account,
            periods.currency AS currency,
            periods.period_no AS period_no,
            periods.period_days AS period_days,
            periods.period_from AS period_from,
            periods.period_to AS period_to,
            stays.tenancy AS tenancy,
            stays.supply_point AS supply_point,
            stays.tariff AS tariff,
            stays.numbers AS numbers,
            stays.to_date IS NULL AND stays.ended_reason IS NOT NULL AS is_ended_without_date,
            greatest(periods.period_from, stays.from_date) AS service_from,
            least(periods.period_to, ifNull(stays.to_date, periods.period_to)) AS service_to
        FROM rating_periods AS periods
        INNER JOIN stays ON stays.account = periods.account
        WHERE service_from < service_to
    ),
    placed AS
    (
        SELECT occupied.* EXCEPT supply_point, occupied.supply_point AS supply_point, supply_points.site AS site
        FROM occupied
        LEFT JOIN rating_supply_points AS supply_points ON supply_points.supply_point = occupied.supply_point
    )
SELECT
    placed.account AS account,
    placed.currency AS currency,
    placed.period_no AS period_no,
    placed.period_days AS period_days,
    placed.period_from AS period_from,
    placed.period_to AS period_to,
    placed.tenancy AS tenancy,
    placed.supply_point AS supply_point,
    arrayFirst(row -> row.3 OR has(row.1, placed.site) OR has(row.2, placed.tenancy), rollouts.rollouts).4 AS edition,
    multiIf(
        meterfold_tariff({shadow:String}) = placed.tariff AND {shadow:String} != placed.tariff AND {shadow_site:String} IN ('', placed.site),
        {shadow:String},
        edition != '', edition,
        placed.tariff
    ) AS tariff,
    placed.numbers AS numbers,
    placed.is_ended_without_date AS is_ended_without_date,
    placed.service_from AS service_from,
    placed.service_to AS service_to,
    placed.site AS site,
    sites.offset_from_ms AS offset_from_ms,
    sites.offset_until_ms AS offset_until_ms,
    sites.offset_s AS offset_s,
    sites.holidays AS holidays,
    sites.gate_after_days AS gate_after_days,
    sites.gate_at AS gate_at,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_from, offset_from_ms, offset_until_ms, offset_s)) AS service_start_ms,
    if(empty(offset_s), 0, meterfold_day_start_ms(service_to, offset_from_ms, offset_until_ms, offset_s)) AS service_end_ms
FROM placed
LEFT JOIN sites ON sites.site = placed.site
LEFT JOIN rollouts ON rollouts.tariff = placed.tariff
