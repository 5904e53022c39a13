"""The edges and streams that mutants are folded over, with what the oracle says of them, made once and kept in a file."""

import pickle
from collections.abc import Iterable
from pathlib import Path

from tests.simulation.comparison import Row, oracle_rows
from tests.simulation.edges import EDGES
from tests.simulation.oracle import Oracle
from tests.simulation.streams import Record, make_stream

SEEDS = (3,)
MORE_SEEDS = (3, 0)
"""Of those that `test_fold_against_oracle.py` plays, so that the fold itself is known to agree with the oracle."""
PIECE = 250
"""Records after which rows are compared; a mutant that is noticed is folded no further."""
OFTEN, SELDOM = 0.5, 0.01
"""The share of records after which a fold is written to bytes and read back."""

Piece = tuple[list[Record], dict[str, list[Row]]]


def write_streams(path: Path, seeds: Iterable[int] = SEEDS) -> None:
    """Pickle what `detection.py` folds: the edges, then the streams, each as (name, pieces, ledger, how often it restarts)."""
    tapes = [(edge.__name__, edge()) for edge in EDGES]
    streams = [(f"seed {seed}", make_stream(seed)) for seed in seeds]
    played = [(name, *_cut(tape.records, tape.oracle), OFTEN) for name, tape in tapes]
    played += [(name, *_cut(stream.records, stream.oracle), SELDOM) for name, stream in streams]
    path.write_bytes(pickle.dumps(played))


def _cut(records: list[Record], oracle: Oracle) -> tuple[list[Piece], list[tuple[str, int]]]:
    """Records in order, `PIECE` at a time, with the rows that they alone give; and the ledger after them all."""
    rows = oracle_rows(oracle.rows)
    pieces: list[Piece] = [
        (records[at : at + PIECE], {name: [] for name in rows}) for at in range(0, len(records), PIECE)
    ]
    for name, found in rows.items():
        for row in found:
            pieces[dict(row)["curated_offset"] // PIECE][1][name].append(row)
    return pieces, [(row["outcome"], row["count"]) for row in oracle.ledger()]
