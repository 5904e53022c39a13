"""The fold: records in, determinants and adjustments out. No engine, no I/O, no clock."""
