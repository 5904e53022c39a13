"""ClickHouse as a projection of the billing log: replay what is new, or everything after a drop, to the same rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.clickhouse import Store
from meterfold.billing.log import BillingLog
from meterfold.billing.rows import Place, Row, UnableToProject, rows_of

BATCH_RECORDS: Final = 5_000
"""Records held in memory at most before they are inserted."""

Pending = dict[str, list[Mapping[str, Any]]]


def project(store: Store, log: BillingLog, stored: Sequence[tuple[int, int]] = ()) -> int:
    """Bring the billing tables up to the end of the log; returns the offset below which everything is known now.

    `stored`: offsets of the first and the last of records that were appended together and whose rows are there already, in order.
    Rows replace themselves, so what a crash makes it repeat is harmless. A record that is none becomes a row of `bill_refused`, and those
    after it are projected. Raises what the log and the store raise; the frontier then stays where the rows are.
    """
    next_offset, known_at_ms = frontier(store)
    pending: Pending = defaultdict(list)
    held = 0
    for offset, append_ms, payload in _after(log, next_offset, stored):
        if any(first <= offset <= last for first, last in stored):
            next_offset, known_at_ms, held = offset + 1, max(known_at_ms, append_ms), max(held, 1)
            continue
        for table, row in _rows_or_refusal(Place(offset, append_ms, payload)):
            pending[table].append(row)
        next_offset, known_at_ms, held = offset + 1, max(known_at_ms, append_ms), held + 1
        if held == BATCH_RECORDS:
            _store(store, pending, next_offset, known_at_ms)
            pending, held = defaultdict(list), 0
    if held:
        _store(store, pending, next_offset, known_at_ms)
    return next_offset


def _after(log: BillingLog, next_offset: int, stored: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, bytes]]:
    """The records from `next_offset` on; of those that are `stored` only the last, and the others are not even read."""
    # The last record projected is read again: an offset is only known to be one when a record was seen there.
    begin = max(next_offset - 1, 0)
    for first, last in stored:
        for record in log.iter_records(begin):
            if record[0] >= first:
                break
            if record[0] >= next_offset:
                yield record
        begin = last
    yield from (record for record in log.iter_records(begin) if record[0] >= next_offset)


def refuse_misread(store: Store) -> None:
    """Raises UnableToProject while the log holds records that could not be read: nobody knows what was charged or numbered in them."""
    found = store.query("SELECT why FROM bill_refused FINAL ORDER BY billing_offset").rows
    if found:
        raise UnableToProject(
            f"{found[0][0]}. {len(found)} such records are in the billing log, so nothing is charged or numbered: use the version of "
            "meterfold that wrote them, and meterfold rebuild"
        )


def _rows_or_refusal(place: Place) -> list[Row]:
    try:
        return rows_of(place)
    except UnableToProject as error:
        refusal = {
            "billing_offset": place.offset,
            "appended_ms": place.append_ms,
            "why": str(error),
            "payload": place.payload,
        }
        return [("bill_refused", refusal)]


def frontier(store: Store) -> tuple[int, int]:
    """(offset below which billing records are stored, running maximum of their append time in ms); (0, 0) before the first."""
    rows = store.query(
        "SELECT next_offset, known_at_ms FROM frontier FINAL WHERE kind = 'billing' AND partition = 0"
    ).rows
    return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)


def _store(store: Store, pending: Pending, next_offset: int, known_at_ms: int) -> None:
    """The rows, and only then the frontier that vouches for them."""
    for table in sorted(pending):
        rows = pending[table]
        store.insert(table, {name: [row[name] for row in rows] for name in rows[0]})
    store.insert(
        "frontier", {"kind": ["billing"], "partition": [0], "next_offset": [next_offset], "known_at_ms": [known_at_ms]}
    )
