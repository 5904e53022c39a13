-- The day of issue and the month into which a document is booked; of records without them both follow from the instant of issue.
ALTER TABLE bill_issued
    ADD COLUMN IF NOT EXISTS issued_on Date DEFAULT toDate(fromUnixTimestamp64Milli(issued_ms, 'UTC')) COMMENT 'Day of issue, UTC',
    ADD COLUMN IF NOT EXISTS accounting_period LowCardinality(String) DEFAULT formatDateTime(issued_on, '%Y-%m') COMMENT 'Month of the books, YYYY-MM: the first that was open then, not before the month of issued_on';
