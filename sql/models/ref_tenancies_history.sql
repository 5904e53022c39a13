-- One row per version of a tenancy: which account occupies a supply point, from (in) to (out, NULL = open), on which tariff.
CREATE OR REPLACE VIEW ref_tenancies_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'tenancy')
SELECT
    id AS tenancy,
    version,
    JSONExtractString(body, 'account') AS account,
    JSONExtractString(body, 'supply_point') AS supply_point,
    toDate(JSONExtractString(body, 'from')) AS from_date,
    toDateOrNull(JSONExtractString(body, 'to')) AS to_date,
    JSONExtractString(body, 'tariff') AS tariff,
    -- (name, from, value in 10⁻⁹): what is agreed or given, such as a contracted power, in order of time
    arraySort(number -> (number.1, number.2), arrayMap(
        item -> (
            JSONExtractString(item, 'name'), toDate(JSONExtractString(item, 'from')),
            toInt256(reinterpret(toDecimal128OrZero(meterfold_json_text(item, 'value'), 9), 'Int128'))
        ),
        JSONExtractArrayRaw(body, 'numbers')
    )) AS numbers,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
