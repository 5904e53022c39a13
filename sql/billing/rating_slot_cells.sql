-- One row per slot and calendar that reaches it: the cell.
CREATE OR REPLACE TEMPORARY TABLE rating_slot_cells
(
    slot UInt32, calendar UInt32, part_no UInt32, slot_first_ms Int64, cell Array(UInt8)
)
AS
SELECT slot, calendar, any(part_no) AS part_no, any(slot_first_ms) AS slot_first_ms, any(cell) AS cell
FROM rating_moments
INNER JOIN rating_slots USING (start_ms)
GROUP BY slot, calendar
