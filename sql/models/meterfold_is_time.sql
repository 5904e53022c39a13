-- Whether a JSON object's months, days, from and to can be read; what is absent stands for all.
CREATE OR REPLACE FUNCTION meterfold_is_time AS (item) ->
    match(meterfold_json_text(item, 'from'), '^(([01][0-9]|2[0-3]):[0-5][0-9])?$')
    AND match(meterfold_json_text(item, 'to'), '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)?$')
    AND JSONType(item, 'months') IN ('Null', 'Array') AND JSONType(item, 'days') IN ('Null', 'Array')
    AND arrayAll(month -> match(month, '^([1-9]|1[0-2])$'), JSONExtractArrayRaw(item, 'months'))
    AND arrayAll(
        day -> has(['"mon"', '"tue"', '"wed"', '"thu"', '"fri"', '"sat"', '"sun"', '"holiday"'], day), JSONExtractArrayRaw(item, 'days')
    )
