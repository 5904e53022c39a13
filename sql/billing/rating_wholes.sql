-- One row per account, billing period, supply point and charge (by its name) that a version of a tariff takes whole (`prorate: none`): `whole_days`, the
-- days of all segments in which it is due. Those share it by their days: a price change, another tenancy or tariff of the account, a tax or a
-- number of the tenancy cuts the period, and the account still is charged once.
-- Nothing without rating_prices WHERE prorate = 'none'.
CREATE OR REPLACE TEMPORARY TABLE rating_wholes
(
    account String, period_from Date, supply_point String, charge String, whole_days Int256
)
AS
WITH
    taken AS (SELECT DISTINCT charge FROM rating_prices WHERE prorate = 'none' AND kind IN ('tiers', 'demand', 'standing', 'minimum', 'maximum')),
    prices AS (SELECT * FROM rating_prices WHERE charge IN (SELECT charge FROM taken)),
    -- what counts a channel is due only where a window meets its `when`
    metered AS (SELECT segment, price FROM rating_quantities)
SELECT
    segments.account AS account,
    segments.period_from AS period_from,
    segments.supply_point AS supply_point,
    prices.charge AS charge,
    toInt256(sum(segments.service_days)) AS whole_days
FROM rating_segments AS segments
INNER JOIN prices ON prices.tariff = segments.tariff AND prices.tariff_version = segments.tariff_version
WHERE prices.kind NOT IN ('tiers', 'demand') OR (segments.segment, prices.price) IN metered
GROUP BY account, period_from, supply_point, charge
