-- A line is not the difference that it says it is.
WITH
    lines AS (SELECT * FROM bill_lines FINAL)
SELECT line_id, quantity_should, quantity_was, quantity, amount_should, amount_was, amount
FROM lines
WHERE amount != amount_should - amount_was OR quantity != quantity_should - quantity_was
ORDER BY line_id
