-- One row per instant at which a window may start: its slot. The instants of a slot fall into the same cell of every calendar, and no segment
-- begins or ends between them (part_no counts the parts that the bounds of segments cut time into), so that windows are added up by slot.
-- A slot comes again and again, as evenings do; each time is a turn (rating_turns).
CREATE OR REPLACE TEMPORARY TABLE rating_slots
(
    start_ms Int64, part_no UInt32, slot UInt32, slot_first_ms Int64, turn UInt32
)
AS
WITH
    parts AS (SELECT *, '' AS side FROM rating_parts),
    moments AS
    (
        SELECT start_ms, arraySort(groupArray((calendar, cell))) AS cells, '' AS side
        FROM rating_moments
        GROUP BY start_ms
    ),
    numbered AS
    (
        SELECT
            moments.start_ms AS start_ms,
            parts.part_no AS part_no,
            toUInt32(dense_rank() OVER (ORDER BY parts.part_no, moments.cells)) AS slot,
            min(moments.start_ms) OVER (PARTITION BY parts.part_no, moments.cells) AS slot_first_ms
        FROM moments
        ASOF INNER JOIN parts ON parts.side = moments.side AND moments.start_ms >= parts.at_ms
    ),
    compared AS
    (
        SELECT *, slot != lagInFrame(slot, 1, toUInt32(0)) OVER (ORDER BY start_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS begins
        FROM numbered
    )
SELECT
    start_ms,
    part_no,
    slot,
    slot_first_ms,
    toUInt32(sum(begins) OVER (ORDER BY start_ms ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS turn
FROM compared
