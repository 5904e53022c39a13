"""The independent oracle: docs/rules.md computed a second time, in plain Python, sharing nothing with `state/`.

    oracle = Oracle(curated_partition=0)
    for record in records:          # curated records in log order, each with curated_offset and append_ms
        oracle.apply(record)
    oracle.rows["determinants"]     # lists of dicts with the columns of contracts/outputs.md

It keeps what it knows in dictionaries keyed by instants and derives the rest anew whenever it is needed. Nothing here is clever;
where it limits how much it looks at, it is because nothing else can have changed, and `check_conservation` derives everything again.
"""

from tests.simulation.oracle.audit import UnableToBalance, check_conservation
from tests.simulation.oracle.fold import Oracle

__all__ = ["Oracle", "UnableToBalance", "check_conservation"]
