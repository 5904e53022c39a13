-- One row per account, currency and tax: what rounding has left of it on issued documents, summed: what it would be without, less what it is.
-- A period counts as its last document left it.
CREATE OR REPLACE VIEW tax_remainders AS
WITH
    taxes AS (SELECT * FROM issued_lines WHERE kind = 'tax' AND NOT is_withheld),
    standing AS
    (
        SELECT
            legal_entity,
            account,
            currency,
            JSONExtractString(element, 2) AS tax,
            argMax((tax_remainder, amount_should), (issued_offset, position)) AS last
        FROM taxes
        GROUP BY legal_entity, account, currency, period_from, period_to, element
    )
SELECT legal_entity, account, currency, tax, sum(last.1) AS remainder, sum(last.2) AS amount, count() AS lines
FROM standing
GROUP BY legal_entity, account, currency, tax
