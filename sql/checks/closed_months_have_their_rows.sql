-- A closed month has other rows in its extracts than when it was closed (`meterfold books verify` compares them byte for byte, determinants too).
WITH
    closings AS
    (
        SELECT legal_entity, period, arrayJoin(arrayZip(extract_names, extract_rows)) AS extract
        FROM bill_periods_closed FINAL
    ),
    counted AS
    (
        SELECT 'documents_v1' AS name, legal_entity, accounting_period, count() AS rows FROM extract_documents_v1 GROUP BY legal_entity, accounting_period
        UNION ALL
        SELECT 'lines_v1' AS name, legal_entity, accounting_period, count() AS rows FROM extract_lines_v1 GROUP BY legal_entity, accounting_period
        UNION ALL
        SELECT 'journal_v1' AS name, legal_entity, accounting_period, count() AS rows FROM extract_journal_v1 GROUP BY legal_entity, accounting_period
        UNION ALL
        SELECT 'payments_v1' AS name, legal_entity, accounting_period, count() AS rows FROM extract_payments_v1 GROUP BY legal_entity, accounting_period
    )
SELECT closings.legal_entity AS legal_entity, closings.period AS period, closings.extract.1 AS extract_name, closings.extract.2 AS rows_then,
    counted.rows AS rows_now
FROM closings
LEFT JOIN counted
    ON counted.legal_entity = closings.legal_entity AND counted.accounting_period = closings.period AND counted.name = closings.extract.1
WHERE closings.extract.1 IN ('documents_v1', 'lines_v1', 'journal_v1', 'payments_v1') AND closings.extract.2 != counted.rows
ORDER BY legal_entity, period, extract_name
