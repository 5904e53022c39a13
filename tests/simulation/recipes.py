"""Supply points of every kind: each recipe plans a channel, its meters, and their life over the period."""

from __future__ import annotations

from dataclasses import replace

from tests.simulation import changes, people, probes
from tests.simulation.interval_meters import IntervalMeter
from tests.simulation.oracle.grid import LOCAL_DAY
from tests.simulation.portfolio import DAY_MS, HOUR_MS, ChannelPlan, Device, Site, draw_channel
from tests.simulation.register_meters import RegisterMeter
from tests.simulation.script import Script


def new_device(script: Script, name: str, plan: ChannelPlan, partitions: int) -> Device:
    habits = ["none", "none", "prompt", "lagging"]
    habit = script.rng.choice(habits if plan.site.has_daily_gate else [*habits, "stuck", "stuck", "stuck"])
    return Device(name, script.rng.randrange(partitions), plan.point, plan.site, [plan], habit=habit)


def boundary(plan: ChannelPlan, at: int) -> int:
    return plan.grid.floor(at)


# --- interval channels


def half_hourly(script: Script, site: Site, point: str, partitions: int) -> None:
    """Thirty minutes on thirty, a check register beside them, and often another meter from some slot boundary on."""
    rng = script.rng
    plan = draw_channel(rng, point, site, "import", "intervals", (1800, rng.choice([1800, 1800, 3600])))
    start = boundary(plan, script.start + DAY_MS)
    swap = boundary(plan, script.some_instant(0.3, 0.7)) if rng.random() < 0.6 else script.end
    old, new = (new_device(script, f"{point}-{name}", plan, partitions) for name in ("a", "b"))
    pause = rng.choice([0, 0, DAY_MS, 5 * HOUR_MS])
    meter = _intervals(script, plan, old, start, swap)
    beside_too = rng.random()
    if beside_too < 0.7:
        _check_register(script, plan, old, meter)
    if beside_too > 0.4:  # a meter of its own, which outlives the exchange
        beside = new_device(script, f"{point}-check", plan, partitions)
        _check_register(script, plan, beside, meter)
        changes.announce(script, beside, script.start)
    if swap < script.end:
        other = _intervals(script, plan, new, swap + pause, script.end)
        if rng.random() < 0.5:
            _check_register(script, plan, new, other)
        changes.exchange(script, old, new, swap)
    else:
        changes.shrink_and_grow(script, old, plan.grid.length, meter)
    _common_life(script, old, plan)


def fine(script: Script, site: Site, point: str, partitions: int) -> None:
    """Five or fifteen minutes, billed by the half hour, the hour or the local day; may be moved to another point."""
    rng = script.rng
    lengths = (rng.choice([300, 900, 900, 900]), rng.choice([1800, 3600, LOCAL_DAY]))
    plan = draw_channel(rng, point, site, "net", "intervals", lengths)
    start = boundary(plan, script.start + DAY_MS)
    end = script.end if lengths[0] == 900 else min(script.end, start + 35 * DAY_MS)
    device = new_device(script, f"{point}-a", plan, partitions)
    meter = _intervals(script, plan, device, start, end)
    if rng.random() < 0.6:
        changes.move(script, device, f"{point}-other")
    else:
        changes.shrink_and_grow(script, device, plan.grid.length, meter)
    _common_life(script, device, plan)


