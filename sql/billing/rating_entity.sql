-- One row: how far back the legal entity may bill (0: without limit), and what is said of what it may not.
CREATE OR REPLACE TEMPORARY TABLE rating_entity
(
    back_billing_months UInt16, back_billing_reason String, back_billing_bearer String
)
AS
SELECT back_billing_months, back_billing_reason, back_billing_bearer
FROM ref_legal_entities_history
WHERE legal_entity = {legal_entity:String}
    AND known_from_offset < {known_billing_offset:UInt64} AND {known_billing_offset:UInt64} <= known_until_offset
