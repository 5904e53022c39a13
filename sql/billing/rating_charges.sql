-- One row per account, billing period, charge element and currency: what should be charged for it, as far as is known, taxes included. What prices
-- contain of a tax is taken off again (`contained`), so that the sum stays what the prices say. `tax_point`: NULL is the day of issue.
CREATE OR REPLACE TEMPORARY TABLE rating_charges
(
    account String, period_from Date, period_to Date, currency String, kind String, supply_point String, channel String, tariff String,
    tariff_version String, charge_no UInt32, charge String, band_no UInt32, band String, service_from Date, service_to Date, unit String,
    rate Decimal(38, 9), quantity Decimal(38, 12), quantity_estimated Decimal(38, 12), element String, amount Decimal(38, 4),
    tax_point Nullable(Date), tax_remainder Decimal(38, 21)
)
AS
WITH
    rules AS
    (
        SELECT tariff, tariff_version, arraySort(groupArray((tax_no, of_charges, date_rule))) AS rules
        FROM rating_taxes
        WHERE complaint = ''
        GROUP BY tariff, tariff_version
    )
SELECT
    charges.account AS account, charges.period_from AS period_from, charges.period_to AS period_to, charges.currency AS currency,
    charges.kind AS kind, charges.supply_point AS supply_point, charges.channel AS channel, charges.tariff AS tariff,
    charges.tariff_version AS tariff_version, charges.charge_no AS charge_no, charges.charge AS charge, charges.band_no AS band_no,
    charges.band AS band, charges.service_from AS service_from, charges.service_to AS service_to, charges.unit AS unit, charges.rate AS rate,
    charges.quantity AS quantity, charges.quantity_estimated AS quantity_estimated, charges.element AS element, charges.amount AS amount,
    -- by the first of its taxes
    meterfold_tax_point(
        arrayFirst(rule -> empty(rule.2) OR has(rule.2, charges.charge), rules.rules).3, charges.service_to, charges.period_to
    ) AS tax_point,
    toDecimal128(0, 21) AS tax_remainder
FROM rating_net_charges AS charges
LEFT JOIN rules ON rules.tariff = charges.tariff AND rules.tariff_version = charges.tariff_version
UNION ALL
SELECT
    account, period_from, period_to, currency, tax_line.1 AS kind, '' AS supply_point, '' AS channel, '' AS tariff, '' AS tariff_version,
    place AS charge_no, '' AS charge, 0 AS band_no, if(treatment = '', tax, tax || ': ' || replaceOne(treatment, '_', ' ')) AS band, service_from,
    service_to, currency AS unit, tax_line.2 AS rate, toDecimal128(base, 12) AS quantity, toDecimal128(0, 12) AS quantity_estimated,
    toJSONString(if(treatment = '', [kind, tax, tax_line.3], [kind, tax, tax_line.3, treatment])) AS element, tax_line.4 AS amount,
    meterfold_tax_point(date_rule, service_to, period_to) AS tax_point, if(kind = 'tax', remainder, toDecimal128(0, 21)) AS tax_remainder
FROM rating_tax_charges AS taxes
ARRAY JOIN arrayConcat(
    if(is_included, [('contained', toDecimal128OrZero(taxes.listed_text, 9), taxes.listed_text, -taxes.contained)], []), [('tax', taxes.rate, taxes.rate_text, taxes.amount)]
) AS tax_line
