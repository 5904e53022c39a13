-- A decimal in plain notation: at least so many places after the point, and no zeros at the end beyond them.
CREATE OR REPLACE FUNCTION meterfold_amount_text AS (amount, places) ->
    concat(
        toString(amount),
        if(places > 0 AND position(toString(amount), '.') = 0, '.', ''),
        repeat('0', greatest(
            0, toInt32(places) - if(position(toString(amount), '.') = 0, 0, toInt32(length(toString(amount))) - toInt32(position(toString(amount), '.')))
        ))
    )
