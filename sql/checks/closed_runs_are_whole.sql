-- A closed run has another number of lines, or another total, than its closing record says.
WITH
    closings AS (SELECT * FROM bill_run_closed FINAL),
    lines AS (SELECT run_id, currency, if(is_withheld, toDecimal128(0, 4), amount) AS amount FROM bill_lines FINAL),
    promised AS
    (
        SELECT run_id, pair.1 AS currency, pair.2 AS total FROM (SELECT run_id, arrayJoin(arrayZip(currencies, totals)) AS pair FROM closings)
    ),
    counts AS (SELECT run_id, count() AS line_count FROM lines GROUP BY run_id),
    both AS
    (
        SELECT run_id, currency, total AS promised_total, toDecimal128(0, 4) AS lines_total FROM promised
        UNION ALL
        SELECT run_id, currency, toDecimal128(0, 4) AS promised_total, amount AS lines_total
        FROM lines
        WHERE run_id IN (SELECT run_id FROM closings)
    ),
    totals AS
    (
        SELECT run_id, countIf(promised != drawn) AS unequal_totals
        FROM (SELECT run_id, currency, sum(promised_total) AS promised, sum(lines_total) AS drawn FROM both GROUP BY run_id, currency)
        GROUP BY run_id
    )
SELECT
    closings.run_id AS run_id, closings.lines AS promised_lines, counts.line_count AS lines_there, totals.unequal_totals AS unequal_totals
FROM closings
LEFT JOIN counts ON counts.run_id = closings.run_id
LEFT JOIN totals ON totals.run_id = closings.run_id
WHERE closings.lines != counts.line_count OR totals.unequal_totals > 0
ORDER BY run_id
