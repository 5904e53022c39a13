"""`estimate_after_days`: what nobody knows is billed by an estimate made of what a run pins, and trued up. Estimates in plain Python."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.clickhouse import Store
from meterfold.billing.explain import explain_line
from meterfold.billing.issue import issue_bill
from meterfold.billing.rating import rate
from meterfold.billing.run import run_bills
from tests.integration.billing_world import HALF_HOUR_MS, NANO, ListLog, World, midnight_ms, ms

LONDON = ZoneInfo("Europe/London")
AUTUMN, OCTOBER, HEARD, NOVEMBER = (
    midnight_ms(day, "Europe/London") for day in ("2024-09-01", "2024-10-01", "2024-10-20", "2024-11-01")
)
ON_THE_SIXTH = ms("2024-11-06T00:00Z")
PRICE = Decimal("0.25")


@pytest.fixture
def world(store: Store) -> World:
    """A supply point with half-hours in Wh, on a tariff that estimates five days after the end of a period."""
    world = World(store, ListLog())
    world.entity()
    world.site()
    world.account("A", "2024-10-01")
    world.supply_point("SP")
    charge = {
        "name": "Usage", "kind": "energy", "quantity": {"channel": "E", "unit": "kWh"}, "bands": [{"name": "all", "rate": str(PRICE)}],
    }  # fmt: skip
    version = {"version": "1", "effective_from": "2023-01-01", "charges": [charge], "estimate_after_days": 5}
    world.tariff("TF", version)
    world.tenancy("T", account="A", supply_point="SP", tariff="TF", from_="2024-10-01")
    return world


def metered(world: World, start: int, end: int, rng: random.Random) -> dict[int, int]:
    """Half-hours harden; returns them in 10⁻⁹ Wh by start."""
    found = {at: rng.randrange(1, 2000) * NANO // 7 for at in range(start, end, HALF_HOUR_MS)}
    world.determinants(start, end, list(found.values()))
    return found


def local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(LONDON).replace(tzinfo=None)


def estimated(known: dict[int, int], at_ms: int) -> int:
    """The mean of the same local time, on the same weekday if there is any, in the 56 local days before."""
    wall = local(at_ms)
    back = {at: (wall.date() - local(at).date()).days for at in known if local(at).time() == wall.time()}
    before = [at for at, days in back.items() if 0 < days <= 56]
    used = [at for at in before if back[at] % 7 == 0] or before
    return sum(known[at] for at in used) // len(used)


def lacking() -> Iterator[int]:
    """From the day after the last that is known, over the change of the clock on 27 October."""
    yield from range(HEARD, NOVEMBER, HALF_HOUR_MS)


@pytest.mark.long
def test_an_estimate_is_the_mean_of_what_stands_and_is_explained_and_trued_up(world: World) -> None:
    rng = random.Random(5)
    known = metered(world, AUTUMN, HEARD, rng)
    early = run_bills(world.store, world.log, ON_THE_SIXTH - 1)
    assert [(block.reason, block.period_from.month) for block in early.blocked] == [("NOT_HARDENED", 10)]
    result = run_bills(world.store, world.log, ON_THE_SIXTH)
    assert result.blocked == ()
    (line,) = result.documents[0].lines
    metered_nano = sum(nano for at, nano in known.items() if at >= OCTOBER)
    guessed_nano = {at: estimated(known, at) for at in lacking()}
    assert len(guessed_nano) == 12 * 48 + 2
    assert line.quantity == Decimal(metered_nano + sum(guessed_nano.values())).scaleb(-12)
    assert line.estimated_quantity == Decimal(sum(guessed_nano.values())).scaleb(-12)
    assert line.amount == (line.quantity * PRICE).quantize(Decimal("0.01"))
    windows = explain_line(world.store, line.line_id).windows
    named = {int(window.start_utc.timestamp() * 1000): window for window in windows if window.of_windows}
    assert {at: window.quantity for at, window in named.items()} == {
        at: Decimal(nano).scaleb(-9) for at, nano in guessed_nano.items()
    }
    assert {(window.quality, window.quantity_hardened, *window.methods) for window in named.values()} == {
        ("ESTIMATED", None, "same_weekday")
    }
    assert sum(window.quantity for window in windows) == line.quantity * 1000
    # the same pins give the same for ever, whatever hardens later
    issue_bill(world.store, world.log, "A", ON_THE_SIXTH)
    pins = result.runs[0].pins
    actual = known | metered(world, HEARD, NOVEMBER, rng)
    assert [charge.amount for charge in rate(world.store, pins)[0]] == [line.amount]
    run_bills(world.store, world.log, ON_THE_SIXTH)
    issue_bill(world.store, world.log, "A", ON_THE_SIXTH)
    total = Decimal(sum(nano for at, nano in actual.items() if at >= OCTOBER)).scaleb(-12)
    (billed,) = world.store.query("SELECT sum(amount) FROM issued_lines").rows
    assert billed[0] == (total * PRICE).quantize(Decimal("0.01"))
    assert run_bills(world.store, world.log, ON_THE_SIXTH).documents == ()


@pytest.mark.long
def test_what_is_missing_is_estimated_and_a_hole_is_not(world: World) -> None:
    rng = random.Random(6)
    known = metered(world, AUTUMN, NOVEMBER, rng)
    gone = OCTOBER + 30 * HALF_HOUR_MS
    world.adjust(gone, -known[gone], old_nano=known[gone], quality="MISSING")
    (line,) = run_bills(world.store, world.log, ON_THE_SIXTH).documents[0].lines
    rest = {at: nano for at, nano in known.items() if at != gone}
    guess = estimated(rest, gone)
    assert line.estimated_quantity == Decimal(guess).scaleb(-12)
    assert line.quantity == Decimal(sum(nano for at, nano in rest.items() if at >= OCTOBER) + guess).scaleb(-12)
    (window,) = [item for item in explain_line(world.store, line.line_id).windows if item.of_windows]
    assert (window.quantity_hardened, window.of_windows) == (Decimal(known[gone]).scaleb(-9), 4)
    hole = OCTOBER + 60 * HALF_HOUR_MS
    world.store.command("TRUNCATE TABLE determinant_stretches")
    world.windows([(at, at + HALF_HOUR_MS, nano) for at, nano in known.items() if at != hole])
    assert [block.reason for block in run_bills(world.store, world.log, ON_THE_SIXTH).blocked] == ["HOLE"]


@pytest.mark.long
def test_nothing_before_it_is_no_estimate(world: World) -> None:
    """A day at the least must stand; with one there is its time, but not yet its weekday."""
    first = int((datetime.fromtimestamp(OCTOBER / 1000, UTC) + timedelta(days=1)).timestamp() * 1000)
    metered(world, OCTOBER, first - HALF_HOUR_MS, random.Random(7))
    assert [block.reason for block in run_bills(world.store, world.log, ON_THE_SIXTH).blocked] == ["NOT_HARDENED"]
    world.determinants(first - HALF_HOUR_MS, first, 7 * NANO)
    result = run_bills(world.store, world.log, ON_THE_SIXTH)
    (line,) = result.documents[0].lines
    windows = explain_line(world.store, line.line_id).windows
    used = {(window.of_windows, *window.methods) for window in windows if window.of_windows}
    assert (1, "same_time") in used and (1, "same_weekday") in used
