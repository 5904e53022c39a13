-- One row per divisor of a tax line: 1 beside the price; where prices contain the tax, or it is a share of the gross, what its base is divided by.
SELECT DISTINCT reinterpret(toInt128(divisor), 'Decimal(38, 9)') AS divisor
FROM rating_taxed
WHERE is_of AND period_from = {period_from:Date} AND currency = {currency:String} AND tax = JSONExtractString({element:String}, 2)
    AND if({kind:String} = 'tax', rate_text, listed_text) = JSONExtractString({element:String}, 3)
    AND treatment = JSONExtractString({element:String}, 4) AND {kind:String} IN ('tax', 'contained')
ORDER BY divisor
