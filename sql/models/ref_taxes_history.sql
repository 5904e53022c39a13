-- One row per version of a tariff object, tariff version and tax: `taxes` of decision 12 in the order written, after the old field `tax` (tax_no 0).
-- `tax_object`: the tax that it is, where that stands on its own (ref_tax_objects), else ''; `tax` is then what `on` calls it. `of_charges` empty: on
-- all charges. `on_names`: taxes before it that it is on too. `complaint`: what cannot be read, or ''.
CREATE OR REPLACE VIEW ref_taxes_history AS
WITH
    rows AS (SELECT * FROM reference_taxes FINAL),
    spanned AS
    (
        SELECT
            *,
            max(billing_offset) OVER (PARTITION BY id, version) AS latest_offset,
            first_value(billing_offset) OVER (
                PARTITION BY id ORDER BY version RANGE BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
            ) AS next_offset
        FROM rows
    )
SELECT
    id AS tariff,
    version,
    tariff_version,
    effective_from,
    tax_no,
    tax,
    rate_text,
    tax_object,
    of_charges,
    on_names,
    toUInt8(spanned.has_rounding) AS has_rounding,
    toDecimal256(spanned.round_to, 9) AS round_to,
    round_mode,
    complaint,
    ended_reason,
    is_withdrawn,
    billing_offset AS known_from_offset,
    if(next_offset = 0, 18446744073709551615, next_offset) AS known_until_offset
FROM spanned
WHERE item > 0 AND billing_offset = latest_offset
