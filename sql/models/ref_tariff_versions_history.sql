-- One row per version of a tariff object and tariff version in it: effective from (in) to (out), its charges and taxes as JSON.
-- `version` counts editions of the object; `tariff_version` is the name the supplier gives the prices.
CREATE OR REPLACE VIEW ref_tariff_versions_history AS
WITH
    objects AS (SELECT * FROM reference_history WHERE kind = 'tariff'),
    items AS
    (
        SELECT *, item, toDate(JSONExtractString(item, 'effective_from')) AS effective_from
        FROM objects
        ARRAY JOIN JSONExtractArrayRaw(body, 'versions') AS item
    )
SELECT
    id AS tariff,
    version,
    -- text or number in the body, text here
    trim(BOTH '"' FROM JSONExtractRaw(item, 'version')) AS tariff_version,
    JSONExtractString(body, 'currency') AS currency,
    effective_from,
    leadInFrame(effective_from, 1, toDate('2149-06-06')) OVER (
        PARTITION BY tariff, version
        ORDER BY effective_from, tariff_version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS effective_to,
    -- two versions of one name, or of one day: which prices hold would be open
    count() OVER (PARTITION BY tariff, version, tariff_version) > 1 OR count() OVER (PARTITION BY tariff, version, effective_from) > 1
        AS is_ambiguous,
    JSONExtractArrayRaw(item, 'energy') AS energy,
    JSONExtract(item, 'standing_per_day', 'Nullable(String)') AS standing_text,
    toDecimal128OrNull(ifNull(standing_text, ''), 9) AS standing_per_day,
    JSONExtractString(item, 'tax', 'name') AS tax_name,
    -- without trailing zeros: 0.050 and 0.05 are the same tax
    replaceRegexpOne(replaceRegexpOne(JSONExtractString(item, 'tax', 'rate'), '(\\.[0-9]*?)0+$', '\\1'), '\\.$', '') AS tax_rate_text,
    toDecimal128OrNull(tax_rate_text, 9) AS tax_rate,
    JSONExtractArrayRaw(item, 'charges') AS charges,
    JSONExtractArrayRaw(item, 'taxes') AS taxes,
    JSONType(item, 'charges') NOT IN ('Null', 'Array') OR JSONType(item, 'taxes') NOT IN ('Null', 'Array') AS is_misshapen,
    JSONExtract(item, 'estimate_after_days', 'Nullable(UInt16)') AS estimate_after_days,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM items
