"""Money on accounts: payments, entries that no tariff makes, disputes, and what is open."""
