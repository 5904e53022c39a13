-- One row per tariff with an edition that rates somebody, as a reader of the billing log below the offset knows it. `rollouts`: (sites, tenancies,
-- everybody, price list) of each step, the latest first: the first that covers a tenancy rates it.
CREATE OR REPLACE VIEW tariff_rollouts_known AS
WITH
    steps AS (SELECT * FROM tariff_changes FINAL WHERE billing_offset < {known_billing_offset:UInt64}),
    withdrawn AS (SELECT tariff, edition FROM steps WHERE action = 'withdrawn')
SELECT
    tariff,
    arrayMap(
        row -> (row.2, row.3, row.4, row.5),
        arrayReverseSort(
            row -> row.1,
            groupArray((billing_offset, sites, tenancies, action = 'effective', tariff || '#' || toString(edition)))
        )
    ) AS rollouts
FROM steps
WHERE action IN ('staged', 'effective') AND (tariff, edition) NOT IN withdrawn
GROUP BY tariff
