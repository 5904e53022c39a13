-- A line of an issued document is not posted, is posted twice, or with another amount (a withheld one: its memo has not both sides).
WITH
    lines AS (SELECT line_id, any(document_number) AS document_number, any(amount) AS amount, any(is_withheld) AS is_withheld FROM issued_lines GROUP BY line_id),
    legs AS
    (
        SELECT source AS line_id, count() AS legs, sum(debit) AS debits, sum(credit) AS credits
        FROM journal
        WHERE source_type = 'line'
        GROUP BY line_id
    )
SELECT lines.line_id AS line_id, lines.document_number AS document_number, lines.amount AS amount, lines.is_withheld AS is_withheld, legs.legs AS legs,
    legs.debits AS debits, legs.credits AS credits
FROM lines
LEFT JOIN legs ON legs.line_id = lines.line_id
WHERE if(
    lines.is_withheld,
    legs.legs != if(lines.amount = 0, 0, 2) OR legs.debits != abs(lines.amount) OR legs.credits != abs(lines.amount),
    legs.legs != if(lines.amount = 0, 0, 1) OR legs.credits - legs.debits != lines.amount
)
ORDER BY line_id
