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
    taxes AS (SELECT * FROM rating_taxes WHERE {kind:String} = 'tax' AND tax = {band:String} AND rate = {rate:Decimal(38, 9)}),
    -- taxes of the tariff versions that charged something here
    before AS
    (
        SELECT DISTINCT other.1 AS tax, other.2 AS rate_text
        FROM taxes
        INNER JOIN (SELECT DISTINCT tariff, tariff_version FROM charges) AS used USING (tariff, tariff_version)
        ARRAY JOIN on_taxes AS other
    )
SELECT
    charges.kind AS kind, charges.supply_point AS supply_point, charges.channel AS channel, charges.tariff AS tariff,
    charges.tariff_version AS tariff_version, charges.band AS band, charges.quantity AS quantity, charges.unit AS unit, charges.rate AS rate,
    charges.amount AS amount
FROM charges
LEFT JOIN taxes ON taxes.tariff = charges.tariff AND taxes.tariff_version = charges.tariff_version
LEFT JOIN prices ON prices.tariff = charges.tariff AND prices.tariff_version = charges.tariff_version
WHERE multiIf(
    charges.kind = 'tax', (charges.band, JSONExtractString(charges.element, 3)) IN before,
    {kind:String} = 'tax', taxes.tax != '' AND (empty(taxes.of_charges) OR has(taxes.of_charges, charges.charge)),
    prices.charge != '' AND charges.supply_point = {supply_point:String} AND has(prices.of_kinds, charges.kind)
        AND (prices.is_of_all OR has(prices.of_charges, charges.charge))
)
ORDER BY kind, supply_point, channel, tariff, tariff_version, band, charges.element