def daily(script: Script, site: Site, point: str, partitions: int) -> None:
    """One quantity a local day; an exchange, if any, at noon, so that one day belongs to neither meter."""
    rng = script.rng
    plan = draw_channel(rng, point, site, "heat", "intervals", (LOCAL_DAY, LOCAL_DAY))
    start = boundary(plan, script.start + 2 * DAY_MS)
    swap = script.end
    old, new = (new_device(script, f"{point}-{name}", plan, partitions) for name in ("a", "b"))
    if rng.random() < 0.6:
        swap = boundary(plan, script.some_instant(0.3, 0.7)) + rng.choice([0, DAY_MS // 2])
    meter = _intervals(script, plan, old, start, swap)
    if swap < script.end:
        _intervals(script, plan, new, swap, script.end)
        changes.exchange(script, old, new, swap)
    else:
        changes.shrink_and_grow(script, old, DAY_MS, meter)
    _common_life(script, old, plan)


def _intervals(script: Script, plan: ChannelPlan, device: Device, start: int, end: int) -> IntervalMeter:
    """One meter's part of an interval channel. Open-ended; an exchange ends it."""
    rng = script.rng
    multiplier = rng.choice([1, 1, 2, 10]) if plan.scale < 10**14 else 1
    most = int(plan.scale * plan.slots_per_hour * 3) * multiplier if rng.random() < 0.6 else None
    meter = IntervalMeter(script, device, plan, "1.8.0", start, end, multiplier=multiplier)
    device.feed("1.8.0", plan, "intervals", start, None, multiplier=multiplier, max_nano_per_hour=most)
    meter.measure()
    meter.lie_idle()
    meter.withhold(3 if plan.interval_s != LOCAL_DAY else 5)
    if device.habit == "none":
        meter.outage(rng.choice([7.5, 9, 11]))
    if device.habit == "lagging":
        meter.hold_back(rng.uniform(0.5, 3))
    held = meter.backlog
    if device.habit == "stuck":
        first = script.some_instant(0.2, 0.7)
        held = (first, first + rng.randrange(9, 15) * DAY_MS)
    meter.deliver()
    meter.say_again()
    meter.fail()
    probes.probe_intervals(meter)
    people.heartbeats(script, device, held)
    for _ in range(2):
        changes.restate_multiplier(script, device, plan.grid.length)
    return meter


def _check_register(script: Script, plan: ChannelPlan, device: Device, meter: IntervalMeter) -> None:
    """The running total of the same quantity, read at midnights or more often, now and then off the grid.

    It was there a day before the intervals were, so that its first brackets have slots that are not expected.
    """
    rng, grid = script.rng, plan.grid
    multiplier = meter.multiplier
    step = rng.choice([6 * HOUR_MS, 12 * HOUR_MS, DAY_MS])
    begin = meter.slots[0] - DAY_MS
    instants = list(range(begin, grid.after(meter.slots[-1]) + 1, step))
    instants += [at + 7 * 60_000 for at in instants[1:-1] if rng.random() < 0.05]
    worth = 1 if plan.scale < 10**12 and rng.random() < 0.4 else max(plan.scale * multiplier // 1000, 1)
    sums: dict[int, int] = dict.fromkeys(grid.starts(begin, meter.slots[0] + 1), 0)
    total = 0
    for slot in meter.slots:
        total += abs(meter.readings[slot][0]) * multiplier
        sums[grid.after(slot)] = total
    totals = {at: sums[grid.floor(at)] // worth for at in instants}
    register = RegisterMeter(script, device, plan, "1.8.0-total", sorted(instants), 1000, None, first=5000, worth=worth)
    meter.overshoot()
    register.follow(totals)
    device.feed("1.8.0-total", plan, "check", begin, None, nano_per_count=worth)
    register.withhold(4)
    register.deliver()
    register.say_again()
    if rng.random() < 0.5:
        register.fail()
    probes.probe_register(register, worth, None)
    people.refuse_reads(script, device, plan, 3)
    if rng.random() < 0.4:
        changes.restate_register(script, device)


# --- register channels


def totals_polled(script: Script, site: Site, point: str, partitions: int) -> None:
    """Polled on the slot boundaries; exchanged within a slot, with closing and opening reads."""
    rng = script.rng
    plan = draw_channel(rng, point, site, "water", "totals", (1800, rng.choice([1800, 3600])))
    plan = replace(plan, scale=min(plan.scale, 10**13))
    start, step = boundary(plan, script.start + DAY_MS), rng.choice([1800, 3600, 3600]) * 1000
    swap = boundary(plan, script.some_instant(0.3, 0.7)) + rng.choice([11 * 60_000, 1_000_001])
    old, new = (new_device(script, f"{point}-{name}", plan, partitions) for name in ("a", "b"))
    _totals(script, plan, old, [*range(start, swap, step), swap], "totals")
    _totals(script, plan, new, [swap, *range(boundary(plan, swap) + step, script.end, step)], "totals")
    changes.exchange(script, old, new, swap)
    _common_life(script, old, plan)


def totals_loose(script: Script, site: Site, point: str, partitions: int) -> None:
    """Polled whenever, so that slots are interpolated; the register rolls over, or is reset."""
    rng = script.rng
    lengths = rng.choice([(3600, 3600), (3600, LOCAL_DAY), (3600, LOCAL_DAY), (LOCAL_DAY, LOCAL_DAY)])
    plan = draw_channel(rng, point, site, "gas", "totals", lengths)
    plan = replace(plan, scale=min(plan.scale, 10**13))
    at, instants = boundary(plan, script.start + DAY_MS), []
    while at < script.end:
        instants.append(at)
        at += rng.randrange(20 * 60_000, 100 * 60_000) if rng.random() < 0.98 else rng.randrange(20 * HOUR_MS)
    device = new_device(script, f"{point}-a", plan, partitions)
    _totals(script, plan, device, instants, "totals")
    if rng.random() < 0.5:
        changes.shrink_and_grow(script, device, HOUR_MS)
    _common_life(script, device, plan)


def by_hand(script: Script, site: Site, point: str, partitions: int) -> None:
    """Read by hand every day or two: read-to-read spans."""
    rng = script.rng
    plan = draw_channel(rng, point, site, "cold", "spans", (LOCAL_DAY, LOCAL_DAY))
    plan = replace(plan, scale=min(plan.scale, 10**12))
    at, instants = script.start + DAY_MS + rng.randrange(DAY_MS), []
    while at < script.end:
        instants.append(at)
        at += rng.randrange(6 * HOUR_MS, 40 * HOUR_MS)
    device = new_device(script, f"{point}-a", plan, partitions)
    _totals(script, plan, device, instants, "spans")
    _common_life(script, device, plan)


def _totals(script: Script, plan: ChannelPlan, device: Device, instants: list[int], role: str) -> None:
    """One meter's part of a register channel."""
    rng = script.rng
    rate, decimals = rng.choice([600, 4000, 20_000]), rng.choice([0, 1, 3])
    worth = max(int(plan.scale * plan.slots_per_hour) // rate, 1)
    hours = (instants[-1] - instants[0]) // HOUR_MS + 1
    digits = rng.choice([None, None, len(str(rate * hours)), len(str(rate * hours)) + 1])
    first = rng.randrange(rate * 50) if digits is None else max(10**digits - rate * rng.randrange(hours), 0)
    most = rate * worth * 4 if digits is not None or rng.random() < 0.2 else None
    meter = RegisterMeter(
        script, device, plan, "A+", instants, rate, digits, decimals, first % 10 ** (digits or 18), worth
    )
    device.feed(
        "A+",
        plan,
        role,
        instants[0],
        None,
        decimals=decimals,
        digits=digits,
        nano_per_count=worth,
        max_nano_per_hour=most,
    )
    meter.advance()
    if rng.random() < 0.5:
        meter.restart()
    if most is None:
        meter.leap()
    meter.withhold(12 if role == "totals" else 2)
    meter.deliver()
    meter.say_again()
    meter.fail()
    probes.probe_register(meter, worth, most)
    first_held = script.some_instant(0.2, 0.7)
    held = (first_held, first_held + (12 if device.habit == "stuck" else 2) * DAY_MS)
    people.heartbeats(script, device, held if device.habit in ("stuck", "lagging") else (0, 0))
    people.refuse_reads(script, device, plan, 8)
    if rng.random() < 0.5:
        changes.restate_register(script, device)
    elif rng.random() < 0.6:
        changes.split_register(script, device, meter)


# --- what happens to all


def _common_life(script: Script, device: Device, plan: ChannelPlan) -> None:
    """The first device's configuration before anything else, and what people do with the channel later."""
    changes.announce_first(script, device)
    for _ in range(2):
        changes.restate_channel(script, device, plan)
    changes.send_unacceptable(script, device)
    people.edit_intervals(script, device, plan, 20 if plan.kind == "intervals" else 1)
    people.restate(script, device, plan, 4)
    people.states(script, device)


RECIPES = (half_hourly, fine, daily, totals_polled, totals_loose, by_hand)
