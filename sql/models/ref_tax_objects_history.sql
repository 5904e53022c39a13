-- One row per version of a tax that stands on its own: its rates by the days from which they hold, which day's rate counts (`date_rule`), whether
-- each line's tax is rounded or their sum (`level`), whether prices contain it, and whether it is a share of what it is on or of that with the tax
-- in it (`is_of_gross`). `complaint`: what cannot be read, or ''.
CREATE OR REPLACE VIEW ref_tax_objects_history AS
WITH
    objects AS (SELECT * FROM reference_history WHERE kind = 'tax'),
    parsed AS
    (
        SELECT
            *,
            JSONExtractArrayRaw(body, 'rates') AS items,
            arraySort(arrayMap(
                item -> (
                    toDate(JSONExtractString(item, 'from')),
                    -- without trailing zeros: 0.050 and 0.05 are the same tax
                    replaceRegexpOne(replaceRegexpOne(meterfold_json_text(item, 'rate'), '(\\.[0-9]*?)0+$', '\\1'), '\\.$', '')
                ),
                items
            )) AS rates,
            if(JSONType(body, 'date') = 'Null', 'supply', meterfold_json_text(body, 'date')) AS date_rule,
            if(JSONType(body, 'rounding') = 'Null', 'document', meterfold_json_text(body, 'rounding')) AS level,
            if(JSONType(body, 'share_of') = 'Null', 'net', meterfold_json_text(body, 'share_of')) AS share_of,
            JSONExtractBool(body, 'included') AS is_included,
            JSONType(body, 'round') != 'Null' AS has_rounding,
            if(has_rounding, meterfold_json_text(JSONExtractRaw(body, 'round'), 'to'), '1') AS round_to_text,
            if(NOT has_rounding OR JSONType(body, 'round', 'mode') = 'Null', 'half_up', JSONExtractString(body, 'round', 'mode')) AS round_mode
        FROM objects
    )
SELECT
    id AS tax_object,
    version,
    meterfold_json_text(body, 'name') AS name,
    arrayMap(row -> row.1, rates) AS rate_from,
    arrayMap(row -> row.2, rates) AS rate_texts,
    date_rule,
    level,
    is_included,
    share_of = 'gross' AS is_of_gross,
    has_rounding,
    toDecimal256OrZero(round_to_text, 9) AS round_to,
    round_mode,
    multiIf(
        name IN ('', '?'), 'has a tax without a name',
        empty(rates) OR arrayExists(text -> NOT match(text, '^0?([.][0-9]{1,9})?$') OR text = '', rate_texts),
        'has a tax whose rates are no fractions below 1 with at most 9 places',
        length(arrayDistinct(rate_from)) < length(rate_from), 'has a tax with two rates from one day',
        date_rule NOT IN ('supply', 'period_end', 'invoice') OR level NOT IN ('line', 'document') OR share_of NOT IN ('net', 'gross'),
        'has a tax with a `date`, `rounding` or `share_of` that is unknown',
        has_rounding AND (
            NOT match(round_to_text, '^[0-9]{1,9}([.][0-9]{1,4})?$') OR toFloat64OrZero(round_to_text) = 0
            OR NOT has(['half_up', 'half_even', 'down', 'up'], round_mode)
        ), 'has a `round` that cannot be read, or with more than four places',
        ''
    ) AS complaint,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM parsed
