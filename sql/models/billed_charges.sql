-- One row per account, billing period, charge element and currency: what issued documents known below the offset have charged for it.
CREATE OR REPLACE VIEW billed_charges AS
WITH
    lines AS (SELECT * FROM issued_lines WHERE issued_offset < {known_billing_offset:UInt64})
SELECT
    account,
    period_from,
    period_to,
    element,
    currency,
    sum(quantity) AS quantity,
    sum(amount) AS amount,
    -- how the last document put it: for a line that reverses the element
    argMax(
        (kind, supply_point, channel, tariff, tariff_version, band, service_from, service_to, unit, rate),
        (issued_offset, position)
    ) AS words
FROM lines
GROUP BY account, period_from, period_to, element, currency
