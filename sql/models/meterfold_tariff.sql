-- The tariff of a price list: that of the edition TARIFF#EDITION, or the price list itself where it is the portfolio's.
CREATE OR REPLACE FUNCTION meterfold_tariff AS price_list -> replaceRegexpOne(price_list, '#[0-9]+$', '')
