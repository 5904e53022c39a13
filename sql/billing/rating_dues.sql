-- One row per account, billing period, supply point, percentage, minimum or maximum of a tariff version in force there, and part of the period with
-- one rate of tax: what it is, and the days.
-- Nothing without rating_prices WHERE kind IN ('percentage', 'minimum', 'maximum').
CREATE OR REPLACE TEMPORARY TABLE rating_dues
(
    account String, period_from Date, period_to Date, currency String, supply_point String, tariff String, tariff_version String,
    service_from Date, service_to Date, days UInt64, of_days UInt16, whole_days Int256, tax_from Date, price UInt64, kind String,
    charge_no UInt16, charge String, rate Decimal(38, 9), is_of_all UInt8, of_charges Array(String), has_rounding UInt8,
    round_to Decimal(76, 9), round_mode String, prorate String, digits UInt8, step Int256
)
AS
WITH
    prices AS (SELECT * FROM rating_prices WHERE kind IN ('percentage', 'minimum', 'maximum')),
    occupied AS
    (
        SELECT
            account, period_from, period_to, currency, supply_point, tariff, tariff_version, tax_from,
            min(rating_segments.service_from) AS service_from, max(rating_segments.service_to) AS service_to, sum(service_days) AS days,
            any(period_days) AS of_days
        FROM rating_segments
        WHERE (tariff, tariff_version) IN (SELECT tariff, tariff_version FROM prices)
        GROUP BY account, period_from, period_to, currency, supply_point, tariff, tariff_version, tax_from
    )
SELECT
    occupied.account AS account, occupied.period_from AS period_from, occupied.period_to AS period_to, occupied.currency AS currency,
    occupied.supply_point AS supply_point, occupied.tariff AS tariff, occupied.tariff_version AS tariff_version,
    occupied.service_from AS service_from, occupied.service_to AS service_to, occupied.days AS days, occupied.of_days AS of_days,
    wholes.whole_days AS whole_days, occupied.tax_from AS tax_from,
    prices.price AS price, prices.kind AS kind, prices.charge_no AS charge_no, prices.charge AS charge, prices.rate AS rate,
    prices.is_of_all AS is_of_all, prices.of_charges AS of_charges, prices.has_rounding AS has_rounding, prices.round_to AS round_to,
    prices.round_mode AS round_mode, prices.prorate AS prorate,
    if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
    if(has_rounding, reinterpret(round_to, 'Int256') * 1000000000000, toInt256(intExp10(19 - digits)) * 100) AS step
FROM occupied
INNER JOIN prices ON prices.tariff = occupied.tariff AND prices.tariff_version = occupied.tariff_version
LEFT JOIN rating_wholes AS wholes
    ON wholes.account = occupied.account AND wholes.period_from = occupied.period_from AND wholes.supply_point = occupied.supply_point
        AND wholes.charge = prices.charge
LEFT JOIN rating_currencies AS currencies ON currencies.currency = occupied.currency
