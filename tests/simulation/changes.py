"""Configurations: announced, exchanged, restated, shrunk and grown again, moved to another supply point, refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.interval_meters import IntervalMeter
from tests.simulation.oracle.grid import LOCAL_DAY
from tests.simulation.portfolio import DAY_MS, HOUR_MS, Body, ChannelPlan, Device, draw_policy
from tests.simulation.register_meters import RegisterMeter
from tests.simulation.script import Log, Record, Script

Change = Callable[[Device], None]


def announce(script: Script, device: Device, at: int, change: Change | None = None, reason: str = "") -> None:
    """Change a device's timeline and send it whole."""

    def action(log: Log, received: int) -> None:
        if change is not None:
            change(device)
        body = device.configuration(reason or "CONFIGURATION_RESTATED")
        log.append(device.partition, body | {"supply_point": device.serves(received)}, received)

    script.do(at, device.partition, action)


def announce_first(script: Script, device: Device) -> None:
    """Before anything else; at times it first claims to begin a day or two later than it does."""
    rng = script.rng
    later = rng.choice([0, 0, DAY_MS, 2 * DAY_MS])

    def shift(by: int) -> Change:
        def change(device: Device) -> None:
            for row in device.registers:
                row["from_ms"] += by

        return change

    announce(script, device, script.start - HOUR_MS, shift(later))
    if later:
        announce(script, device, script.start - HOUR_MS // 2, shift(-later))


def close_spans(at: int) -> Change:
    """Nothing is covered from an instant on."""

    def change(device: Device) -> None:
        device.registers = [row for row in device.registers if row["from_ms"] < at]
        for row in device.registers:
            row["to_ms"] = at if row["to_ms"] is None else min(at, row["to_ms"])

    return change


def exchange(script: Script, old: Device, new: Device, at: int) -> None:
    """The old meter ends and the new one begins at an instant; each says so when it gets around to it."""
    rng = script.rng
    ended = at + rng.randrange(-DAY_MS, 4 * DAY_MS)
    begun = ended + rng.choice([-HOUR_MS, HOUR_MS, DAY_MS])
    announce(script, old, ended, close_spans(at), "METER_EXCHANGED")
    announce(script, new, begun, reason="METER_EXCHANGED")
    if begun < ended:  # refused: both claim the time from `at` on
        announce(script, new, ended + 2 * HOUR_MS, reason="METER_EXCHANGED")
    if rng.random() < 0.6:
        _exchange_earlier(script, old, new, at, ended + rng.randrange(3 * DAY_MS, 6 * DAY_MS))
    elif rng.random() < 0.5:  # the gap between them, if there is one, turns out to have been the old one's
        begin = min(row["from_ms"] for row in new.registers)
        announce(script, old, ended + rng.randrange(3 * DAY_MS, 8 * DAY_MS), close_spans_at(begin), "METER_EXCHANGED")


def _exchange_earlier(script: Script, old: Device, new: Device, at: int, known: int) -> None:
    """It turns out that the exchange was half a day before what was said."""

    def begin_earlier(device: Device) -> None:
        for row in device.registers:
            row["from_ms"] -= DAY_MS // 2

    announce(script, old, known, close_spans_at(at - DAY_MS // 2), "METER_EXCHANGED")
    announce(script, new, known + HOUR_MS, begin_earlier, "METER_EXCHANGED")


def close_spans_at(at: int) -> Change:
    """Coverage ends exactly there, later or earlier than before."""

    def change(device: Device) -> None:
        for row in device.registers:
            row["to_ms"] = at

    return change


def shrink_and_grow(script: Script, device: Device, grid_ms: int, meter: IntervalMeter | None = None) -> None:
    """Coverage is cut back into what was hardened, and restored some days later; at times the cut lies within a slot.

    The meter sends again what it measured around the cut: one slot may now reach beyond its coverage.
    """
    rng = script.rng
    at = script.some_instant(0.15, 0.85)
    cut = (at - rng.randrange(6 * DAY_MS)) // grid_ms * grid_ms + rng.choice([0, grid_ms // 3, grid_ms // 2])
    saved: list[Body] = []

    def shrink(device: Device) -> None:
        saved.extend(dict(row) for row in device.registers)
        close_spans(cut)(device)

    def grow(device: Device) -> None:
        device.registers = [dict(row) for row in saved]

    again = at + rng.randrange(2 * HOUR_MS, 3 * DAY_MS)
    announce(script, device, at, shrink)
    announce(script, device, again, grow)
    if meter is not None:
        around = [slot for slot in meter.slots if cut - 2 * grid_ms < slot < cut + 2 * grid_ms]
        for slot in around:
            meter.send(slot, [meter.readings[slot][0]], rng.randrange(at, again), version=2)


def restate_multiplier(script: Script, device: Device, grid_ms: int) -> None:
    """From some instant on the register was multiplied by something else all along."""
    rng = script.rng
    at = script.some_instant(0.1, 0.95)
    since = (at - rng.randrange(10 * DAY_MS)) // grid_ms * grid_ms
    multiplier = rng.choice([2, 3, 10, 40])

    def change(device: Device) -> None:
        for row in device.rows("intervals"):
            if row["from_ms"] < since and (row["to_ms"] is None or since < row["to_ms"]):
                device.registers.append(row | {"from_ms": since, "multiplier": multiplier})
                row["to_ms"] = since

    announce(script, device, at, change)


def restate_register(script: Script, device: Device) -> None:
    """The worth of a count, or what can pass in an hour, was stated wrong."""
    rng = script.rng
    factor, most = rng.choice([2, 3, 10]), rng.choice(["known", "unknown", "same"])

    def change(device: Device) -> None:
        for row in device.registers:
            if row["role"] != "intervals":
                row["nano_per_count"] *= factor
                known = row["max_nano_per_hour"]
                row["max_nano_per_hour"] = {"known": known and known * factor, "unknown": None, "same": known}[most]

    announce(script, device, script.some_instant(0.1, 0.95), change)


def split_register(script: Script, device: Device, meter: RegisterMeter) -> None:
    """From one read on the register shows one more decimal. That read belongs to both spans; the earlier one judges it."""
    rng = script.rng
    since = rng.choice(meter.instants[len(meter.instants) // 4 : -2])
    at = since + rng.randrange(-DAY_MS, 5 * DAY_MS)

    def change(device: Device) -> None:
        for row in [row for row in device.registers if row["from_ms"] < since]:
            if row["register"] == meter.register and (row["to_ms"] is None or since < row["to_ms"]):
                finer = {"from_ms": since, "decimals": row["decimals"] + 1, "digits": None}
                device.registers.append(row | finer | {"nano_per_count": max(row["nano_per_count"] // 10, 1)})
                row["to_ms"] = since

    announce(script, device, max(at, script.start), change)
    for instant in (since, meter.instants[-1]):
        finer = {"decimals": meter.decimals + 1, "version": 6}
        meter.send(instant, meter.counts[instant] * 10, max(at, instant) + HOUR_MS, **finer)


def restate_channel(script: Script, device: Device, channel: ChannelPlan) -> None:
    """Another policy, allowance or holiday."""
    rng = script.rng
    policy = draw_policy(rng, is_daily=channel.interval_s == LOCAL_DAY)
    allowance_s, known = rng.choice([0, 3600, 10_800]), rng.randrange(5)

    def change(device: Device) -> None:
        channel.policy, channel.allowance_s = policy, allowance_s
        channel.site.holidays = channel.site.holidays[:known]

    announce(script, device, script.some_instant(), change)


def send_unacceptable(script: Script, device: Device) -> None:
    """Configurations that are refused whole, and one that is too old to matter."""
    rng = script.rng
    changes: list[dict[str, Any]] = [
        {"unit": "gal"},
        {"interval_s": 7200},
        {"grid_s": 86_400},
        {"horizon_days": device.channels[0].horizon_days + 1},
        {"kind": "spans" if device.channels[0].kind != "spans" else "totals"},
    ]
    for changed in rng.sample(changes, 2):
        script.do(script.some_instant(), device.partition, _spoilt(device, changed))
    if device.channels[0].interval_s != LOCAL_DAY:
        script.do(script.some_instant(), device.partition, _displaced(device))

    def stale(log: Log, received: int) -> None:
        body = device.configuration()
        device.version -= 1
        log.append(device.partition, body | {"version": device.version, "registers": []}, received)

    script.do(script.some_instant(0.05), device.partition, stale)


def _spoilt(device: Device, changed: dict[str, Any]) -> Callable[[Log, int], None]:
    def action(log: Log, received: int) -> None:
        body = device.configuration()
        body["channels"] = [channel | changed for channel in body["channels"]]
        log.append(device.partition, body | {"supply_point": device.serves(received)}, received)

    return action


def _displaced(device: Device) -> Callable[[Log, int], None]:
    """Local time a minute ahead of what it was: every midnight would be off the grid that is in use."""

    def action(log: Log, received: int) -> None:
        body = device.configuration() | {"supply_point": device.serves(received)}
        rows = [[from_ms, offset_s + 60] for from_ms, offset_s in body["calendar"]["utc_offsets"]]
        log.append(device.partition, body | {"calendar": body["calendar"] | {"utc_offsets": rows}}, received)

    return action


def move(script: Script, device: Device, new_point: str) -> None:
    """It served another supply point since some days ago: withdrawn here, configured there, its reads sent again."""
    rng = script.rng
    at = script.some_instant(0.4, 0.8)
    since = device.site.calendar.midnight(device.site.calendar.day_of(at - rng.randrange(DAY_MS, 6 * DAY_MS)))

    def action(log: Log, received: int) -> None:
        rows = [dict(row) for row in device.registers if row["to_ms"] is None or row["to_ms"] > since]
        close_spans(since)(device)
        withdrawal = device.configuration("ASSIGNMENT_RESTATED")
        device.registers = [row | {"from_ms": max(since, row["from_ms"])} for row in rows]
        device.moved = (since, new_point)
        arrival = device.configuration("ASSIGNMENT_RESTATED") | {"supply_point": new_point}
        originals = [r for rs in log.published.values() for r in rs if _is_read_since(r, device.name, since)]
        log.republish(device.partition, [withdrawal, arrival], originals, new_point, received)

    script.do(at, device.partition, action)


def _is_read_since(record: Record, device: str, since: int) -> bool:
    return record["type"] == "intervals" and record["device"] == device and record["start_ms"] >= since
