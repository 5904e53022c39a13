-- One row per stretch of days on which a supply point is nobody's and charged to an account, as if it were a tenancy.
-- Nothing without rating_supply_points WHERE vacant_account != ''.
CREATE OR REPLACE TEMPORARY TABLE rating_vacancies
(
    tenancy String, account String, supply_point String, tariff String, from_date Date, to_date Nullable(Date)
)
AS
WITH
    tenancies AS
    (
        SELECT tenancy, supply_point, from_date, to_date
        FROM ref_tenancies_history
        WHERE NOT is_withdrawn AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    ),
    vacant AS
    (
        SELECT
            vacant_of.supply_point AS supply_point, any(vacant_account) AS account, any(vacant_tariff) AS tariff,
            arraySort(groupArrayIf(
                (from_date, ifNull(to_date, toDate('2149-06-06'))), tenancies.tenancy != '' AND (to_date IS NULL OR from_date < to_date)
            )) AS spans,
            any(vacant_from) AS since, ifNull(any(vacant_to), toDate('2149-06-06')) AS until
        FROM (SELECT * FROM rating_supply_points WHERE NOT is_withdrawn AND vacant_account IN (SELECT account FROM rating_accounts)) AS vacant_of
        LEFT JOIN tenancies ON tenancies.supply_point = vacant_of.supply_point
        GROUP BY supply_point
    )
SELECT
    'vacant/' || supply_point || '/' || toString(gap.1) AS tenancy,
    account,
    supply_point,
    tariff,
    gap.1 AS from_date,
    toNullable(gap.2) AS to_date
FROM vacant
ARRAY JOIN meterfold_gaps(spans, ifNull(since, if(empty(spans), until, spans[1].1)), until) AS gap
