"""Price lists and taxes in tables of their own: the same spans of the log as reference_history, whatever order or shape records have."""

from pathlib import Path
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.project import project
from meterfold.store import migrate
from tests.integration.billing_world import ListLog, World

FOR_EVER = 2**64 - 1
CHARGE = {"name": "Service", "kind": "standing", "rate": "12", "per": "month"}
VAT = {"name": "VAT", "rate": "0.2"}
TABLES = ("reference_charges", "reference_taxes", "reference_tax_objects")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def version(*charges: dict[str, Any], taxes: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"version": "1", "effective_from": "2024-01-01", "charges": list(charges), "taxes": list(taxes)}


def spans(world: World, columns: str, view: str) -> list[tuple[Any, ...]]:
    names = f"{columns}, known_from_offset, known_until_offset"
    return world.store.query(f"SELECT {names} FROM {view} ORDER BY known_from_offset, {columns}").rows


def offsets(world: World) -> list[int]:
    return [record[0] for record in world.log.records]


def test_a_version_with_nothing_in_it_ends_the_one_before(world: World) -> None:
    world.tariff("TF", version(CHARGE, taxes=(VAT,)))
    world.tariff("TF", version())
    world.reference("tariff", "TF", {"currency": "GBP", "versions": []})
    world.tariff("TF", version(CHARGE))
    first, second, _, last = offsets(world)
    assert spans(world, "charge", "ref_charges_history") == [("Service", first, second), ("Service", last, FOR_EVER)]
    assert spans(world, "tax", "ref_taxes_history") == [("VAT", first, second)]


def test_a_version_that_is_said_again_is_what_it_said_last(world: World) -> None:
    world.tariff("TF", version(CHARGE, CHARGE | {"name": "Other"}))
    world.versions["tariff", "TF"] = 0
    world.tariff("TF", version(CHARGE))
    assert spans(world, "charge", "ref_charges_history") == [("Service", offsets(world)[1], FOR_EVER)]


def test_taxes_on_their_own_follow_one_another(world: World) -> None:
    for rate in ("0.190", "0.160"):
        world.reference("tax", "VAT", {"name": "VAT", "rates": [{"from": "2020-01-01", "rate": rate}]})
    first, second = offsets(world)
    assert spans(world, "rate_texts", "ref_tax_objects_history") == [
        (["0.19"], first, second), (["0.16"], second, FOR_EVER),
    ]  # fmt: skip


BODIES: dict[str, Any] = {
    "charges that are none": [None, 5, "x", [], {}],
    "numbers that do not fit": [
        CHARGE | {"rate": "9" * 40}, CHARGE | {"kind": "demand", "highest": 2**64 - 1, "ratchet": {"months": -1e30}},
        CHARGE | {"kind": "tiers", "tiers": [{"up_to": "1e9", "rate": "0." + "9" * 12}, 3]},
    ],
    "times that are none": [CHARGE | {"kind": "energy", "bands": [{"months": [0, 300, "x"], "days": 5, "from": "9"}, 1]}],
}  # fmt: skip


@pytest.mark.parametrize("charges", BODIES.values(), ids=BODIES)
def test_whatever_a_body_says_it_is_projected_with_a_complaint(world: World, charges: list[Any]) -> None:
    world.tariff("TF", version(*charges, taxes=({"on": 5, "round": "x", "rate": 1},)))
    assert world.store.query("SELECT count() FROM bill_refused").rows == [(0,)]
    complaints = world.store.query("SELECT complaint FROM ref_charges ORDER BY charge_index").rows
    assert len(complaints) == len(charges) and all(complaint for (complaint,) in complaints)
    assert world.store.query("SELECT complaint != '' FROM ref_taxes").rows == [(1,)]


def test_a_directory_from_before_these_tables_is_filled(world: World, tmp_path: Path) -> None:
    world.tariff("TF", version(CHARGE, taxes=(VAT,)))
    world.reference("tax", "VAT", {"name": "VAT", "rates": [{"from": "2020-01-01", "rate": "0.2"}]})
    held = {table: world.store.query(f"SELECT * FROM {table} FINAL ORDER BY ALL").rows for table in TABLES}
    for table in TABLES:
        world.store.command(f"DROP TABLE {table}")
    world.store.command(
        "ALTER TABLE schema_applied DELETE WHERE name BETWEEN '0030' AND '0034' AND kind = 'migration' SETTINGS mutations_sync = 2"
    )
    migrate(world.store)
    assert project(world.store, world.log) > offsets(world)[-1]
    assert {table: world.store.query(f"SELECT * FROM {table} FINAL ORDER BY ALL").rows for table in TABLES} == held
