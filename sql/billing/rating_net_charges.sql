-- One row per account, billing period and charge element before tax: energy by band, and standing charges. The amount is rounded here, to the
-- minor unit of its currency, half away from zero.
CREATE OR REPLACE TEMPORARY TABLE rating_net_charges AS
WITH
    windows AS (SELECT * FROM rating_windows WHERE band_index > 0 AND unit_denominator > 0),
    segments AS (SELECT * FROM rating_segments WHERE standing_per_day IS NOT NULL),
    currencies AS (SELECT * FROM ref_currencies),
    energy AS
    (
        SELECT
            account, period_from, period_to, currency, 'energy' AS kind, supply_point, channel, tariff, tariff_version, band,
            min(windows.service_from) AS service_from, max(windows.service_to) AS service_to,
            any(rate_unit) AS unit, any(rate) AS rate, tax_name, tax_rate_text, tax_rate,
            any(unit_numerator) AS numerator, any(unit_denominator) AS denominator,
            sum(windows.quantity) AS metered, sumIf(windows.quantity, n_estimated > 0) AS metered_estimated
        FROM windows
        GROUP BY account, period_from, period_to, currency, supply_point, channel, tariff, tariff_version, band, tax_name, tax_rate_text, tax_rate
    ),
    standing AS
    (
        SELECT
            account, period_from, period_to, currency, 'standing' AS kind, supply_point, '' AS channel, tariff, tariff_version, '' AS band,
            min(segments.service_from) AS service_from, max(segments.service_to) AS service_to,
            'day' AS unit, any(assumeNotNull(standing_per_day)) AS rate, tax_name, tax_rate_text, tax_rate,
            toUInt64(1) AS numerator, toUInt64(1) AS denominator,
            toDecimal128(sum(dateDiff('day', segments.service_from, segments.service_to)), 9) AS metered, toDecimal128(0, 9) AS metered_estimated
        FROM segments
        GROUP BY account, period_from, period_to, currency, supply_point, tariff, tariff_version, tax_name, tax_rate_text, tax_rate
    ),
    converted AS
    (
        SELECT
            * EXCEPT (numerator, denominator, metered, metered_estimated),
            -- the channel's unit into the rate's, once a line: exact, or cut after 12 places where the factor has no end (MJ into kWh)
            divideDecimal(toDecimal256(metered, 9) * toDecimal256(numerator, 0), toDecimal256(denominator, 0), 12) AS quantity,
            divideDecimal(toDecimal256(metered_estimated, 9) * toDecimal256(numerator, 0), toDecimal256(denominator, 0), 12) AS quantity_estimated
        FROM (SELECT * FROM energy UNION ALL SELECT * FROM standing)
    )
SELECT
    converted.* EXCEPT (currency, quantity, quantity_estimated),
    converted.currency AS currency,
    toDecimal128(converted.quantity, 12) AS quantity,
    toDecimal128(converted.quantity_estimated, 12) AS quantity_estimated,
    toJSONString([kind, supply_point, channel, tariff, tariff_version, band]) AS element,
    if(currencies.currency = '', 2, currencies.minor_digits) AS digits,
    -- a product of 256 bits wraps in silence beyond 76 digits: the 38 of a quantity and the 18 of a rate are 56
    toDecimal128(round(converted.quantity * toDecimal256(rate, 9), digits), 4) AS amount
FROM converted
LEFT JOIN currencies ON currencies.currency = converted.currency
