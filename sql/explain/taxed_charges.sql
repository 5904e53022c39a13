-- One row per charge that the line (a percentage, minimum, maximum or tax) is on, as its run rated it: its base is the sum of these rounded amounts.
WITH
    charges AS (SELECT * FROM rating_charges WHERE period_from = {period_from:Date} AND currency = {currency:String}),
    prices AS
    (
        SELECT *
        FROM rating_prices
        WHERE tariff = {tariff:String} AND tariff_version = {tariff_version:String} AND charge = {charge:String}
            AND kind = {kind:String} AND kind IN ('percentage', 'minimum', 'maximum')
    ),
    taxed AS
    (
        SELECT *
        FROM rating_taxed
        WHERE period_from = {period_from:Date} AND currency = {currency:String} AND tax = JSONExtractString({element:String}, 2)
            AND if({kind:String} = 'tax', rate_text, listed_text) = JSONExtractString({element:String}, 3)
            AND treatment = JSONExtractString({element:String}, 4) AND {kind:String} IN ('tax', 'contained')
    ),
    taxed_elements AS (SELECT element FROM taxed WHERE is_of),
    before AS (SELECT DISTINCT other.1 AS tax, other.2 AS rate_text, other.3 AS treatment FROM taxed ARRAY JOIN on_taxes AS other)
SELECT
    charges.kind AS kind, charges.supply_point AS supply_point, charges.channel AS channel, charges.tariff AS tariff,
    charges.tariff_version AS tariff_version, charges.band AS band, charges.quantity AS quantity, charges.unit AS unit, charges.rate AS rate,
    charges.amount AS amount
FROM charges
LEFT JOIN prices ON prices.tariff = charges.tariff AND prices.tariff_version = charges.tariff_version
WHERE multiIf(
    charges.kind = 'contained', false,
    charges.kind = 'tax',
    (JSONExtractString(charges.element, 2), JSONExtractString(charges.element, 3), JSONExtractString(charges.element, 4)) IN before,
    {kind:String} IN ('tax', 'contained'), charges.element IN taxed_elements,
    prices.charge != '' AND charges.supply_point = {supply_point:String} AND has(prices.of_kinds, charges.kind)
        AND (prices.is_of_all OR has(prices.of_charges, charges.charge))
        AND charges.service_from >= {service_from:Date} AND charges.service_to <= {service_to:Date}
)
ORDER BY kind, supply_point, channel, tariff, tariff_version, band, charges.element
