-- One row per issued line for the same charge element of the same period that the run of the line knew: what makes up its `was`.
-- Of a line that is not charged: those that were not.
SELECT document_number, line_id, quantity, amount, rate, fromUnixTimestamp64Milli(issued_ms, 'UTC') AS issued_at
FROM issued_lines
WHERE account = {account:String} AND period_from = {period_from:Date} AND element = {element:String} AND currency = {currency:String}
    AND is_withheld = {is_withheld:UInt8}
    AND issued_offset < {known_billing_offset:UInt64}
ORDER BY issued_offset, line_id
