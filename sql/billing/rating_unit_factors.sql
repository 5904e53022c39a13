-- One row per pair of units of one dimension, as ref_unit_factors has them, which many steps join.
CREATE OR REPLACE TEMPORARY TABLE rating_unit_factors AS
SELECT *
FROM ref_unit_factors
