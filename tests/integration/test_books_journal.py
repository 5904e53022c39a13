"""The journal against an oracle in plain Python, over random logs; and that it balances."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.billing.project import project
from tests.integration.billing_world import ListLog
from tests.integration.books_oracle import a_log, legs_of

_JOURNAL = (
    "SELECT legal_entity, accounting_period, posting_id, leg, is_memo, day, tax_point, ledger_account, account, currency, debit, credit, "
    "source FROM journal ORDER BY booked_offset, posting_id, leg"
)


def projected(store: Store, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records are in the log, and the tables."""
    log = ListLog()
    said = [{"v": 1, **record} for record in records]
    for record in said:
        log.append(b"LE", orjson.dumps(record))
    log.flush()
    project(store, log)
    assert not store.query("SELECT * FROM bill_refused").rows
    return said


@pytest.mark.parametrize("seed", range(6))
def test_the_journal_is_what_an_oracle_posts_from_the_same_log(store: Store, seed: int) -> None:
    records = projected(store, a_log(seed))
    expected = legs_of(records)
    found = store.query(_JOURNAL).rows
    assert Counter(found) - Counter(expected) == Counter() and Counter(expected) - Counter(found) == Counter()
    assert len({row[2] for row in found}) > 20
    sums = store.query(
        "SELECT posting_id, currency, sum(debit) - sum(credit) AS odd, countIf(debit < 0 OR credit < 0 OR debit + credit = 0) AS bad "
        "FROM journal GROUP BY posting_id, currency HAVING odd != 0 OR bad > 0"
    )
    assert sums.rows == []
