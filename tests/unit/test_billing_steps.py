"""What sql/billing says a step or a branch has nothing without is read where it stands, and is there by then."""

import re
from typing import Any

from connectors.clickhouse_schema import sql_files
from meterfold.billing.steps import Rows, Step, last_uses, steps
from meterfold.store import sql_folder


class Asked:
    """A session whose tables are those of `full`."""

    def __init__(self, *full: str) -> None:
        self.full, self.asked = full, list[str]()

    def query(self, sql: str) -> Any:
        self.asked.append(sql)
        return type("Found", (), {"rows": [(1,)] if any(f"FROM {name} LIMIT" in sql for name in self.full) else []})


def test_a_branch_that_has_nothing_to_do_is_left_out_and_each_need_is_asked_for_once() -> None:
    session: Any = Asked("rating_prices WHERE kind = 'tiers'")
    there = Rows(session)
    step = Step(
        "x",
        "CREATE",
        "",
        (("SELECT 1", ""), ("SELECT 2", "rating_tiles"), ("SELECT 3", "rating_prices WHERE kind = 'tiers'")),
    )
    assert step.statement(there) == "SELECT 1\nUNION ALL\nSELECT 3"
    assert step.statement(there) == "SELECT 1\nUNION ALL\nSELECT 3"
    assert len(session.asked) == 2
    there.is_empty("rating_prices")
    assert not there.any_of("rating_prices") and len(session.asked) == 2
    assert Step("y", "CREATE", "rating_tiles", (("SELECT 1", ""),)).statement(there) == "CREATE"
    assert not there.any_of("y") and len(session.asked) == 2, "a table that is made without rows is known to have none"


def test_with_everything_there_the_statements_are_the_files() -> None:
    class All(Rows):
        def any_of(self, need: str) -> bool:
            return True

    files = sql_files(sql_folder() / "billing")
    assert {step.name: step.statement(All(Asked())) for step in steps()} == files  # type: ignore[arg-type]


def test_every_need_is_read_and_names_a_step_before() -> None:
    files, before = sql_files(sql_folder() / "billing"), set[str]()
    for step in steps():
        needs = [need for need in (step.need, *(need for _, need in step.branches)) if need]
        assert len(needs) == files[step.name].count("-- Nothing without"), f"{step.name}: one stands where nobody looks"
        assert {re.split(" ", need)[0] for need in needs} <= before, step.name
        before.add(step.name)


def test_a_table_is_given_up_once_and_never_read_or_asked_about_afterwards() -> None:
    files, gone = sql_files(sql_folder() / "billing"), set[str]()
    for step in steps():
        needed = re.sub(r"--(?! Nothing without)[^\n]*", "", files[step.name])
        assert not gone & set(re.findall(r"\w+", needed)), step.name
        given_up = last_uses()[step.name]
        assert not gone & set(given_up)
        gone |= set(given_up)
    assert gone == set(files)
    assert "rating_charges" not in last_uses()["rating_charges"], "differences read it"
    assert "rating_differences" in last_uses()["rating_differences"], "no step reads it"
