-- One row per instant at which a window may start: its slot. The instants of a slot fall into the same cell of every calendar, and no segment
-- begins or ends between them (part_no counts the parts that the bounds of segments cut time into), so that windows are added up by slot.
CREATE OR REPLACE TEMPORARY TABLE rating_slots AS
WITH
    parts AS (SELECT *, '' AS side FROM rating_parts),
    moments AS
    (
        SELECT start_ms, arraySort(groupArray((calendar, cell))) AS cells, '' AS side
        FROM rating_moments
        GROUP BY start_ms
    )
SELECT
    moments.start_ms AS start_ms,
    parts.part_no AS part_no,
    toUInt32(dense_rank() OVER (ORDER BY parts.part_no, moments.cells)) AS slot,
    min(moments.start_ms) OVER (PARTITION BY parts.part_no, moments.cells) AS slot_first_ms
FROM moments
ASOF INNER JOIN parts ON parts.side = moments.side AND moments.start_ms >= parts.at_ms
