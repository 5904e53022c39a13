"""Runs, documents and their explanation: thin Python around sql/billing. Amounts are made in SQL and nowhere else."""
