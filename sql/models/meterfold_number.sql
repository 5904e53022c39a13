-- A number of a tenancy on a day, in 10⁻⁹, from its (name, from, value) in order of time; 0 where it has none by then.
CREATE OR REPLACE FUNCTION meterfold_number AS (name, numbers, day) ->
    arrayLast(number -> number.1 = name AND number.2 <= day, numbers).3
