-- The times that JSON objects with months, days, from and to stand for, as [(months, days, from_minute, to_minute)]: empty months or days are all
-- of them; minutes count from local midnight; from > to wraps midnight.
CREATE OR REPLACE FUNCTION meterfold_conditions AS (items) ->
    arrayMap(
        item -> (
            JSONExtract(item, 'months', 'Array(UInt8)'),
            JSONExtract(item, 'days', 'Array(String)'),
            toUInt16(toUInt16OrZero(substring(JSONExtractString(item, 'from'), 1, 2)) * 60
                + toUInt16OrZero(substring(JSONExtractString(item, 'from'), 4, 2))),
            toUInt16(if(
                JSONExtractString(item, 'to') = '', 1440,
                toUInt16OrZero(substring(JSONExtractString(item, 'to'), 1, 2)) * 60 + toUInt16OrZero(substring(JSONExtractString(item, 'to'), 4, 2))
            ))
        ),
        items
    )
