-- One row per account, billing period, charge element and currency: what should be charged for it, as far as is known, taxes included.
-- A tax is on the sum of the rounded net amounts of the period, and rounded as they are: half away from zero. Nothing else rounds money.
CREATE OR REPLACE TEMPORARY TABLE rating_charges AS
WITH
    charges AS (SELECT * FROM rating_net_charges),
    taxes AS
    (
        SELECT
            account, period_from, period_to, currency, 'tax' AS kind, '' AS supply_point, '' AS channel, '' AS tariff, '' AS tariff_version,
            tax_name AS band, min(charges.service_from) AS service_from, max(charges.service_to) AS service_to,
            currency AS unit, assumeNotNull(tax_rate) AS rate,
            toDecimal128(sum(charges.amount), 12) AS quantity, toDecimal128(0, 12) AS quantity_estimated,
            toJSONString([kind, tax_name, tax_rate_text]) AS element,
            toDecimal128(round(toDecimal256(sum(charges.amount), 4) * toDecimal256(rate, 9), any(digits)), 4) AS amount
        FROM charges
        WHERE tax_name != '' AND tax_rate IS NOT NULL
        GROUP BY account, period_from, period_to, currency, tax_name, tax_rate_text, tax_rate
    )
SELECT
    account, period_from, period_to, currency, kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate,
    quantity, quantity_estimated, element, amount, tax_name, tax_rate
FROM charges
UNION ALL
SELECT
    account, period_from, period_to, currency, kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate,
    quantity, quantity_estimated, element, amount, '' AS tax_name, NULL AS tax_rate
FROM taxes
