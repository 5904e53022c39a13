-- One row per legal entity, month, account and currency: what was unbilled at the month's end, as it was said last.
CREATE OR REPLACE VIEW accruals AS
WITH
    records AS (SELECT * FROM bill_accruals FINAL),
    ranked AS (SELECT *, row_number() OVER (PARTITION BY legal_entity, period ORDER BY billing_offset DESC) AS place FROM records),
    unfolded AS
    (
        SELECT legal_entity, period, accounting_period, billing_offset, arrayJoin(arrayZip(accounts, currencies, nets, taxes)) AS line
        FROM ranked
        WHERE place = 1
    )
SELECT legal_entity, period, accounting_period, line.1 AS account, line.2 AS currency, line.3 AS net, line.4 AS tax, billing_offset
FROM unfolded
