-- One row per currency whose minor unit is not two decimal places (ISO 4217); every other currency has two.
CREATE OR REPLACE VIEW ref_currencies AS
SELECT
    arrayJoin([
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
    ]) AS currency,
    0 AS minor_digits
UNION ALL
SELECT arrayJoin(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']) AS currency, 3 AS minor_digits
UNION ALL
SELECT arrayJoin(['CLF', 'UYW']) AS currency, 4 AS minor_digits
