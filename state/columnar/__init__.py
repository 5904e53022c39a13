"""The fold over whole batches: array code for the clean majority, the scalar step for everything else.

`BatchFold.apply_batch` leaves the same rows and the same state as `Fold.apply` record by record; the order of rows within a batch
is all that may differ. The scalar step is the specification: each module here carries out rules of the module of `state`
that it names, for many supply points at once, and leaves what it does not know to that module.
"""

from state.columnar.batch import BatchFold

__all__ = ["BatchFold"]
