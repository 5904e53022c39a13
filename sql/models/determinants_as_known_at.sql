-- One row per hardened window, as it was known at an instant: the same answer before and after later data.
CREATE OR REPLACE VIEW determinants_as_known_at AS
SELECT *
FROM determinants_known(
    known_at_ms = {known_at_ms:Int64}, partitions = [0], next_offsets = [18446744073709551615], unlisted_offset = 18446744073709551615
)
