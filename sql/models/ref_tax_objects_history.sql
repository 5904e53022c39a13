-- One row per version of a tax that stands on its own: its rates by the days from which they hold, which day's rate counts (`date_rule`), whether
-- each line's tax is rounded or their sum (`level`), whether prices contain it, and whether it is a share of what it is on or of that with the tax
-- in it (`is_of_gross`). `complaint`: what cannot be read, or ''.
CREATE OR REPLACE VIEW ref_tax_objects_history AS
WITH
    rows AS (SELECT * FROM reference_tax_objects FINAL),
    spanned AS
    (
        SELECT
            *,
            leadInFrame(billing_offset, 1, 18446744073709551615) OVER (
                PARTITION BY id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            ) AS next_offset
        FROM rows
    )
SELECT
    id AS tax_object,
    version,
    name,
    rate_from,
    rate_texts,
    date_rule,
    level,
    toUInt8(spanned.is_included) AS is_included,
    toUInt8(spanned.is_of_gross) AS is_of_gross,
    toUInt8(spanned.has_rounding) AS has_rounding,
    toDecimal256(spanned.round_to, 9) AS round_to,
    round_mode,
    complaint,
    ended_reason,
    is_withdrawn,
    billing_offset AS known_from_offset,
    next_offset AS known_until_offset
FROM spanned
