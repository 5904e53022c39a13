-- One row per account, billing period, charge element and currency: what should be charged for it, as far as is known, taxes included.
CREATE OR REPLACE TEMPORARY TABLE rating_charges AS
WITH
    charges AS (SELECT * FROM rating_net_charges),
    taxes AS (SELECT * FROM rating_tax_charges)
SELECT
    account, period_from, period_to, currency, kind, supply_point, channel, tariff, tariff_version, charge_no, charge, band_no, band, service_from,
    service_to, unit, rate, quantity, quantity_estimated, element, amount
FROM charges
UNION ALL
SELECT
    account, period_from, period_to, currency, 'tax' AS kind, '' AS supply_point, '' AS channel, '' AS tariff, '' AS tariff_version,
    place AS charge_no, '' AS charge, 0 AS band_no, tax AS band, service_from, service_to, currency AS unit, rate,
    toDecimal128(base, 12) AS quantity, toDecimal128(0, 12) AS quantity_estimated, toJSONString([kind, tax, rate_text]) AS element, amount
FROM taxes
