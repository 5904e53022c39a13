-- One row per version of a tariff object, tariff version and tax: `taxes` of decision 12 in the order written, after the old field `tax` (tax_no 0).
-- `tax_object`: the tax that it is, where that stands on its own (ref_tax_objects), else ''; `tax` is then what `on` calls it. `of_charges` empty: on
-- all charges. `on_names`: taxes before it that it is on too. `complaint`: what cannot be read, or ''.
CREATE OR REPLACE VIEW ref_taxes_history AS
WITH
    versions AS (SELECT * FROM ref_tariff_versions_history),
    written AS
    (
        SELECT
            * EXCEPT (energy),
            arrayMap(item -> meterfold_json_text(item, 'name'), charges) AS charge_names,
            arrayConcat(
                if(tax_name = '', [], [('{}', tax_name, tax_rate_text, '')]),
                arrayMap(
                    item -> (
                        item, meterfold_json_text(item, if(JSONType(item, 'name') = 'Null', 'tax', 'name')),
                        -- without trailing zeros: 0.050 and 0.05 are the same tax
                        replaceRegexpOne(replaceRegexpOne(meterfold_json_text(item, 'rate'), '(\\.[0-9]*?)0+$', '\\1'), '\\.$', ''),
                        meterfold_json_text(item, 'tax')
                    ),
                    taxes
                )
            ) AS items
        FROM versions
    ),
    numbered AS
    (
        SELECT *, item, item_no
        FROM written
        ARRAY JOIN items AS item, arrayEnumerate(items) AS item_no
    ),
    parsed AS
    (
        SELECT
            *,
            item.1 AS body,
            item.2 AS tax,
            item.3 AS rate_text,
            item.4 AS tax_object,
            JSONExtract(body, 'of', 'Array(String)') AS of_charges,
            JSONExtract(body, 'on', 'Array(String)') AS on_names,
            JSONType(body, 'round') != 'Null' AS has_rounding,
            if(has_rounding, meterfold_json_text(JSONExtractRaw(body, 'round'), 'to'), '1') AS round_to_text,
            if(NOT has_rounding OR JSONType(body, 'round', 'mode') = 'Null', 'half_up', JSONExtractString(body, 'round', 'mode')) AS round_mode
        FROM numbered
    )
SELECT
    tariff,
    version,
    tariff_version,
    effective_from,
    item_no AS tax_no,
    tax,
    rate_text,
    tax_object,
    of_charges,
    on_names,
    has_rounding,
    toDecimal256OrZero(round_to_text, 9) AS round_to,
    round_mode,
    multiIf(
        tax IN ('', '?'), 'has a tax without a name',
        tax_object = '?' OR (tax_object != '' AND rate_text != ''), 'has a tax that stands on its own and has a rate beside it',
        tax_object = '' AND NOT match(rate_text, '^[0-9]{1,9}([.][0-9]{1,9})?$'), 'has a standing charge or tax that is no decimal number with at most 9 places',
        arrayCount(other -> other.2 = tax AND other.3 = rate_text AND other.4 = tax_object, items) > 1, 'has two taxes of one name and rate',
        JSONType(body, 'of') NOT IN ('Null', 'Array') OR (JSONType(body, 'of') = 'Array' AND empty(of_charges)) OR NOT hasAll(charge_names, of_charges),
        'has a tax of charges that are not there',
        JSONType(body, 'on') NOT IN ('Null', 'Array') OR NOT hasAll(arrayMap(other -> other.2, arraySlice(items, 1, item_no - 1)), on_names),
        'has a tax on taxes that do not stand before it',
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
