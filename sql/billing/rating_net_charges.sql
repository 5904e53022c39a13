-- One row per account, billing period and charge element before tax: uses and standing charges, then percentages of them, then what lifts them to a
-- minimum or holds them under a maximum. These are of rounded amounts of the same supply point and tariff version, and rounded themselves.
CREATE OR REPLACE TEMPORARY TABLE rating_net_charges
(
    account String, period_from Date, period_to Date, currency String, kind String, supply_point String, channel String, tariff String,
    tariff_version String, charge_no UInt16, charge String, band_no UInt32, band String, service_from Date, service_to Date, unit String,
    rate Decimal(38, 9), quantity Decimal(38, 12), quantity_estimated Decimal(38, 12), element String, digits UInt8, tax_from Date,
    amount Decimal(38, 4)
)
AS
WITH
    worked_out AS
    (
        SELECT account, period_from, supply_point, price, tax_from, rate, of_amount, amount FROM rating_percentages
        UNION ALL
        SELECT account, period_from, supply_point, price, tax_from, rate, of_amount, amount FROM rating_limits
    )
SELECT
    account, period_from, period_to, currency, kind, supply_point, channel, tariff, tariff_version, charge_no, charge, band_no, band, service_from,
    service_to, unit, rate, quantity, quantity_estimated, element, digits, tax_from, amount
FROM rating_base_charges
UNION ALL
SELECT
    due.account AS account, due.period_from AS period_from, due.period_to AS period_to, due.currency AS currency, due.kind AS kind,
    due.supply_point AS supply_point, '' AS channel, due.tariff AS tariff, due.tariff_version AS tariff_version, due.charge_no AS charge_no,
    due.charge AS charge, 1 AS band_no, due.charge AS band, due.service_from AS service_from, due.service_to AS service_to, due.currency AS unit,
    worked_out.rate AS rate, toDecimal128(worked_out.of_amount, 12) AS quantity, toDecimal128(0, 12) AS quantity_estimated,
    if(
        due.tax_from > due.period_from, toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, '', toString(due.tax_from)]),
        toJSONString([kind, supply_point, channel, meterfold_tariff(tariff), tariff_version, charge, ''])
    ) AS element,
    due.digits AS digits, due.tax_from AS tax_from, worked_out.amount AS amount
FROM worked_out
INNER JOIN rating_dues AS due
    ON due.account = worked_out.account AND due.period_from = worked_out.period_from AND due.supply_point = worked_out.supply_point
        AND due.price = worked_out.price AND due.tax_from = worked_out.tax_from
