-- One row per hardened window: the determinant with every adjustment to it, as all that is stored says now.
CREATE OR REPLACE VIEW current_determinants AS
SELECT *
FROM determinants_known(
    known_at_ms = 9223372036854775807, partitions = [0], next_offsets = [18446744073709551615], unlisted_offset = 18446744073709551615
)
