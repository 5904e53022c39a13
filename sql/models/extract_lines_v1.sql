-- One row per line of an issued document. The columns are those of docs/extracts.md, for ever. Order: booked_offset, position.
CREATE OR REPLACE VIEW extract_lines_v1 AS
WITH
    lines AS (SELECT * FROM issued_lines)
SELECT
    legal_entity,
    accounting_period,
    document_number,
    position,
    account,
    kind,
    band,
    supply_point,
    channel,
    tariff,
    tariff_version,
    period_from,
    period_to,
    service_from,
    service_to,
    tax_point,
    currency,
    unit,
    rate,
    quantity_should,
    quantity_was,
    quantity,
    quantity_estimated,
    amount_should,
    amount_was,
    amount,
    is_withheld,
    withheld_bearer,
    withheld_reason,
    element,
    document_id,
    line_id,
    issued_offset AS booked_offset
FROM lines
