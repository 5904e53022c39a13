"""The lines of a run: made by ClickHouse as they stand in the log, appended, and put into `bill_lines` without being read again.

No line is an object here: a month of a hundred thousand accounts has most of a million. The rows are those that projecting the records
gives (a rebuild shows it), so the tables are the same whichever way they were made. Batches of accounts are rated side by side; into the
log they go in their order, so it does not show.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from queue import Queue
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from connectors.clickhouse import Session, Store
from connectors.texts import Texts
from meterfold.billing.log import BillingLog
from meterfold.billing.project import project
from meterfold.billing.rating import Blocked, Pins, batches, blocks_in, staged, told
from meterfold.billing.side_by_side import Turns, side_by_side
from meterfold.store import sql_folder

LINES_AT_ONCE: Final = 20_000
"""Records on their way from ClickHouse into the log at once, some 450 bytes each."""
FETCHED_AHEAD: Final = 4
"""So many times as many wait to be appended: it takes longer than to fetch them."""

_COLUMNS: Final = (
    "line_id, document_id, position, run_id, legal_entity, account, period_from, period_to, kind, element, supply_point, channel, tariff, "
    "tariff_version, band, service_from, service_to, currency, unit, rate, quantity_should, quantity_was, quantity, quantity_estimated, "
    "amount_should, amount_was, amount, tax_point, tax_remainder, is_withheld, withheld_reason, withheld_bearer"
)
SAID: Final = f"toJSONString(tuple({_COLUMNS}))"
"""All that a line says, of bill_lines and of drafted_lines, as text: earlier versions left nothing out of its record."""
_PAYLOADS: Final = (
    "SELECT toUInt32(length(payload)), payload FROM drafted_lines "
    "WHERE place > {after:UInt64} AND place <= {through:UInt64} ORDER BY place"
)
_OFFSETS: Final = {"place": "UInt64", "billing_offset": "UInt64"}


@dataclass(slots=True)
class Drafted:
    """What a run has drafted: how many lines, per currency the sum of those charged and its decimal places, and what is blocked."""

    lines: int = 0
    totals: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    digits: dict[str, int] = field(default_factory=dict)
    blocked: tuple[Blocked, ...] = ()


class DraftedOtherwise(RuntimeError):
    """Lines that a run has in the log are not those that it drafts now."""


_READ: Final = ("rating_differences", "rating_blocks")
"""Of the tables of a rating, what lines are made of."""

Span = tuple[int, int]
"""Offsets of the first and of the last of records that were appended together."""


class _Batch(NamedTuple):
    """What some accounts came to. `sums`: currency, lines, total, decimal places; `spans`: where the lines lie in the log."""

    sums: list[tuple[str, int, Decimal, int]]
    blocks: list[Blocked]
    spans: list[Span]


def draft(store: Store, log: BillingLog, pins: Pins, run_id: str, *, has_begun: bool = False) -> Drafted:
    """Rate what `pins` covers, append its lines to the log and bring them into the tables. Raises what the log and the store raise.

    `has_begun`: the log has some of them already, and they are in the tables; the rest follows. Raises DraftedOtherwise, too.
    """
    found = list(batches(store, pins))

    def work(place: int, accounts: list[str], turns: Turns) -> _Batch:
        with staged(store, pins, accounts, is_beside=len(found) > 1, only=_READ) as session:
            session.command(drafted_lines(), {"run_id": run_id, "legal_entity": pins.legal_entity})
            sums, blocks = _sums(session), blocks_in(session)
            there = _already_there(session, run_id) if has_begun else 0
            lines = range(there, sum(lines for _, lines, _, _ in sums))
            appended = _append(session, lines, log, pins.legal_entity.encode(), turns.of(place))
            _store(session, lines, appended)
            return _Batch(sums, blocks, [(int(offsets[0]), int(offsets[-1])) for offsets in appended])

    made = side_by_side(work, found)
    project(store, log, stored=[span for batch in made for span in batch.spans])
    drafted = Drafted(blocked=told([block for batch in made for block in batch.blocks]))
    for currency, lines, total, digits in (row for batch in made for row in batch.sums):
        drafted.lines += lines
        drafted.totals[currency] += total
        drafted.digits[currency] = digits
    return drafted


def _sums(session: Session) -> list[tuple[str, int, Decimal, int]]:
    return session.query(
        "SELECT currency, count(), sumIf(amount, NOT is_withheld), any(minor_digits) FROM drafted_lines GROUP BY currency ORDER BY currency"
    ).rows


def _already_there(session: Session, run_id: str) -> int:
    """How many of the lines that were made the log has: the first ones, as they are appended in order."""
    there, last, others = session.query(
        "SELECT count(), max(place), countIf(logged.said != drafted.said) "
        f"FROM (SELECT line_id, place, {SAID} AS said FROM drafted_lines) AS drafted "
        f"INNER JOIN (SELECT line_id, {SAID} AS said FROM bill_lines FINAL WHERE run_id = {{run:String}}) AS logged "
        "ON logged.line_id = drafted.line_id",
        {"run": run_id},
    ).rows[0]
    if others or there != last:
        raise DraftedOtherwise(f"run {run_id} does not draft what it has in the log; begin a new run, and report this")
    return int(there)


def _append(
    session: Session, lines: range, log: BillingLog, key: bytes, turn: AbstractContextManager[None]
) -> list[NDArray[np.int64]]:
    """These of the lines into the log, in their turn; where each of them lies. ClickHouse gives them out meanwhile, in this thread."""
    fetched: Queue[Texts | BaseException | None] = Queue(FETCHED_AHEAD)

    def append() -> list[NDArray[np.int64]]:
        appended, has_all = [], False
        try:
            with turn:
                while (texts := fetched.get()) is not None:
                    if isinstance(texts, BaseException):
                        raise texts
                    appended.append(log.append_together(key, texts))
                has_all = True
                log.flush()
        finally:
            while not has_all:  # the other side is not to wait for room
                has_all = fetched.get() is None
        return appended

    with ThreadPoolExecutor(1, "append") as pool:
        appending = pool.submit(append)
        try:
            for after in lines[::LINES_AT_ONCE]:
                fetched.put(session.texts(_PAYLOADS, {"after": after, "through": after + LINES_AT_ONCE}))
        except BaseException as error:
            fetched.put(error)
            raise
        finally:
            fetched.put(None)
        return appending.result()


def _store(session: Session, lines: range, appended: list[NDArray[np.int64]]) -> None:
    """The lines that have been appended, into bill_lines."""
    session.command("CREATE OR REPLACE TEMPORARY TABLE line_offsets (place UInt64, billing_offset UInt64)")
    if appended:
        places = np.arange(lines.start + 1, lines.stop + 1, dtype=np.int64)
        session.insert("line_offsets", _OFFSETS, {"place": places, "billing_offset": np.concatenate(appended)})
    session.command(
        f"INSERT INTO bill_lines ({_COLUMNS}, payload, billing_offset) SELECT {_COLUMNS}, payload, billing_offset FROM drafted_lines "
        "INNER JOIN line_offsets ON line_offsets.place = drafted_lines.place "
        # Each line is there once; to look for others takes as long as the rest. The last batch has nothing beside it, so two threads.
        "SETTINGS min_insert_block_size_bytes = 100000000, optimize_on_insert = 0, max_threads = 2, max_insert_threads = 2"
    )
    session.command("DROP TEMPORARY TABLE line_offsets")
    session.command("DROP TEMPORARY TABLE drafted_lines")


@cache
def drafted_lines() -> str:
    """The statement that makes the lines of a run from what is staged."""
    path: Path = sql_folder() / "drafting" / "drafted_lines.sql"
    return path.read_text(encoding="utf-8")
