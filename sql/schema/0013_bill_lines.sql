-- One row per line of a run: the rounded difference between what should be charged and what was, for one charge element of one period.
CREATE TABLE bill_lines
(
    line_id         String COMMENT 'document_id/position',
    document_id     String COMMENT 'run_id/account/period_from/currency',
    position        UInt32 COMMENT 'Place on the document, from 1',
    run_id          String COMMENT 'The run that made it',
    legal_entity    LowCardinality(String) COMMENT 'Who bills',
    account         String COMMENT 'Who is billed',
    period_from     Date COMMENT 'Billing period, first local day',
    period_to       Date COMMENT 'Billing period, local day after the last',
    kind            LowCardinality(String) COMMENT 'energy, standing or tax: the rating kinds',
    element         String COMMENT 'Charge element: what makes lines of several runs comparable',
    supply_point    String COMMENT 'energy, standing: where; "" for tax',
    channel         LowCardinality(String) COMMENT 'energy: which; else ""',
    tariff          String COMMENT 'energy, standing: which; "" for tax',
    tariff_version  String COMMENT 'energy, standing: its version; "" for tax',
    band            LowCardinality(String) COMMENT 'energy: time-of-use band; tax: its name; else ""',
    service_from    Date COMMENT 'First local day it covers',
    service_to      Date COMMENT 'Local day after the last it covers',
    currency        LowCardinality(String) COMMENT 'ISO 4217',
    unit            LowCardinality(String) COMMENT 'Of the quantity: kWh, day, or the currency for tax',
    rate            Decimal(38, 9) COMMENT 'Price per unit; tax: share of the base; of a reversed element: the rate last billed',
    quantity_should Decimal(38, 12) COMMENT 'Quantity now known',
    quantity_was    Decimal(38, 12) COMMENT 'Quantity on issued documents',
    quantity        Decimal(38, 12) COMMENT 'should − was',
    quantity_estimated Decimal(38, 12) COMMENT 'Part of quantity_should in intervals that hold an ESTIMATED part',
    amount_should   Decimal(38, 4) COMMENT 'Amount now known, rounded to the currency''s minor unit',
    amount_was      Decimal(38, 4) COMMENT 'Amount on issued documents',
    amount          Decimal(38, 4) COMMENT 'should − was: what this line charges',
    payload         String COMMENT 'The record as it stands in the billing log; documents are hashed over it' CODEC(ZSTD(3)),
    billing_offset  UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree
ORDER BY (account, period_from, line_id)
COMMENT 'Lines of runs; they count once the run is closed, and are billed once the document is issued. Natural key: line.';
