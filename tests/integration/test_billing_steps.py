"""What files of sql declare of their tables is what their statements give: an INSERT would cast anything else without a word."""

import re

from connectors.clickhouse import Session, Store
from meterfold.billing.drafting import drafted_lines
from meterfold.billing.project import project
from meterfold.billing.rating import Pins, staged
from meterfold.billing.steps import steps
from tests.integration.billing_world import ListLog, World, ms


def test_declared_columns_are_those_of_the_statement(store: Store) -> None:
    world = World(store, ListLog())
    world.entity()
    pins = Pins("LE", "", (), project(store, world.log), ms("2024-02-02T00:00Z"))
    params = pins.params() | {"exact": 0, "run_id": "R", "legal_entity": "LE"}
    with staged(store, pins, ["A"]) as session:
        session.command(drafted_lines(), params)
        texts = [(step.name, "\nUNION ALL\n".join(text for text, _ in step.branches)) for step in steps()]
        for name, text in [*texts, ("drafted_lines", drafted_lines())]:
            declared = columns(session, name)
            undeclared, found = re.subn(
                rf"(TABLE {name})\n\(\n.+?\n\)\nAS\n", r"\1 AS\n", text, count=1, flags=re.DOTALL
            )
            assert found == 1, name
            session.command(undeclared, params)
            assert columns(session, name) == declared, name
        session.command("DROP TEMPORARY TABLE drafted_lines")


def columns(session: Session, table: str) -> list[tuple[str, str]]:
    return [(name, kind) for name, kind, *_ in session.query(f"DESCRIBE TABLE {table}").rows]
