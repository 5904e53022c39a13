"""Change control: an edition of a tariff from draft to withdrawal, and what it does to bills."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.documents import show_bill
from meterfold.billing.explain import explain_line
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.rating import Pins, staged
from meterfold.billing.run import fold_frontier, run_bills
from meterfold.tariffs.editions import UnknownEdition, edition_named, editions, in_effect, steps
from meterfold.tariffs.shadow import NobodyToRate, shadow, shadow_csv, shadow_json
from meterfold.tariffs.steps import NoSuchScope, UnableToStep, draft, step
from tests.integration.billing_world import NANO, Killed, ListLog, World, band, midnight_ms, ms, tariff_version

KWH = 1000 * NANO
NOW = ms("2024-02-05T00:00Z")
FULL, LESS = Decimal("446.40"), Decimal("372.00")
"""What January's 1,488 kWh cost at 0.30 and at 0.25, before tax."""

TARIFFS = {"SAME": ("A1",), "SITES": ("B1", "B2"), "TENANTS": ("C1", "C2"), "ALL": ("D1",), "LATER": ("E1",)}
"""Tariffs, and the supply points on each: those that end in 1 are at SITE, in 2 at OTHER."""


@pytest.fixture
def world(store: Store) -> World:
    """One account with a supply point or two on each of five tariffs, all at 0.30; January hardened."""
    world = World(store, ListLog())
    world.entity()
    world.site()
    world.site("OTHER")
    world.account()
    for tariff, points in TARIFFS.items():
        world.reference("tariff", tariff, prices("0.30"))
        for point in points:
            channel = {"channel": "E", "unit": "Wh", "grid_s": 1800, "kind": "intervals"}
            body = {"site": "SITE" if point.endswith("1") else "OTHER", "channels": [channel]}
            world.reference("supply_point", point, body)
            world.tenancy(f"T-{point}", supply_point=point, tariff=tariff)
    return world


def prices(rate: str, channel: str = "E") -> dict[str, Any]:
    """A tariff of one flat price."""
    version = tariff_version(bands=[band("flat", rate)], tax=("VAT", "0.05"), channels=[channel])
    return {"currency": "GBP", "versions": [version]}


def drafted(world: World, tariff: str, rate: str = "0.25") -> str:
    return draft(world.store, world.log, tariff, prices(rate), "ann", "cheaper", NOW).name


def take(world: World, name: str, *actions: str, **scope: tuple[str, ...]) -> None:
    for action in actions:
        person = "ben" if action == "approved" else "ann"
        step(
            world.store, world.log, name, action, person, f"to be {action}", NOW, **scope if action == "staged" else {}
        )


def charged(world: World, *, issue: bool = True) -> dict[str, Decimal]:
    """Run, issue what there is, and say what each line charged, by supply point ('' for the tax)."""
    result = run_bills(world.store, world.log, NOW)
    assert not result.blocked
    if issue:
        issue_bill(world.store, world.log, "A", NOW)
    return {line.supply_point: line.amount for document in result.documents for line in document.lines}


def test_an_edition_changes_what_is_charged_and_its_withdrawal_takes_that_back(world: World) -> None:
    for points in TARIFFS.values():
        for point in points:
            world.determinants("2024-01-01", "2024-02-01", KWH, supply_point=point)
    everybody = dict.fromkeys((point for points in TARIFFS.values() for point in points), FULL)
    assert charged(world) == {**everybody, "": FULL * 7 / 20}

    editions_of = {tariff: drafted(world, tariff, "0.30" if tariff == "SAME" else "0.25") for tariff in TARIFFS}
    for name in editions_of.values():
        take(world, name, "proposed", "approved")
    take(world, "SAME#1", "effective")
    take(world, "SITES#1", "staged", sites=("OTHER",))
    take(world, "TENANTS#1", "staged", tenancies=("T-C1",))
    take(world, "ALL#1", "staged", "effective", tenancies=("T-D1",))
    less = LESS - FULL
    # the same prices charge nothing, and nobody is rated by what is only approved
    assert charged(world) == {"B2": less, "C1": less, "D1": less, "": less * 3 / 20}
    [note] = show_bill(world.store, "A")
    line = note.lines[0]
    was_should = (line.tariff, line.tariff_version, line.amount_was, line.amount_should, line.rate)
    assert was_should == ("SITES", "1", FULL, LESS, Decimal("0.25"))
    explained = explain_line(world.store, f"{note.number}/1")
    assert ("tariff", "SITES#1", 1) in {(item.kind, item.id, item.version) for item in explained.references}
    assert sum(window.quantity for window in explained.windows) == 1_488_000

    take(world, "SITES#1", "withdrawn")
    take(world, drafted(world, "TENANTS", "0.10"), "proposed", "approved", "effective")
    take(world, "TENANTS#1", "withdrawn")
    take(world, drafted(world, "ALL", "0.10"), "proposed", "approved", "effective", "withdrawn")
    free = Decimal("148.80")
    # SITES is back where it was, ALL where its first edition put it
    assert charged(world, issue=False) == {
        "B2": -less, "C1": free - LESS, "C2": free - FULL, "": (-less + free - LESS + free - FULL) / 20,
    }  # fmt: skip
    assert [in_effect(world.store, tariff) for tariff in TARIFFS] == ["SAME#1", "SITES", "TENANTS#2", "ALL#1", "LATER"]
    states = {item.name: item.state for item in editions(world.store)}
    assert states == {
        "ALL#1": "effective", "ALL#2": "withdrawn", "LATER#1": "approved", "SAME#1": "effective", "SITES#1": "withdrawn",
        "TENANTS#1": "withdrawn", "TENANTS#2": "effective",
    }  # fmt: skip


