-- One row per line of the run `run_id`: the charges of every period that nothing blocks, in the order of the documents (`place`, from 1), with the
-- record of the billing log that says it (keys sorted; money with the places of its currency; what follows from the rest is left out, as contracts/
-- has it: most of a run's time goes with these texts). Made after the tables of sql/billing.
CREATE OR REPLACE TEMPORARY TABLE drafted_lines
(
    account String, period_from Date, period_to Date, kind String, element String, supply_point String, channel String, tariff String,
    tariff_version String, band String, service_from Date, service_to Date, currency String, unit String, rate Decimal(38, 9),
    quantity_should Decimal(38, 12), quantity_was Decimal(38, 12), quantity Decimal(38, 12), quantity_estimated Decimal(38, 12),
    amount_should Decimal(38, 4), amount_was Decimal(38, 4), amount Decimal(38, 4), minor_digits UInt8, is_withheld Bool,
    withheld_reason String, withheld_bearer String, tax_point Nullable(Date), tax_remainder Decimal(38, 21), place UInt64, position UInt32,
    run_id String, legal_entity String, document_id String, line_id String, payload String
)
AS
WITH
    blocks AS (SELECT account, period_from FROM rating_blocks),
    charges AS (SELECT * FROM rating_differences WHERE (account, period_from) NOT IN blocks),
    placed AS
    (
        SELECT
            *,
            indexOf(['energy', 'tiers', 'demand', 'standing', 'percentage', 'minimum', 'maximum', 'contained', 'tax'], kind) AS rank,
            row_number() OVER (
                ORDER BY account, period_from, currency, is_withheld, rank, supply_point, charge_no, channel, service_from, band_no, element
            ) AS place,
            toUInt32(row_number() OVER (
                PARTITION BY account, period_from, currency
                ORDER BY is_withheld, rank, supply_point, charge_no, channel, service_from, band_no, element
            )) AS position
        FROM charges
    ),
    named AS
    (
        SELECT
            * EXCEPT (rank, charge_no, band_no) REPLACE (toBool(is_withheld) AS is_withheld),
            {run_id:String} AS run_id,
            {legal_entity:String} AS legal_entity,
            concat(run_id, '/', account, '/', toString(period_from), '/', currency) AS document_id,
            concat(document_id, '/', toString(position)) AS line_id
        FROM placed
    ),
    amount_was = 0 AND quantity_was = 0 AS is_first
SELECT
    *,
    concat(
        '{"account":', toJSONString(account),
        ',"amount":"', meterfold_amount_text(amount, minor_digits),
        if(is_first, '', concat(
            '","amount_should":"', meterfold_amount_text(amount_should, minor_digits),
            '","amount_was":"', meterfold_amount_text(amount_was, minor_digits)
        )),
        if(band = '', '"', concat('","band":', toJSONString(band))),
        if(channel = '', '', concat(',"channel":', toJSONString(channel))),
        ',"currency":', toJSONString(currency),
        ',"element":', toJSONString(element),
        ',"kind":', toJSONString(kind),
        ',"legal_entity":', toJSONString(legal_entity),
        ',"period_from":"', toString(period_from),
        '","period_to":"', toString(period_to),
        '","position":', toString(position),
        ',"quantity":"', toString(quantity),
        if(quantity_estimated = 0, '', concat('","quantity_estimated":"', toString(quantity_estimated))),
        if(is_first, '', concat('","quantity_should":"', toString(quantity_should), '","quantity_was":"', toString(quantity_was))),
        '","rate":"', toString(rate),
        '","run_id":', toJSONString(run_id),
        if(
            service_from = period_from AND service_to = period_to, '',
            concat(',"service_from":"', toString(service_from), '","service_to":"', toString(service_to), '"')
        ),
        if(supply_point = '', '', concat(',"supply_point":', toJSONString(supply_point))),
        if(tariff = '', '', concat(',"tariff":', toJSONString(tariff))),
        if(tariff_version = '', '', concat(',"tariff_version":', toJSONString(tariff_version))),
        if(isNull(tax_point), '', concat(',"tax_point":"', toString(assumeNotNull(tax_point)), '"')),
        if(kind = 'tax', concat(',"tax_remainder":"', toString(tax_remainder), '"'), ''),
        ',"type":"line","unit":', toJSONString(unit),
        ',"v":1',
        if(is_withheld, concat(',"withheld":{"bearer":', toJSONString(withheld_bearer), ',"reason":', toJSONString(withheld_reason), '}'), ''),
        '}'
    ) AS payload
FROM named
