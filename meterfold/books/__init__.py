"""The books: months, journal, accruals, extracts. Views over the billing log; nothing here changes a record."""
