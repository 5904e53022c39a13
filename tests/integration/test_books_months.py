"""Months of the books: what is booked goes into the first open one, and records from before there were books have theirs."""

from datetime import date

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import run_bills
from meterfold.books.months import first_day, month_after, open_month
from tests.integration.billing_world import ListLog, World, ms
from tests.integration.conftest import empty


def closed(world: World, period: str, legal_entity: str = "LE") -> None:
    record = {
        "v": 1, "type": "period_closed", "legal_entity": legal_entity, "period": period, "lines": 0, "sha256": "0" * 64, "frontier": [],
        "billing_offset": 0, "extracts": [], "person": "finance", "booked_ms": 0,
    }  # fmt: skip
    world.log.append(legal_entity.encode(), orjson.dumps(record))
    world.log.flush()
    project(world.store, world.log)


def test_a_month_is_open_until_it_or_a_later_one_is_closed(store: Store) -> None:
    world = World(store, ListLog())
    assert open_month(store, "LE", date(2024, 2, 29)) == "2024-02"
    closed(world, "2024-01", "OTHER")
    closed(world, "2023-12")
    assert open_month(store, "LE", date(2023, 12, 31)) == "2024-01"
    assert open_month(store, "LE", date(2024, 1, 1)) == "2024-01"
    assert open_month(store, "LE", date(2024, 3, 1)) == "2024-03"
    closed(world, "2024-01")
    assert open_month(store, "LE", date(1999, 1, 1)) == "2024-02"
    assert open_month(store, "OTHER", date(2023, 5, 5)) == "2024-02"


@pytest.mark.parametrize(("month", "after"), [("2023-12", "2024-01"), ("2024-01", "2024-02"), ("2024-02", "2024-03")])
def test_the_month_after(month: str, after: str) -> None:
    assert month_after(month) == after


@pytest.mark.parametrize("text", ["2024-13", "2024", "24-01", "2024-1", "2024-01-01", ""])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(ValueError, match=r"month|isoformat"):
        first_day(text)


def test_a_document_is_booked_into_the_first_open_month_and_an_old_one_into_that_of_its_issue(store: Store) -> None:
    world = World(store, ListLog()).small(standing="1", bands=[])
    run_bills(store, world.log, ms("2024-02-01T00:00Z"))
    issue_bill(store, world.log, "A", ms("2024-02-02T23:59Z"))
    closed(world, "2024-02")
    closed(world, "2024-03")
    run_bills(store, world.log, ms("2024-03-01T00:00Z"))
    issue_bill(store, world.log, "A", ms("2024-03-01T00:00Z"))
    asked = (
        "SELECT period_from, issued_on, accounting_period, tax_point FROM issued_lines ORDER BY period_from, position"
    )
    booked = [
        (date(2024, 1, 1), date(2024, 2, 2), "2024-02", date(2024, 1, 31)),
        (date(2024, 2, 1), date(2024, 3, 1), "2024-04", date(2024, 2, 29)),
    ]
    assert store.query(asked).rows == booked
    older = [{**record, "issued_on": None, "accounting_period": None} for record in world.log.of_type("issued")]
    lines = [{**record, "tax_point": "2024-01-31"} for record in world.log.of_type("line")]
    before = ListLog()
    for record in lines + [{name: value for name, value in one.items() if value is not None} for one in older]:
        before.append(b"LE", orjson.dumps(record))
    before.flush()
    empty(store)
    project(store, before)
    assert store.query(asked).rows == [
        (*booked[0][:3], date(2024, 1, 31)),
        (*booked[1][:2], "2024-03", date(2024, 1, 31)),
    ]
