"""The fold against the oracle: every row of every stream, whatever the cuts and the restarts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from state.fold import Fold
from state.outputs import COLUMNS, Outputs
from state.snapshot import restore, snapshot

STREAMS = ("evidence", "determinants", "adjustments", "findings", "quarantine")
Row = tuple[tuple[str, Any], ...]
_NOT_SHOWN = frozenset(
    (
        *("curated_offset", "curated_partition", "known_at_ms", "received_ms", "rule_version", "config_version"),
        *(f"origin_{part}" for part in ("partition", "offset", "sub")),
    )
)


def fold_rows(
    records: Iterable[Mapping[str, Any]], partition: int = 0, restarts: Random | None = None
) -> dict[str, list[Row]]:
    """Rows of the fold by stream; with `restarts` it is snapshot and restored at random records."""
    fold = Fold(partition)
    out = Outputs()
    for record in records:
        fold.apply(record, record["curated_offset"], record["append_ms"], out)
        if restarts is not None and restarts.random() < 0.02:
            fold = restore(snapshot(fold))
    fold.ledger_rows(out)
    return comparable(out)


def comparable(out: Outputs) -> dict[str, list[Row]]:
    """What a fold emitted, by stream."""
    return {
        stream: [_row(dict(zip(COLUMNS[stream], row, strict=True))) for row in getattr(out, stream)]
        for stream in COLUMNS
    }


def oracle_rows(rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, list[Row]]:
    """The oracle's rows in the same shape."""
    return {stream: [_row(row) for row in rows[stream]] for stream in STREAMS}


def _row(row: Mapping[str, Any]) -> Row:
    """A row as comparable pairs; a finding's detail is for people and is left out."""
    return tuple(
        sorted(
            (name, tuple(value) if isinstance(value, list) else value)
            for name, value in row.items()
            if name != "detail"
        )
    )


def first_difference(fold: Mapping[str, list[Row]], oracle: Mapping[str, list[Row]]) -> str:
    """The earliest record at which two sets of rows part, for a person; "" if nowhere. Order in a stream is not compared."""
    parting: dict[int, list[str]] = {}
    for stream in STREAMS:
        ours, theirs = Counter(fold[stream]), Counter(oracle[stream])
        for side, rows in (("fold  ", ours - theirs), ("oracle", theirs - ours)):
            for row in rows:
                values = dict(row)
                shown = {
                    name: value
                    for name, value in values.items()
                    if name not in _NOT_SHOWN and value not in ("", None, ())
                }
                parting.setdefault(values["curated_offset"], []).append(f"  {side} {stream}: {shown}")
    if not parting:
        return ""
    first = min(parting)
    return "\n".join(
        [f"{len(parting)} records differ, the first at curated offset {first}:", *sorted(parting[first])[:8]]
    )
