-- An object of the portfolio was appended with a version that is not above the one before it: which one is in force would be open.
WITH
    objects AS (SELECT kind, id, version, billing_offset FROM reference_objects FINAL),
    paired AS
    (
        SELECT
            *,
            lagInFrame(billing_offset, 1, 0) OVER (
                PARTITION BY kind, id ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS offset_before
        FROM objects
    )
SELECT kind, id, version, billing_offset, offset_before
FROM paired
WHERE billing_offset < offset_before
ORDER BY kind, id, version
