-- A hash of an instant at which a window of this length begins or ends (both in ms): what rating_sums tells a whole tiling by.
CREATE OR REPLACE FUNCTION meterfold_bound_hash AS (at_ms, length_ms) -> intHash64(bitXor(at_ms, intHash64(length_ms)))
