-- The tax that the journal has of a month is not that of its documents.
WITH
    posted AS
    (
        SELECT legal_entity, accounting_period, currency, credit - debit AS journal_tax, toDecimal128(0, 4) AS document_tax
        FROM journal
        WHERE role = 'tax'
    ),
    documents AS
    (
        SELECT issued.legal_entity AS legal_entity, accounting_period, issued.currency AS currency, toDecimal128(0, 4) AS journal_tax, tax AS document_tax
        FROM bill_documents
        INNER JOIN (SELECT * FROM bill_issued FINAL) AS issued ON issued.document_id = bill_documents.document_id
    )
SELECT both.legal_entity AS legal_entity, both.accounting_period AS accounting_period, both.currency AS currency, sum(both.journal_tax) AS tax_posted,
    sum(both.document_tax) AS tax_charged
FROM (SELECT * FROM posted UNION ALL SELECT * FROM documents) AS both
GROUP BY legal_entity, accounting_period, currency
HAVING tax_posted != tax_charged
ORDER BY legal_entity, accounting_period, currency
