"""A draft is issued without being rated again only while nothing has moved that rating reads."""

from collections.abc import Callable

import pytest

from connectors.clickhouse import Store
from meterfold.billing import issue
from meterfold.billing.run import RULE_VERSION, fold_frontier, run_bills
from meterfold.billing.unmoved import nothing_moved
from tests.integration.billing_world import NANO, ListLog, World, midnight_ms, ms

NOON = ms("2024-02-02T12:00Z")


@pytest.fixture
def world(store: Store) -> World:
    world = World(store, ListLog()).small()
    world.determinants("2024-01-01", "2024-02-01", NANO)
    world.account("B")
    world.tenancy("U", account="B", supply_point="OTHER")
    run_bills(world.store, world.log, NOON, account="A")
    return world


def unmoved(world: World, now_ms: int = NOON + 1, rules: str = RULE_VERSION) -> bool:
    return nothing_moved(world.store, "LE-R1", ["A"], fold_frontier(world.store), rules, now_ms)


def test_a_draft_of_which_nothing_moved_is_not_rated_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("rated again")

    monkeypatch.setattr(issue, "rate", refused)
    assert [item.account for item in issue.issue_bill(world.store, world.log, "A", NOON + 1)] == ["A"]


def test_a_later_day_and_other_rules_have_moved(world: World) -> None:
    assert unmoved(world)
    assert unmoved(world, ms("2024-02-02T23:59Z"))
    assert not unmoved(world, ms("2024-02-03T00:00Z"))
    assert not unmoved(world, rules="bills-0")


MOVES: dict[str, Callable[[World], object]] = {
    "a correction": lambda world: world.adjust(midnight_ms("2024-01-01", world.zone), NANO, old_nano=NANO),
    "a price": lambda world: world.tariff(),
    "a document": lambda world: issue.issue_bill(world.store, world.log, "A", NOON),
}


@pytest.mark.long
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_what_rating_reads_has_moved(world: World, move: Callable[[World], object]) -> None:
    move(world)
    assert not unmoved(world)
