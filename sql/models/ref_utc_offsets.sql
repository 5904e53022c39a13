-- One row per site and change of its clock: local time = UTC + offset_s in [from_ms, until_ms). The latest edition of the site.
CREATE OR REPLACE VIEW ref_utc_offsets AS
WITH
    sites AS (SELECT * FROM ref_sites)
SELECT site, version, from_ms, until_ms, offset_seconds AS offset_s, ended_reason, is_withdrawn
FROM sites
ARRAY JOIN offset_from_ms AS from_ms, offset_until_ms AS until_ms, offset_s AS offset_seconds
