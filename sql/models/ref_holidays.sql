-- One row per site and holiday (a local date). The latest edition of the site.
CREATE OR REPLACE VIEW ref_holidays AS
WITH
    sites AS (SELECT * FROM ref_sites)
SELECT site, version, holiday, ended_reason, is_withdrawn
FROM sites
ARRAY JOIN holidays AS holiday
