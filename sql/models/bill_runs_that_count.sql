-- One row per run whose lines count: it is closed, and no other run of its legal entity opened between its opening and its closing record.
CREATE OR REPLACE VIEW bill_runs_that_count AS
WITH
    runs AS (SELECT * FROM bill_runs FINAL),
    closings AS (SELECT * FROM bill_run_closed FINAL),
    ordered AS
    (
        SELECT
            *,
            leadInFrame(billing_offset, 1, 18446744073709551615) OVER (
                PARTITION BY legal_entity ORDER BY billing_offset ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_opening_offset
        FROM runs
    )
SELECT
    ordered.* EXCEPT (run_id, billing_offset, next_opening_offset),
    ordered.run_id AS run_id,
    ordered.billing_offset AS billing_offset,
    closings.lines AS lines,
    closings.currencies AS currencies,
    closings.totals AS totals,
    closings.billing_offset AS closing_offset
FROM ordered
INNER JOIN closings ON closings.run_id = ordered.run_id
WHERE closings.billing_offset < next_opening_offset
