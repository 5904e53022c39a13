"""Going on with a run that died: it comes out as if nothing had happened, whatever was said since; and when that is refused."""

from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from meterfold.billing.drafting import DraftedOtherwise
from meterfold.billing.issue import DraftIsStale, issue_bill
from meterfold.billing.project import project
from meterfold.billing.resume import NothingToResume, UnableToResume, resume_bills
from meterfold.billing.rows import line_in_full
from meterfold.billing.run import RunInProgress, run_bills
from tests.integration.billing_world import Killed, ListLog, World, ms, tariff_version
from tests.integration.conftest import empty

FEBRUARY = ms("2024-02-01T00:00Z")


@pytest.fixture
def died(store: Store) -> World:
    """Accounts A, B and C with a standing charge; a run that died after its opening and one of its three lines."""
    world = World(store, ListLog()).small(standing="1", bands=[])
    for name in ("B", "C"):
        world.account(name)
        world.supply_point(f"SP-{name}")
        world.tenancy(f"T-{name}", account=name, supply_point=f"SP-{name}")
    dies(world, 2)
    return world


def dies(world: World, survivors: int) -> None:
    """A run whose log is gone after so many records; then a process that finds the rest."""
    world.log.dies_after = survivors
    with pytest.raises(Killed):
        run_bills(world.store, world.log, FEBRUARY, take_over=True)
    reborn(world)


def reborn(world: World) -> None:
    world.log = world.log.revived()
    empty(world.store)
    project(world.store, world.log)


def said(world: World) -> list[dict[str, Any]]:
    """Records of runs and lines, in order."""
    found = [orjson.loads(payload) for _, _, payload in world.log.records]
    return [record for record in found if record["type"] in ("run_opened", "line", "run_closed")]


def said_of(world: World, run_id: str) -> list[bytes]:
    """What a run says after its opening, in order."""
    return [
        orjson.dumps(record) for record in said(world) if record["run_id"] == run_id and record["type"] != "run_opened"
    ]


def test_a_run_that_died_twice_is_finished_with_the_prices_it_saw(died: World) -> None:
    with pytest.raises(RunInProgress, match="LE-R1 of LE is open"):
        resume_bills(died.store, died.log, FEBRUARY)
    died.tariff("TF", tariff_version(standing="2", bands=[]))
    died.log.dies_after = 1
    with pytest.raises(Killed):
        resume_bills(died.store, died.log, FEBRUARY, take_over=True)
    reborn(died)
    (run,) = resume_bills(died.store, died.log, FEBRUARY + 999, take_over=True).runs
    assert (run.run_id, run.lines, run.pins.as_of_ms) == ("LE-R1", 3, FEBRUARY)
    assert [(item.account, item.total) for item in run.documents] == [("A", 31), ("B", 31), ("C", 31)]
    opened, *lines, closed = said(died)
    assert (opened["type"], [line_in_full(line)["line_id"] for line in lines]) == (
        "run_opened", [f"LE-R1/{name}/2024-01-01/GBP/1" for name in "ABC"],
    )  # fmt: skip
    assert closed == {"v": 1, "type": "run_closed", "run_id": "LE-R1", "lines": 3, "total": {"GBP": "93.00"}}
    with pytest.raises(NothingToResume):
        resume_bills(died.store, died.log, FEBRUARY, take_over=True)
    with pytest.raises(DraftIsStale):
        issue_bill(died.store, died.log, "A", FEBRUARY)
    before = [list(row) for row in died.store.query("SELECT * FROM bill_lines FINAL ORDER BY line_id").rows]
    reborn(died)
    assert [list(row) for row in died.store.query("SELECT * FROM bill_lines FINAL ORDER BY line_id").rows] == before


def test_batches_side_by_side_say_what_one_says_and_are_finished_when_they_died(
    died: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_bills(died.store, died.log, FEBRUARY, take_over=True)
    together = said_of(died, "LE-R2")
    for name in ("ACCOUNTS_AT_ONCE", "SPLIT_FROM", "LOOKED_AT_ONCE"):
        monkeypatch.setattr(f"meterfold.billing.rating.{name}", 1)
    dies(died, 3)  # after the opening and two lines, each of a batch
    assert len(said_of(died, "LE-R3")) == 2
    (run,) = resume_bills(died.store, died.log, FEBRUARY, take_over=True).runs
    assert [(item.account, item.total) for item in run.documents] == [("A", 31), ("B", 31), ("C", 31)]
    rows = died.store.query("SELECT * FROM bill_lines FINAL ORDER BY line_id").rows
    assert [line.replace(b"LE-R3", b"LE-R2") for line in said_of(died, "LE-R3")] == together
    reborn(died)
    assert died.store.query("SELECT * FROM bill_lines FINAL ORDER BY line_id").rows == rows


@pytest.mark.long
def test_what_was_issued_since_is_not_billed_again(died: World) -> None:
    """Its lease ran out, and a document of an earlier run went out: the run does not know of it."""
    line = line_in_full(said(died)[1])
    number = {
        "series": "INV",
        "number": 1,
        "document_number": "INV-000001",
        "kind": "invoice",
        "lines_sha256": "0" * 64,
        "corrects": [],
    }
    issued = {
        "v": 1, "type": "issued", **{key: line[key] for key in ("document_id", "legal_entity", "account", "run_id", "period_from")},
        "period_to": line["period_to"], "currency": "GBP", "total": "31.00", "issued_ms": FEBRUARY, **number,
    }  # fmt: skip
    died.log.append(b"LE", orjson.dumps(issued))
    died.log.flush()
    with pytest.raises(UnableToResume, match="1 documents were issued since run LE-R1 began"):
        resume_bills(died.store, died.log, FEBRUARY, take_over=True)


@pytest.mark.long
def test_other_rules_or_other_lines_are_not_mixed(died: World) -> None:
    line = line_in_full(said(died)[1])
    died.log.append(b"LE", orjson.dumps({**line, "amount": "30.00", "amount_should": "30.00"}))
    died.log.flush()
    with pytest.raises(DraftedOtherwise, match="LE-R1 does not draft what it has in the log"):
        resume_bills(died.store, died.log, FEBRUARY, take_over=True)
    opened = {**said(died)[0], "run_id": "LE-R2", "rule_version": "bills-0"}
    died.log.append(b"LE", orjson.dumps(opened))
    died.log.flush()
    with pytest.raises(UnableToResume, match="begun under the rules bills-0"):
        resume_bills(died.store, died.log, FEBRUARY, take_over=True)
