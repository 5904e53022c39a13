-- One row per version of a supply point and channel: what is measured there, in which unit, on which billing grid.
CREATE OR REPLACE VIEW ref_channels_history AS
WITH
    objects AS (SELECT * FROM reference_objects_history WHERE kind = 'supply_point')
SELECT
    id AS supply_point,
    version,
    JSONExtractString(body, 'site') AS site,
    JSONExtractString(item, 'channel') AS channel,
    JSONExtractString(item, 'unit') AS unit,
    JSONExtractString(item, 'kind') AS channel_kind,
    -- seconds; 0 = LOCAL_DAY, or read-to-read spans
    JSONExtractInt(item, 'grid_s') AS grid_s,
    JSONExtractString(item, 'commodity') AS commodity,
    JSONExtractString(item, 'direction') AS direction,
    ended_reason,
    is_withdrawn,
    known_from_offset,
    known_until_offset
FROM objects
ARRAY JOIN JSONExtractArrayRaw(body, 'channels') AS item
