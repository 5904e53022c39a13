-- The day at which the tax of a line becomes due, where a tariff states one.
ALTER TABLE bill_lines
    ADD COLUMN IF NOT EXISTS tax_point Nullable(Date) COMMENT 'Day at which its tax becomes due; NULL: the day of issue' AFTER amount
