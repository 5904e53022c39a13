-- One row per line of an issued document: what was billed. Lines of drafts are not here.
CREATE OR REPLACE VIEW issued_lines AS
WITH
    lines AS (SELECT * FROM bill_lines FINAL),
    documents AS (SELECT * FROM bill_issued FINAL)
SELECT
    lines.line_id AS line_id,
    lines.document_id AS document_id,
    lines.position AS position,
    lines.run_id AS run_id,
    lines.legal_entity AS legal_entity,
    lines.account AS account,
    lines.period_from AS period_from,
    lines.period_to AS period_to,
    lines.kind AS kind,
    lines.element AS element,
    lines.supply_point AS supply_point,
    lines.channel AS channel,
    lines.tariff AS tariff,
    lines.tariff_version AS tariff_version,
    lines.band AS band,
    lines.service_from AS service_from,
    lines.service_to AS service_to,
    lines.currency AS currency,
    lines.unit AS unit,
    lines.rate AS rate,
    lines.quantity_should AS quantity_should,
    lines.quantity_was AS quantity_was,
    lines.quantity AS quantity,
    lines.quantity_estimated AS quantity_estimated,
    lines.amount_should AS amount_should,
    lines.amount_was AS amount_was,
    lines.amount AS amount,
    documents.series AS series,
    documents.number AS number,
    documents.document_number AS document_number,
    documents.kind AS document_kind,
    documents.issued_ms AS issued_ms,
    lines.billing_offset AS line_offset,
    documents.billing_offset AS issued_offset
FROM lines
INNER JOIN documents ON documents.document_id = lines.document_id
