-- One row per version of a legal entity: who bills.
CREATE OR REPLACE VIEW ref_legal_entities_history AS
WITH
    objects AS (SELECT * FROM reference_history WHERE kind = 'legal_entity')
SELECT
    id AS legal_entity,
    version,
    JSONExtractString(body, 'name') AS name,
    JSONExtractString(body, 'currency') AS currency,
    JSONExtractString(body, 'invoice_series') AS invoice_series,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
