"""Slips of the pen in the fold, each of which the tests must notice.

`mutants.py` is the table: chosen slips, each with the rule of docs/rules.md that it breaks. `test_mutants.py` makes each of them
in a copy of `state/` and asks `detection.py`, in a process of its own, whether anything notices: all scenario folders first, then
the edges of the simulation (`tests/simulation/edges.py`), then a seeded stream against the oracle. `hunt.py` makes slips by the
hundred, one token each, and lists those that nobody noticed:

    python -m tests.mutants.hunt --sample 150 --seed 1

A survivor that could change a row wants a test: a scenario where people should see the story, else an edge.
"""
