-- What half-open spans (an array of (from, to), sorted) leave uncovered of since (in) to until (out): an array of (from, to), in order.
CREATE OR REPLACE FUNCTION meterfold_gaps AS (spans, since, until) ->
    arrayFilter(
        gap -> gap.1 < gap.2,
        arrayMap(
            (start, place) -> (
                arrayMax(arraySlice(arrayPushFront(arrayMap(span -> span.2, spans), since), 1, place)), least(start, until)
            ),
            arrayPushBack(arrayMap(span -> span.1, spans), until),
            arrayEnumerate(arrayPushBack(arrayMap(span -> span.1, spans), until))
        )
    )
