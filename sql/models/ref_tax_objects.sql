-- One row per tax object: the latest edition; ended_reason is NULL while it is in the portfolio.
CREATE OR REPLACE VIEW ref_tax_objects AS
WITH
    history AS (SELECT * FROM ref_tax_objects_history)
SELECT * EXCEPT (known_from_offset, known_until_offset), known_from_offset AS billing_offset
FROM history
WHERE known_until_offset = 18446744073709551615
