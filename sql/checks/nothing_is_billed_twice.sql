-- An issued line does not start from what was issued before it for its charge element: something was billed twice, reversed twice or withheld twice.
WITH
    lines AS (SELECT * FROM issued_lines),
    summed AS
    (
        SELECT
            *,
            sum(amount) OVER (
                PARTITION BY account, period_from, element, currency, is_withheld
                ORDER BY issued_offset, line_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS billed
        FROM lines
    )
SELECT account, period_from, element, document_number, line_id, amount_was, billed - amount AS billed_before, amount_should, billed AS billed_after
FROM summed
WHERE billed - amount != amount_was OR billed != amount_should
ORDER BY account, period_from, element, is_withheld, issued_offset, line_id
