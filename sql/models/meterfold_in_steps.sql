-- How many whole steps (Int256, above 0) an amount (Int256, of the same unit) is rounded to. half_up and up are away from zero, down is towards it.
CREATE OR REPLACE FUNCTION meterfold_in_steps AS (amount, step, mode) ->
    intDiv(amount, step) + sign(amount) * multiIf(
        amount % step = 0 OR mode = 'down', 0,
        mode = 'up' OR abs(amount % step) * 2 > step, 1,
        abs(amount % step) * 2 < step, 0,
        mode = 'half_even' AND intDiv(amount, step) % 2 = 0, 0,
        1
    )
