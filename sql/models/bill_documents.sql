-- One row per document of a run that counts: issued; draft (its run is the account's latest); or replaced (a later run took its place).
CREATE OR REPLACE VIEW bill_documents AS
WITH
    lines AS (SELECT * FROM bill_lines FINAL),
    runs AS (SELECT * FROM bill_runs_that_count),
    issued AS (SELECT * FROM bill_issued FINAL),
    -- the latest run that reached an account: one for all accounts, or one for it alone
    latest_of_all AS (SELECT legal_entity, max(billing_offset) AS run_offset FROM runs WHERE account = '' GROUP BY legal_entity),
    latest_of_one AS (SELECT legal_entity, account, max(billing_offset) AS run_offset FROM runs WHERE account != '' GROUP BY legal_entity, account),
    drawn AS
    (
        SELECT
            lines.document_id AS document_id,
            lines.run_id AS run_id,
            lines.legal_entity AS legal_entity,
            lines.account AS account,
            lines.period_from AS period_from,
            lines.period_to AS period_to,
            lines.currency AS currency,
            count() AS line_count,
            sumIf(amount, lines.kind != 'tax' AND NOT is_withheld) AS net,
            sumIf(amount, lines.kind = 'tax' AND NOT is_withheld) AS tax,
            sumIf(amount, NOT is_withheld) AS total,
            sumIf(amount, is_withheld) AS withheld,
            lower(hex(SHA256(arrayStringConcat(
                arrayMap(pair -> pair.2, arraySort(groupArray((lines.position, lines.payload)))), '\n'
            )))) AS lines_sha256,
            any(runs.billing_offset) AS run_offset
        FROM lines
        INNER JOIN runs ON runs.run_id = lines.run_id
        -- the document determines the rest, which stands here so that a filter on it reaches the table
        GROUP BY
            lines.document_id, lines.run_id, lines.legal_entity, lines.account, lines.period_from, lines.period_to, lines.currency
    )
SELECT
    drawn.document_id AS document_id,
    multiIf(
        issued.document_id != '', 'issued',
        drawn.run_offset >= greatest(latest_of_all.run_offset, latest_of_one.run_offset), 'draft',
        'replaced'
    ) AS status,
    drawn.run_id AS run_id,
    drawn.legal_entity AS legal_entity,
    drawn.account AS account,
    drawn.period_from AS period_from,
    drawn.period_to AS period_to,
    drawn.currency AS currency,
    drawn.line_count AS line_count,
    drawn.net AS net,
    drawn.tax AS tax,
    drawn.total AS total,
    drawn.withheld AS withheld,
    drawn.lines_sha256 AS lines_sha256,
    issued.series AS series,
    issued.number AS number,
    issued.document_number AS document_number,
    issued.kind AS issued_kind,
    issued.corrects AS corrects,
    if(issued.document_id = '', NULL, fromUnixTimestamp64Milli(issued.issued_ms, 'UTC')) AS issued_utc,
    issued.billing_offset AS issued_offset,
    drawn.run_offset AS run_offset
FROM drawn
LEFT JOIN latest_of_all ON latest_of_all.legal_entity = drawn.legal_entity
LEFT JOIN latest_of_one ON latest_of_one.legal_entity = drawn.legal_entity AND latest_of_one.account = drawn.account
LEFT JOIN issued ON issued.document_id = drawn.document_id
