-- One row per tariff version and charge: the latest edition; ended_reason is NULL while it is in the portfolio.
CREATE OR REPLACE VIEW ref_charges AS
WITH
    history AS (SELECT * FROM ref_charges_history)
SELECT * EXCEPT (known_from_offset, known_until_offset), known_from_offset AS billing_offset
FROM history
WHERE known_until_offset = 18446744073709551615
