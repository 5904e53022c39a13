-- One row per tenancy that the account ever had, as any version of it known below the offset says: its supply point, tariff and site.
WITH
    tenancies AS
    (
        SELECT tenancy, supply_point, tariff
        FROM ref_tenancies_history
        WHERE account = {account:String} AND known_from_offset < {until_offset:UInt64}
    ),
    points AS (SELECT DISTINCT supply_point, site FROM ref_supply_points_history WHERE known_from_offset < {until_offset:UInt64})
SELECT DISTINCT tenancies.tenancy AS tenancy, tenancies.supply_point AS supply_point, tenancies.tariff AS tariff, points.site AS site
FROM tenancies
LEFT JOIN points ON points.supply_point = tenancies.supply_point
ORDER BY tenancy, supply_point, tariff, site
