"""The fold over whole batches: the rules of `state/*.py` once more, as loops over columns that are compiled.

A module here carries out the rules of the module of `state` that has its name, function by function, on the same arrays
(`state/tables.py`) and unit by unit in the order of the log. What it does not know — a rare refusal, a control record, a channel with
register streams or local days — it leaves to that module before it has touched anything. The scalar step is the specification: a fuzz
holds the two equal, row for row and byte for byte of state.
"""

from state.columnar.batch import Batch, BatchFold

__all__ = ["Batch", "BatchFold"]
