-- What rounding left of a tax.
ALTER TABLE bill_lines
    ADD COLUMN IF NOT EXISTS tax_remainder Decimal(38, 21) DEFAULT 0 COMMENT 'tax: what amount_should would be without rounding, less amount_should' AFTER tax_point
