-- One row per hardened window, as a reader of the curated log below these offsets knows it. What a bill run pins.
CREATE OR REPLACE VIEW determinants_within_frontier AS
SELECT *
FROM determinants_known(
    known_at_ms = 9223372036854775807, partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)},
    unlisted_offset = 0
)