@pytest.mark.long
def test_what_is_staged_after_an_edition_took_effect_goes_before_it_and_what_was_before_is_superseded(
    world: World,
) -> None:
    for tariff, first, second in (("SITES", "staged", "effective"), ("TENANTS", "effective", "staged")):
        scope = {"sites": ("OTHER",)} if tariff == "SITES" else {"tenancies": ("T-C2",)}
        take(world, drafted(world, tariff), "proposed", "approved", first, **scope)
        take(world, drafted(world, tariff), "proposed", "approved", second, **scope)
    pins = Pins("LE", "A", ((0, 1, 0),), project(world.store, world.log), NOW)
    with staged(world.store, pins, ["A"]) as session:
        rows = session.query("SELECT DISTINCT supply_point, tariff FROM rating_tenancies ORDER BY supply_point").rows
    assert dict(rows) == {
        "A1": "SAME", "B1": "SITES#2", "B2": "SITES#2", "C1": "TENANTS#1", "C2": "TENANTS#2", "D1": "ALL", "E1": "LATER",
    }  # fmt: skip
    states = {item.name: item.state for item in editions(world.store)}
    assert states == {"SITES#1": "superseded", "SITES#2": "effective", "TENANTS#1": "effective", "TENANTS#2": "staged"}


def test_every_illegal_step_is_refused_with_what_is_allowed(world: World) -> None:
    name = drafted(world, "SITES")
    legal = {
        "drafted": ("proposed", "withdrawn"), "proposed": ("approved", "withdrawn"),
        "approved": ("staged", "effective", "withdrawn"), "staged": ("staged", "effective", "withdrawn"),
        "effective": ("withdrawn",), "withdrawn": (),
    }  # fmt: skip
    for state, may in legal.items():
        if state not in ("drafted", "staged"):
            take(world, name, state)
        elif state == "staged":
            take(world, name, state, sites=("SITE",))
        assert edition_named(world.store, name).state == state
        before = len(world.log.records)
        for action in {"proposed", "approved", "staged", "effective", "withdrawn"} - set(may):
            with pytest.raises(UnableToStep, match=f"{name} is {state}, so it cannot be {action}") as refused:
                step(world.store, world.log, name, action, "carl", "why not", NOW, sites=("SITE",))
            assert all(word in str(refused.value) for word in [item[:5] for item in may]) or not may
        assert len(world.log.records) == before
    assert [item.action for item in steps(world.store, edition_named(world.store, name))] == list(legal)


def test_who_proposes_does_not_approve_and_what_is_staged_for_is_there(world: World) -> None:
    name = drafted(world, "SITES")
    take(world, name, "proposed")
    with pytest.raises(UnableToStep, match="proposed by ann, so another person"):
        step(world.store, world.log, name, "approved", " Ann ", "it is fine", NOW)
    take(world, name, "approved")
    for scope, words in (
        ({}, "name --site or --tenancy"),
        ({"sites": ("ELSEWHERE",)}, "site ELSEWHERE has nobody on tariff SITES; there are OTHER, SITE"),
        ({"tenancies": ("T-B1", "T9")}, "tenancy T9 has nobody on tariff SITES; there are T-B1, T-B2"),
    ):
        with pytest.raises(NoSuchScope, match=words):
            take(world, name, "staged", **scope)
    for unknown, words in (
        ("SITES", "write TARIFF#NUMBER; there are SITES#1"),
        ("SITES#7", "no edition SITES#7; there are SITES#1"),
    ):
        with pytest.raises(UnknownEdition, match=words):
            take(world, unknown, "effective")


