-- One row per turn of a slot: from its first instant (in) to that of the next turn, or to the end of the part of time (out).
CREATE OR REPLACE TEMPORARY TABLE rating_turns
(
    turn UInt32, slot UInt32, from_ms Int64, until_ms Int64
)
AS
WITH
    turns AS (SELECT turn, any(slot) AS slot, any(part_no) AS part_no, min(start_ms) AS from_ms, max(start_ms) AS last_ms FROM rating_slots GROUP BY turn),
    parts AS (SELECT part_no, at_ms FROM rating_parts),
    followed AS
    (
        SELECT *, leadInFrame(from_ms, 1, last_ms + 1) OVER (ORDER BY turn ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_ms
        FROM turns
    )
SELECT
    followed.turn AS turn,
    followed.slot AS slot,
    followed.from_ms AS from_ms,
    if(parts.part_no = 0, followed.next_ms, least(followed.next_ms, parts.at_ms)) AS until_ms
FROM followed
LEFT JOIN parts ON parts.part_no = followed.part_no + 1
