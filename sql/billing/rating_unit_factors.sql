-- One row per pair of units of one dimension, as ref_unit_factors has them, which many steps join.
CREATE OR REPLACE TEMPORARY TABLE rating_unit_factors
(
    from_unit String, to_unit String, numerator UInt64, denominator UInt64
)
AS
SELECT *
FROM ref_unit_factors
