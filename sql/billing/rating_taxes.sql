-- One row per tariff version that a tenancy may be under and tax of it.
CREATE OR REPLACE TEMPORARY TABLE rating_taxes AS
WITH
    taxes AS
    (
        SELECT *
        FROM ref_taxes_history
        WHERE known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
            AND tariff IN (SELECT tariff FROM rating_tenancies)
    )
SELECT *
FROM taxes
