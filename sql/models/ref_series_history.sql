-- One row per version of a price series: what a price is for, how long a step is, and where each begins (ms since 1970 UTC). `complaint`: what cannot be
-- read, or ''.
CREATE OR REPLACE VIEW ref_series_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'series'),
    parsed AS
    (
        SELECT
            *,
            JSONExtractInt(body, 'step_s') AS step_s,
            arrayFlatten(arrayMap(
                span -> arrayMap(
                    (text, place) -> (JSONExtractInt(span, 'from_ms') + (place - 1) * step_s * 1000, text),
                    splitByChar(' ', JSONExtractString(span, 'prices')) AS texts, arrayEnumerate(texts)
                ),
                JSONExtractArrayRaw(body, 'spans')
            )) AS points
        FROM objects
    )
SELECT
    id AS series,
    version,
    JSONExtractString(body, 'unit') AS unit,
    JSONExtractString(body, 'currency') AS currency,
    step_s,
    arrayMap(point -> point.1, points) AS start_ms,
    arrayMap(point -> toDecimal128OrZero(point.2, 9), points) AS prices,
    multiIf(
        step_s <= 0, 'has no step',
        arrayExists(point -> NOT match(point.2, '^-?[0-9]{1,9}([.][0-9]{1,9})?$'), points), 'has a price that cannot be read',
        length(arrayDistinct(start_ms)) < length(start_ms), 'has two prices for one time',
        ''
    ) AS complaint,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM parsed
