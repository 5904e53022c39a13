-- One row per version of an account: who is billed (a party id, never a name), from when, on which calendar.
CREATE OR REPLACE VIEW ref_accounts_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'account')
SELECT
    id AS account,
    version,
    JSONExtractString(body, 'legal_entity') AS legal_entity,
    JSONExtractString(body, 'party_id') AS party_id,
    JSONExtractString(body, 'currency') AS currency,
    toDate(JSONExtractString(body, 'billing_from')) AS billing_from,
    JSONExtractString(body, 'calendar', 'kind') AS calendar_kind,
    toUInt8(JSONExtractUInt(body, 'calendar', 'day')) AS calendar_day,
    toDecimal128(if(JSONHas(body, 'opening_position'), JSONExtractString(body, 'opening_position'), '0'), 4) AS opening_position,
    -- (tax, treatment, from, to: the last day there is if open): taxes that it is exempt from, or owes itself
    arrayMap(
        item -> (
            JSONExtractString(item, 'tax'), JSONExtractString(item, 'treatment'), toDate(JSONExtractString(item, 'from')),
            ifNull(toDateOrNull(JSONExtractString(item, 'to')), toDate('2149-06-06'))
        ),
        JSONExtractArrayRaw(body, 'taxes')
    ) AS tax_treatments,
    ended_reason,
    toDateOrNull(ended_at) AS ended_on,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
