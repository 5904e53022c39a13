-- The text under a key of a JSON object: '' where there is none, '?' where it is no text (a number may have been a float on the way).
CREATE OR REPLACE FUNCTION meterfold_json_text AS (json, key) ->
    multiIf(JSONType(json, key) = 'String', JSONExtractString(json, key), JSONType(json, key) = 'Null', '', '?')
