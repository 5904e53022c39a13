-- A quantity reached 10⁹ units, the bound of Decimal(18, 9), or a sum came near the bound of Decimal(38, 9), beyond which sums wrap in silence.
WITH
    windows AS (SELECT supply_point, channel, toInt128(quantity_nano) AS quantity_nano FROM determinants),
    summed AS
    (
        SELECT supply_point, channel, max(abs(quantity_nano)) AS largest_nano, sum(abs(toInt256(quantity_nano))) AS total_nano
        FROM windows
        GROUP BY supply_point, channel
    )
SELECT supply_point, channel, largest_nano, total_nano
FROM summed
WHERE largest_nano >= toInt128('1000000000000000000') OR total_nano >= toInt256('10000000000000000000000000000000000000')
ORDER BY supply_point, channel
