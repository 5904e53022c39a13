-- From when an object of the portfolio is not in it any more.
ALTER TABLE reference_objects
    ADD COLUMN IF NOT EXISTS ended_at String COMMENT 'From when it is not in the portfolio: a day, of a device an instant; "" for one that is, or that was withdrawn'
    AFTER ended_reason;
