"""What moved a bill between two states of knowledge: by hand, and as a property of any history."""

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from connectors.clickhouse import Store
from meterfold.billing.diff.knowledge import NOW as NOW_WORD
from meterfold.billing.diff.knowledge import Knowledge, UnknownAccount, UnknownMoment, knowledge
from meterfold.billing.diff.walk import BillDiff, NotLater, Part, bill_diff
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.rated import rated
from meterfold.billing.rating import Pins
from meterfold.billing.run import fold_frontier, run_bills
from meterfold.diff_text import diff_json
from meterfold.tariffs.steps import draft, step
from tests.integration.billing_world import NANO, ListLog, World, band, midnight_ms, ms, tariff_version

KWH = 1000 * NANO
FEBRUARY_5, MARCH_5 = ms("2024-02-05T00:00Z"), ms("2024-03-05T00:00Z")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, ListLog())


def prices(rate: str) -> dict[str, Any]:
    version = tariff_version(bands=[band("flat", rate)], tax=("VAT", "0.05"))
    return {"currency": "GBP", "versions": [version]}


def put_in_effect(world: World, body: dict[str, Any], tariff: str = "TF") -> str:
    name = draft(world.store, world.log, tariff, body, "ann", "another try", FEBRUARY_5).name
    for action, person in (("proposed", "ann"), ("approved", "ben"), ("effective", "ann")):
        step(world.store, world.log, name, action, person, f"to be {action}", FEBRUARY_5)
    return name


def at(instant_ms: int) -> str:
    return datetime.fromtimestamp(instant_ms / 1000, UTC).isoformat()


def state(world: World, when: str, now_ms: int = MARCH_5) -> Knowledge:
    return knowledge(world.store, world.log, when, "A", now_ms)


def moved(part: Part) -> dict[tuple[str, str], Decimal]:
    return {(f"{item.charge.period_from:%m}", item.charge.kind): item.difference for item in part.moved}


def pounds(month: str, energy: str, tax: str) -> dict[tuple[str, str], Decimal]:
    return {(month, "energy"): Decimal(energy), (month, "tax"): Decimal(tax)}


@pytest.mark.long
def test_each_change_has_what_it_moved(world: World) -> None:
    """1,488 kWh of January at 0.30, billed; then prices, tenancies and reads change."""
    world.small(bands=[band("flat", "0.30")], tax=("VAT", "0.05"))
    world.determinants("2024-01-01", "2024-02-01", KWH)
    run_bills(world.store, world.log, FEBRUARY_5)
    issue_bill(world.store, world.log, "A", FEBRUARY_5)

    world.reference("tariff", "TF", prices("0.25"))
    world.tenancy("T", to="2024-01-16")
    world.tenancy("T2", from_="2024-01-11")  # overlaps, until the next record
    world.tenancy("T", to="2024-01-16", ended={"reason": "never moved in", "withdrawn": True})
    world.account("B")
    world.tenancy("TB", account="B", supply_point="ELSEWHERE")
    edition = put_in_effect(world, prices("0.20"))
    after_billing = world.log.clock_ms
    late, corrected = (midnight_ms(day, world.zone) for day in ("2024-01-15", "2024-01-20"))
    world.adjust(late, 2 * KWH, old_nano=KWH, reason="LATE_READ", known_at_ms=1_700_000_100_000)
    world.adjust(corrected, -KWH, old_nano=KWH, reason="CORRECTED_READ", known_at_ms=1_700_000_200_000)
    world.determinants("2024-02-01", "2024-03-01", KWH)
    world.store.command(
        "ALTER TABLE determinant_stretches UPDATE known_at_ms = 1700000300000 WHERE curated_offset > 350 SETTINGS mutations_sync = 2"
    )

    found = bill_diff(world.store, "A", state(world, "INV-000001"), state(world, NOW_WORD))
    assert found.since == state(world, "LE-R1") or found.since.label == "INV-000001 (run LE-R1)"
    assert [(part.kind, part.what) for part in found.parts] == [
        ("reference", ("tariff TF, version 2",)),
        ("reference", ("tenancy T, version 2",)),
        ("reference", ("tenancy T2, version 1", "tenancy T, version 3")),
        ("reference", (f"edition {edition}: effective",)),
        ("adjusted", ("LATE_READ",)),
        ("hardened", ("period from 2024-02-01 can be billed",)),
        ("adjusted", ("CORRECTED_READ",)),
    ]
    assert [moved(part) for part in found.parts] == [
        pounds("01", "-74.40", "-3.72"),  # 1,488 × −0.05
        pounds("01", "-192.00", "-9.60"),  # 15 of 31 days: 720 kWh
        pounds("01", "72.00", "3.60"),  # 21 days: 1,008 kWh
        pounds("01", "-50.40", "-2.52"),  # × −0.05
        pounds("01", "0.40", "0.02"),
        pounds("02", "278.40", "13.92"),  # 29 days: 1,392 kWh × 0.20
        pounds("01", "-0.20", "-0.01"),
    ]
    words = ["\n".join(part.words) for part in found.parts]
    assert "versions[1].energy[E].bands[flat].rate: 0.30 -> 0.25" in words[0]
    assert "to: none -> 2024-01-16" in words[1] and "withdrawn: never moved in" in words[2]
    assert words[3] == "by ann, as claimed: to be effective"
    assert words[4] == "1 interval of SP E LATE_READ, +2000 Wh, 2024-01-15 00:00Z to 2024-01-15 00:30Z"
    assert words[5] == "1,392 intervals of SP E HARDENED, 1392000 Wh, 2024-02-01 00:00Z to 2024-03-01 00:00Z"
    assert found.ratings == 8, "one to begin with, five records, two reasons"
    assert diff_json(found)["moved"][0]["difference"] == "-244.60"

    between = state(world, at(1_700_000_150_000))
    assert (between.billing_offset, dict(between.frontier)) == (state(world, NOW_WORD).billing_offset, {0: 300})
    early = state(world, at(after_billing - 1))
    assert early.billing_offset == world.log.records[-1][0], "the last record was not there yet"
    assert dict(early.frontier) == {0: 200}
    with pytest.raises(NotLater, match="name the earlier one with --from"):
        bill_diff(world.store, "A", state(world, NOW_WORD), state(world, "LE-R1"))
    with pytest.raises(UnknownMoment, match="'yesterday' is no run, no printed document number and no instant"):
        state(world, "yesterday")
    with pytest.raises(UnknownAccount, match="account Z"):
        bill_diff(world.store, "Z", early, state(world, NOW_WORD))


