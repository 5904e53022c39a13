-- A record is booked into a month that was closed before it was said, or that lies before its own day.
WITH
    closings AS (SELECT legal_entity, period, billing_offset FROM bill_periods_closed FINAL),
    documents AS (SELECT * FROM bill_issued FINAL),
    booked AS
    (
        SELECT 'issued' AS record, document_id AS id, legal_entity, accounting_period, issued_on AS day, billing_offset FROM documents
        UNION ALL
        SELECT 'payment' AS record, payment_id AS id, legal_entity, accounting_period, received_on AS day, billing_offset FROM payments
        UNION ALL
        SELECT 'entry' AS record, entry_id AS id, legal_entity, accounting_period, booked_on AS day, billing_offset FROM entries
        UNION ALL
        SELECT 'accrued' AS record, period AS id, legal_entity, accounting_period, toDate(period || '-01') AS day, billing_offset FROM bill_accruals FINAL
    )
SELECT
    booked.record AS record,
    booked.id AS id,
    booked.legal_entity AS legal_entity,
    booked.accounting_period AS accounting_period,
    any(booked.day) AS day,
    maxIf(closings.period, closings.billing_offset < booked.billing_offset) AS last_closed
FROM booked
LEFT JOIN closings ON closings.legal_entity = booked.legal_entity
GROUP BY booked.record, booked.id, booked.legal_entity, booked.accounting_period, booked.billing_offset
HAVING accounting_period <= last_closed OR accounting_period < formatDateTime(day, '%Y-%m')
ORDER BY legal_entity, record, id, booked.billing_offset
