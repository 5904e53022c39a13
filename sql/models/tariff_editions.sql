-- One row per edition of a tariff: where it stands now, and who drafted, proposed and approved it, as claimed.
CREATE OR REPLACE VIEW tariff_editions AS
SELECT *
FROM tariff_editions_known(known_billing_offset = 18446744073709551615)
