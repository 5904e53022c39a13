-- One row per pair of units of one dimension: amount in to_unit = amount in from_unit × numerator / denominator, exactly.
CREATE OR REPLACE VIEW ref_unit_factors AS
WITH
    units AS
    (
        -- size in the first unit of the dimension; the gallon is 231 cubic inches and the foot 0.3048 m, both exactly
        SELECT
            tupleElement(row, 1) AS dimension,
            tupleElement(row, 2) AS unit,
            toUInt64(tupleElement(row, 3)) AS numerator,
            toUInt64(tupleElement(row, 4)) AS denominator
        FROM
        (
            SELECT arrayJoin([
                ('energy', 'Wh', 1, 1), ('energy', 'kWh', 1000, 1), ('energy', 'MWh', 1000000, 1), ('energy', 'GWh', 1000000000, 1),
                ('energy', 'J', 1, 3600), ('energy', 'kJ', 5, 18), ('energy', 'MJ', 2500, 9), ('energy', 'GJ', 2500000, 9),
                ('reactive energy', 'varh', 1, 1), ('reactive energy', 'kvarh', 1000, 1), ('reactive energy', 'Mvarh', 1000000, 1),
                ('apparent energy', 'VAh', 1, 1), ('apparent energy', 'kVAh', 1000, 1), ('apparent energy', 'MVAh', 1000000, 1),
                ('volume', 'm3', 1, 1), ('volume', 'L', 1, 1000), ('volume', 'gal', 3785411784, 1000000000000),
                ('volume', 'ft3', 28316846592, 1000000000000), ('unspecified', 'unspecified', 1, 1)
            ]) AS row
        )
    )
SELECT
    given.unit AS from_unit,
    wanted.unit AS to_unit,
    intDiv(given.numerator * wanted.denominator, gcd(given.numerator * wanted.denominator, given.denominator * wanted.numerator)) AS numerator,
    intDiv(given.denominator * wanted.numerator, gcd(given.numerator * wanted.denominator, given.denominator * wanted.numerator)) AS denominator
FROM units AS given
INNER JOIN units AS wanted ON wanted.dimension = given.dimension
