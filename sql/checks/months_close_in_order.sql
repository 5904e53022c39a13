-- A legal entity closed a month that does not follow the one that it closed before.
WITH
    closings AS (SELECT legal_entity, period, billing_offset FROM bill_periods_closed FINAL),
    ordered AS
    (
        SELECT
            *,
            lagInFrame(period, 1, '') OVER (
                PARTITION BY legal_entity ORDER BY billing_offset ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS closed_before
        FROM closings
    )
SELECT legal_entity, period, closed_before, billing_offset
FROM ordered
WHERE closed_before != '' AND period != formatDateTime(addMonths(toDate(closed_before || '-01'), 1), '%Y-%m')
ORDER BY legal_entity, billing_offset
