"""The demonstration: a small house, two months of reads with everything that goes wrong, and its bills."""
