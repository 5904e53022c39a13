-- One row per version of a tariff object, tariff version in it and tax: ref_taxes_history says what the columns mean. Beside them, per version of the
-- object one row of nothing (item 0), so that a version without taxes ends those of the one before it.
CREATE TABLE reference_taxes
(
    id             String COMMENT 'Name of the tariff; of an edition TARIFF#EDITION',
    version        Int64 COMMENT 'Edition of the object',
    item           UInt32 COMMENT 'Place of the tariff version, in order of their days; 0: the row of nothing',
    tax_no         UInt32 COMMENT 'Place in the tariff version, the old field first',
    tariff_version String COMMENT 'Name that the supplier gives the prices',
    effective_from Date COMMENT 'First day of the tariff version',
    tax            String COMMENT 'Its name, or what `on` calls it',
    rate_text      String COMMENT 'Its rate, without trailing zeros; "" where it stands on its own',
    tax_object     String COMMENT 'The tax that it is, where that stands on its own',
    of_charges     Array(String) COMMENT 'Names of the charges it is of; empty: all',
    on_names       Array(String) COMMENT 'Taxes that it is on too',
    has_rounding   Bool COMMENT 'It has a rounding of its own',
    round_to       Decimal(38, 9) COMMENT 'To what',
    round_mode     String COMMENT 'half_up, half_even, down, up',
    complaint      String COMMENT 'What of it cannot be read; "" all can',
    ended_reason   Nullable(String) COMMENT 'Why the object left the portfolio; NULL while it is in it',
    is_withdrawn   Bool COMMENT 'It should never have been',
    billing_offset UInt64 COMMENT 'Offset of the record in the billing log'
)
ENGINE = ReplacingMergeTree(billing_offset)
ORDER BY (id, version, item, tax_no)
COMMENT 'Taxes of every version of every price list. Natural key: id, version, item, tax_no.';
