-- Lines that may not be charged: they keep element, amount and lineage, and count neither into a document's total nor into what was billed.
ALTER TABLE bill_lines
    ADD COLUMN IF NOT EXISTS is_withheld Bool COMMENT 'It is not charged: should, was and amount are of what is withheld' AFTER amount,
    ADD COLUMN IF NOT EXISTS withheld_reason LowCardinality(String) COMMENT 'Why it may not be charged; "" for a line that is' AFTER is_withheld,
    ADD COLUMN IF NOT EXISTS withheld_bearer LowCardinality(String) COMMENT 'Who bears it; "" for a line that is charged' AFTER withheld_reason;
