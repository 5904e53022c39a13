-- One row per account, billing period, charge element and currency on issued documents known below the offset: what was charged, and what was withheld.
CREATE OR REPLACE VIEW settled_charges AS
WITH
    lines AS (SELECT * FROM issued_lines WHERE issued_offset < {known_billing_offset:UInt64})
SELECT
    account,
    period_from,
    period_to,
    element,
    currency,
    sumIf(lines.quantity, NOT is_withheld) AS quantity,
    sumIf(lines.amount, NOT is_withheld) AS amount,
    sumIf(lines.quantity, is_withheld) AS withheld_quantity,
    sumIf(lines.amount, is_withheld) AS withheld_amount,
    countIf(NOT is_withheld) AS charged_lines,
    countIf(is_withheld) AS withheld_lines,
    -- how the last document put it: for a line that reverses the element
    argMax(
        (kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate),
        (issued_offset, position)
    ) AS words,
    argMaxIf(withheld_reason, (issued_offset, position), is_withheld) AS withheld_reason,
    argMaxIf(withheld_bearer, (issued_offset, position), is_withheld) AS withheld_bearer
FROM lines
GROUP BY account, period_from, period_to, element, currency
