-- One row per currency whose minor unit is not two decimal places, as ref_currencies has them, which many steps join.
CREATE OR REPLACE TEMPORARY TABLE rating_currencies
(
    currency String, minor_digits UInt8
)
AS
SELECT *
FROM ref_currencies
