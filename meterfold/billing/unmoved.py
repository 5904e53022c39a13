"""Whether rating drafts again can be spared: it would see what their run saw, and rating is a function of what it sees."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from connectors.clickhouse import Store
from meterfold.billing.rows import day_of

_RUN: Final = """
SELECT frontier_partitions, frontier_offsets, frontier_known_at_ms, known_billing_offset, rule_version, as_of_ms
FROM bill_runs FINAL
WHERE run_id = {run:String}
"""
_MOVED: Final = """
SELECT
    (SELECT count() FROM reference_objects WHERE billing_offset >= {since:UInt64})
    + (SELECT count() FROM tariff_changes WHERE billing_offset >= {since:UInt64})
    + (SELECT count() FROM bill_issued WHERE billing_offset >= {since:UInt64} AND account IN (SELECT value FROM rated_accounts)) AS records
"""
"""Of all that the billing log holds, rating reads these: the portfolio, editions of price lists, and what was issued to the account."""


def nothing_moved(
    store: Store,
    run_id: str,
    accounts: Collection[str],
    frontier: tuple[tuple[int, int, int], ...],
    rule_version: str,
    now_ms: int,
) -> bool:
    """No read, no reference data, no document of these accounts and no rule is newer than the run, and it is still the same UTC day.

    Of the time of a run, rating reads the day (of a tax by the day of invoice, and what is too old to be charged), and which periods
    are over: those that it drafted were. What is to be rated is in the store already, up to the end of the billing log.
    """
    *pinned, since, rules, as_of_ms = store.query(_RUN, {"run": run_id}).rows[0]
    if rules != rule_version or tuple(zip(*pinned, strict=True)) != frontier:
        return False
    # what is too old is so from the first instant after a midnight on, what is taxed by its day from midnight on
    if any(day_of(as_of_ms + by) != day_of(max(as_of_ms, now_ms) + by) for by in (-1, 0)):
        return False
    with store.session() as session, session.listed("rated_accounts", sorted(accounts)):
        return int(session.query(_MOVED, {"since": since}).rows[0][0]) == 0
