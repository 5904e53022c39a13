-- One row per price series: the latest edition; ended_reason is NULL while it is in the portfolio.
CREATE OR REPLACE VIEW ref_series AS
WITH
    history AS (SELECT * FROM ref_series_history)
SELECT * EXCEPT (known_from_offset, known_until_offset), known_from_offset AS billing_offset
FROM history
WHERE known_until_offset = 18446744073709551615