# -- any history ---------------------------------------------------------------------------------------------------------


def tiered(random: Random) -> dict[str, Any]:
    """Tiers, a discount on them, and a tax: nothing is proportional to what is metered."""
    tiers = [
        {"up_to": "300", "rate": f"0.{random.randint(11, 39)}"},
        {"up_to": None, "rate": f"0.{random.randint(11, 39)}"},
    ]
    quantity = {"channel": "E", "unit": "kWh"}
    charges = [
        {"name": "Use", "kind": "tiers", "quantity": quantity, "scheme": "graduated", "tiers": tiers},
        {"name": "Fee", "kind": "standing", "rate": f"{random.randint(1, 9)}", "per": "month"},
        {"name": "Off", "kind": "percentage", "of": ["Use"], "share": "-0.03"},
    ]
    version = {
        "version": 1,
        "effective_from": "2023-01-01",
        "charges": charges,
        "taxes": [{"name": "VAT", "rate": "0.07"}],
    }
    return {"currency": "GBP", "versions": [version]}


class History:
    """A world in which anything may happen next, on a clock that both logs share."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, Random(seed)
        self.revisions: dict[int, tuple[int, int]] = defaultdict(lambda: (0, KWH))
        self.month = 2
        world.small()
        world.reference("tariff", "TF", tiered(self.random))
        world.determinants("2024-01-01", "2024-02-01", KWH, known_at_ms=self.tick())

    def tick(self) -> int:
        self.world.log.clock_ms += 1000
        return int(self.world.log.clock_ms)

    def happen(self) -> None:
        self.tick()
        self.random.choice(
            [self.prices, self.edition, self.moves, self.reads, self.reads, self.reads, self.month_hardens]
        )()

    def prices(self) -> None:
        self.world.reference("tariff", "TF", tiered(self.random))

    def edition(self) -> None:
        put_in_effect(self.world, tiered(self.random))

    def moves(self) -> None:
        to = self.random.choice([None, "2024-01-20", "2024-02-10"])
        self.world.tenancy("T", from_=self.random.choice(["2024-01-01", "2024-01-09"]), to=to)

    def reads(self) -> None:
        start = midnight_ms("2024-01-01", self.world.zone) + 1_800_000 * self.random.randrange(31 * 48)
        revision, old = self.revisions[start]
        change = self.random.randint(-KWH, 200 * KWH)
        self.revisions[start] = (revision + 1, old + change)
        reason = self.random.choice(["LATE_READ", "CORRECTED_READ"])
        self.world.adjust(start, change, revision=revision + 1, old_nano=old, reason=reason, known_at_ms=self.tick())

    def month_hardens(self) -> None:
        if self.month < 4:
            first, end = f"2024-{self.month:02}-01", f"2024-{self.month + 1:02}-01"
            self.world.determinants(first, end, self.random.randint(0, 3 * KWH), known_at_ms=self.tick())
            self.month += 1


def of_parts(found: BillDiff) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for part in found.parts:
        for item in part.moved:
            sums[item.charge.key] += item.difference
    return {key: total for key, total in sums.items() if total}


def amounts(world: World, seen: Knowledge) -> dict[Any, Decimal]:
    frontier = tuple((partition, offset, 0) for partition, offset in seen.frontier)
    charges = rated(world.store, Pins("LE", "A", frontier, seen.billing_offset, seen.as_of_ms)).charges
    return {key: charge.amount for key, charge in charges.items()}


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 9))])
def test_the_parts_add_up_to_what_two_ratings_differ_by(world: World, seed: int) -> None:
    history = History(world, seed)
    as_of = {"since": ms("2024-02-05T00:00Z"), "until": ms("2024-04-05T00:00Z")}
    states = {}
    for name in as_of:
        for _ in range(2 if name == "since" else 6):
            history.happen()
        offset = project(world.store, world.log)
        frontier = tuple((partition, offset) for partition, offset, _ in fold_frontier(world.store))
        states[name] = Knowledge(name, offset, frontier, as_of[name])
        if name == "since":  # nothing else is seen at the instant between the two
            instant = knowledge(world.store, world.log, at(history.tick()), "A", as_of[name])
            assert (instant.billing_offset, instant.frontier) == (offset, frontier)
    found = bill_diff(world.store, "A", states["since"], states["until"])
    before, after = (amounts(world, states[name]) for name in ("since", "until"))
    expected = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {*before, *after}}
    assert of_parts(found) == {key: total for key, total in expected.items() if total}
    assert {item.charge.key: item.difference for item in found.whole} == of_parts(found)
    assert found.parts, "nothing moved: the history is too quiet to show anything"
