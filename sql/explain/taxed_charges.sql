-- One row per charge that the tax line is on, as its run rated it: the base of the tax is the sum of these rounded amounts.
SELECT kind, supply_point, channel, tariff, tariff_version, band, quantity, unit, rate, amount
FROM rating_charges
WHERE period_from = {period_from:Date} AND currency = {currency:String} AND kind != 'tax'
    AND tax_name = {band:String} AND tax_rate = {rate:Decimal(38, 9)}
ORDER BY kind, supply_point, channel, tariff, tariff_version, band
