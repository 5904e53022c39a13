-- One row per object of the portfolio that the line rests on, in the edition its run knew.
WITH
    history AS (SELECT * FROM reference_history),
    tenancies AS
    (
        SELECT DISTINCT tenancy, site
        FROM rating_tenancies
        WHERE period_from = {period_from:Date} AND ({supply_point:String} = '' OR supply_point = {supply_point:String})
    ),
    taxed AS
    (
        SELECT DISTINCT tax_object
        FROM rating_taxes
        WHERE tax_object != '' AND tax = JSONExtractString({element:String}, 2) AND {kind:String} IN ('tax', 'contained')
    )
SELECT kind, id, version, known_from_offset AS billing_offset
FROM history
WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
    AND (
        (kind = 'account' AND id = {account:String})
        OR (kind = 'supply_point' AND id = {supply_point:String})
        OR (kind = 'tariff' AND id = {tariff:String})
        OR (kind = 'tenancy' AND id IN (SELECT tenancy FROM tenancies))
        OR (kind = 'series' AND id IN (
            SELECT series FROM rating_prices
            WHERE tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND charge = {charge:String} AND series != ''
        ))
        OR (kind = 'tax' AND id IN (SELECT tax_object FROM taxed))
        OR (kind = 'site' AND id IN (SELECT site FROM tenancies))
    )
ORDER BY kind, id, version
