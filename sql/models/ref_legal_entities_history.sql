-- One row per version of a legal entity: who bills.
CREATE OR REPLACE VIEW ref_legal_entities_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'legal_entity')
SELECT
    id AS legal_entity,
    version,
    JSONExtractString(body, 'name') AS name,
    JSONExtractString(body, 'currency') AS currency,
    JSONExtractString(body, 'invoice_series') AS invoice_series,
    -- what is older may not be charged any more; 0: no limit
    toUInt16(JSONExtractUInt(body, 'back_billing', 'months')) AS back_billing_months,
    JSONExtractString(body, 'back_billing', 'bearer') AS back_billing_bearer,
    JSONExtractString(body, 'back_billing', 'reason') AS back_billing_reason,
    -- what holds a draft; NULL: nothing
    toDecimal128OrNull(JSONExtractString(body, 'holds', 'estimated_share'), 9) AS hold_estimated_share,
    toDecimal128OrNull(JSONExtractString(body, 'holds', 'change'), 9) AS hold_change,
    toDecimal128OrNull(JSONExtractString(body, 'holds', 'amount'), 4) AS hold_amount,
    -- what its books call an account of the ledger, where that is not the default: "revenue", or "revenue:energy"
    JSONExtract(body, 'ledger', 'Map(String, String)') AS ledger,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
