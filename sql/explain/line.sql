-- One row: the line and what its run pinned. Parameter line: its id, or the printed number of its document, a slash and its position.
WITH
    documents AS (SELECT * FROM bill_issued FINAL),
    named AS
    (
        SELECT document_id || substring({line:String}, length(document_number) + 1) AS line_id
        FROM documents
        WHERE startsWith({line:String}, document_number || '/')
    ),
    lines AS (SELECT * FROM bill_lines FINAL WHERE line_id = {line:String} OR line_id IN named),
    runs AS (SELECT * FROM bill_runs FINAL),
    currencies AS (SELECT * FROM ref_currencies)
SELECT
    lines.line_id AS line_id,
    lines.document_id AS document_id,
    documents.document_number AS number,
    lines.position AS position,
    lines.account AS account,
    lines.legal_entity AS legal_entity,
    lines.period_from AS period_from,
    lines.period_to AS period_to,
    lines.kind AS kind,
    lines.element AS element,
    -- the charge it is of ('' for one without a name), and its band or tier
    if(JSONLength(lines.element) >= 7, JSONExtractString(lines.element, 6), '') AS charge,
    JSONExtractString(lines.element, if(JSONLength(lines.element) >= 7, 7, 6)) AS part,
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
    toUInt8(lines.is_withheld) AS is_withheld,
    lines.withheld_reason AS withheld_reason,
    lines.withheld_bearer AS withheld_bearer,
    if(currencies.currency = '', 2, currencies.minor_digits) AS minor_digits,
    runs.run_id AS run_id,
    runs.account AS scope_account,
    runs.rule_version AS rule_version,
    runs.frontier_partitions AS frontier_partitions,
    runs.frontier_offsets AS frontier_offsets,
    runs.frontier_known_at_ms AS frontier_known_at_ms,
    runs.known_billing_offset AS known_billing_offset,
    runs.as_of_ms AS as_of_ms
FROM lines
INNER JOIN runs ON runs.run_id = lines.run_id
LEFT JOIN documents ON documents.document_id = lines.document_id
LEFT JOIN currencies ON currencies.currency = lines.currency
