-- One row per issued document. The columns are those of docs/extracts.md, for ever. Order: booked_offset.
CREATE OR REPLACE VIEW extract_documents_v1 AS
WITH
    documents AS (SELECT * FROM bill_issued FINAL),
    sums AS
    (
        SELECT
            document_id,
            sumIf(amount, kind != 'tax' AND NOT is_withheld) AS net,
            sumIf(amount, kind = 'tax' AND NOT is_withheld) AS tax,
            sumIf(amount, is_withheld) AS withheld
        FROM issued_lines
        GROUP BY document_id
    ),
    accounts AS (SELECT account, party_id, known_from_offset FROM ref_accounts_history),
    -- the party that the document was addressed to
    addressed AS
    (
        SELECT documents.*, accounts.party_id AS party_id
        FROM documents
        ASOF LEFT JOIN accounts ON accounts.account = documents.account AND documents.billing_offset > accounts.known_from_offset
    )
SELECT
    addressed.legal_entity AS legal_entity,
    addressed.accounting_period AS accounting_period,
    addressed.document_number AS document_number,
    addressed.series AS series,
    addressed.number AS number,
    addressed.kind AS kind,
    addressed.account AS account,
    addressed.party_id AS party_id,
    addressed.period_from AS period_from,
    addressed.period_to AS period_to,
    addressed.issued_on AS issued_on,
    addressed.currency AS currency,
    sums.net AS net,
    sums.tax AS tax,
    addressed.total AS total,
    sums.withheld AS withheld,
    arrayStringConcat(addressed.corrects, ' ') AS corrects,
    addressed.document_id AS document_id,
    addressed.run_id AS run_id,
    addressed.lines_sha256 AS lines_sha256,
    addressed.billing_offset AS booked_offset
FROM addressed
LEFT JOIN sums ON sums.document_id = addressed.document_id
