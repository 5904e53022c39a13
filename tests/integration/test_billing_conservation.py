"""Σ billed + Σ withheld = rated from scratch with what is known at the end, per account, period and element, to the last minor unit:
over random tariffs, taxes, tenancies and corrections, with a limit to back-billing, while processes die at any record and begin again,
or go on with the run that died.

A failing seed is run again by `pytest tests/integration/test_billing_conservation.py -k seed_7`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal

import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import NothingToIssue, issue_bill
from meterfold.billing.resume import NothingToResume, resume_bills
from meterfold.billing.run import run_bills
from tests.integration.billing_world import Killed, ListLog, World
from tests.integration.charges_oracle import rated
from tests.integration.test_billing_charges_oracle import LAST, NOW, Portfolio
from tests.integration.test_sql_checks import CHECKS

DAY_MS = 86_400_000
SHOWN = 3
"""This one surely has what the test is about: deaths, and something withheld."""
SEEDS = [pytest.param(seed, marks=pytest.mark.long) for seed in range(40)]

_SETTLED = """
SELECT account, period_from, element, sum(lines.amount) AS amount, sumIf(lines.amount, withheld_reason != '') AS withheld
FROM issued_lines AS lines
WHERE period_to <= {last:Date}
GROUP BY account, period_from, element
HAVING amount != 0
"""
"""Of periods that the reads cover whole, as the oracle has them: a later one is billed where its tenancies end before the reads do."""


class Town:
    """A portfolio whose billing log dies now and then; whatever was to be done is then begun again by a new process."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self.store, self.rng = store, rng
        self.world = World(store, ListLog())
        self.portfolio = Portfolio(self.world, rng, None)
        limit = {"months": rng.choice([1, 2, 12]), "bearer": "LANDLORD", "reason": "too late to charge"}
        self.world.entity(back_billing=limit)
        self.deaths = 0

    def bill(self, now_ms: int) -> None:
        self._until_done(lambda: run_bills(self.store, self.world.log, now_ms, take_over=True))

    def issue(self, account: str, now_ms: int) -> None:
        with suppress(NothingToIssue):  # none was drafted, or the process died after the last was issued
            self._until_done(lambda: issue_bill(self.store, self.world.log, account, now_ms))

    def _until_done(self, act: Callable[[], object]) -> None:
        if self.rng.random() < 0.6:
            self.world.log.dies_after = self.rng.randrange(1, 60)
        try:
            act()
            self.world.log.dies_after = None
        except Killed:
            self.deaths += 1
            self.world.log = self.world.log.revived()
            self.store.close()
            if self.deaths % 2:
                with suppress(NothingToResume):  # what died was an issue, or the run had just closed
                    resume_bills(self.store, self.world.log, NOW, take_over=True)
            act()


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed_{seed}")
def test_conservation_of_money_whatever_happens_in_between(store: Store, seed: int) -> None:
    rng = random.Random(seed)
    town = Town(store, rng)
    now_ms = NOW
    for _ in range(2):
        town.bill(now_ms)
        for account in ("A", "B"):
            if rng.random() < 0.7:
                town.issue(account, now_ms)
        town.portfolio.something_changes()
        now_ms += rng.choice([0, 20, 45]) * DAY_MS + 1
    town.bill(now_ms)
    for account in ("A", "B"):
        town.issue(account, now_ms)

    expected = {key: amount for key, amount in rated(town.portfolio.truth).items() if amount}
    settled = store.query(_SETTLED, {"last": LAST}).rows
    assert {(account, period, element): amount for account, period, element, amount, _ in settled} == expected
    town.bill(now_ms + 1)
    assert store.query("SELECT document_id FROM bill_documents WHERE status = 'draft'").rows == []
    assert {name: rows for name, sql in CHECKS.items() if (rows := store.query(sql).rows)} == {}
    if seed == SHOWN:
        assert town.deaths > 0
        assert sum((withheld for *_, withheld in settled), Decimal(0)) != 0