def test_a_crash_leaves_a_step_taken_or_not(world: World) -> None:
    name = drafted(world, "SITES")
    take(world, name, "proposed")
    for dies_after, state in ((0, "proposed"), (1, "approved")):
        world.log.dies_after = dies_after
        with pytest.raises(Killed):
            take(world, name, "approved")
        world.log = world.log.revived()
        project(world.store, world.log)
        assert edition_named(world.store, name).state == state


@pytest.mark.long
def test_a_shadow_run_says_what_each_tenant_would_pay_and_writes_nothing(world: World) -> None:
    for point in TARIFFS["TENANTS"]:
        world.determinants("2024-01-01", "2024-02-01", KWH, supply_point=point)
    world.account("B")
    channel = {"channel": "E", "unit": "Wh", "grid_s": 1800, "kind": "intervals"}
    world.reference("supply_point", "C3", {"site": "OTHER", "channels": [channel]})
    world.tenancy("T-C3", account="B", supply_point="C3", tariff="TENANTS", from_="2024-01-30")
    world.determinants("2024-01-30", "2024-02-01", KWH, supply_point="C3")
    for tariff in ("SAME", "SITES", "ALL", "LATER"):
        for point in TARIFFS[tariff]:
            body = {"account": "A", "supply_point": point, "from": "2024-01-01", "to": None, "tariff": tariff}
            world.reference("tenancy", f"T-{point}", body, {"reason": "never was", "withdrawn": True})
    edition = edition_named(world.store, drafted(world, "TENANTS"))
    written = len(world.log.records)
    pins = Pins("", "", fold_frontier(world.store), project(world.store, world.log), NOW)
    run = shadow(world.store, edition, pins)
    # 1,488 kWh at C1 and C2 each, 96 at C3, 5 % on top; the edition takes a sixth off
    tenants = {row.account: (row.now, row.edition, row.difference, row.share) for row in run.rows}
    assert tenants == {
        "A": (Decimal("937.44"), Decimal("781.20"), Decimal("-156.24"), Decimal("-0.1667")),
        "B": (Decimal("30.24"), Decimal("25.20"), Decimal("-5.04"), Decimal("-0.1667")),
    }
    assert [(row.currency, row.difference) for row in run.totals] == [("GBP", Decimal("-161.28"))]
    assert len(world.log.records) == written and not run.not_compared
    assert shadow_csv(run).splitlines()[1:] == [
        "A,2024-01-01,2024-02-01,GBP,937.44,781.20,-156.24,-0.1667",
        "B,2024-01-01,2024-02-01,GBP,30.24,25.20,-5.04,-0.1667",
    ]
    # with what it had seen it comes out the same, whatever came since
    world.determinants("2024-02-01", "2024-03-01", KWH, supply_point="C1")
    world.adjust(midnight_ms("2024-01-05", world.zone), 7 * KWH, old_nano=KWH, supply_point="C1")
    take(world, edition.name, "proposed", "approved", "effective")
    assert shadow_json(shadow(world.store, edition, pins)) == shadow_json(run)

    at_other = shadow(world.store, edition, replace(pins, account="A", shadow_site="OTHER"))
    assert [row.difference for row in at_other.rows] == [Decimal("-78.12")]
    assert not shadow(world.store, edition, replace(pins, account="B"), date(2024, 2, 1)).rows
    with pytest.raises(NobodyToRate):
        shadow(world.store, edition, replace(pins, shadow_site="NOWHERE"))
    bad = draft(world.store, world.log, "TENANTS", prices("1", "X"), "ann", "a channel that is not there", NOW)
    stuck = shadow(world.store, bad, replace(pins, account="B", known_billing_offset=project(world.store, world.log)))
    assert not stuck.rows and [(item.side, item.reason) for item in stuck.not_compared] == [("edition", "NO_CHANNEL")]
    late = edition_named(world.store, drafted(world, "LATER"))
    with pytest.raises(NobodyToRate):
        shadow(world.store, late, pins)
