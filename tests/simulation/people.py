"""What people and timetables send: edits, releases, restatements, gates, heartbeats and states of devices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.simulation.oracle import Oracle
from tests.simulation.oracle.model import RING_MS, Channel, Stream
from tests.simulation.portfolio import DAY_MS, HOUR_MS, Body, ChannelPlan, Device, Site
from tests.simulation.script import Log, Script

MINUTE_MS = 60_000


def known_channel(oracle: Oracle, plan: ChannelPlan) -> Channel | None:
    """What the oracle knows of a channel by now, once slots are expected in it."""
    point = oracle.points.get(plan.point)
    channel = point.channels.get(plan.name) if point is not None else None
    return channel if channel is not None and channel.watermark is not None else None


# --- edits


def edit_intervals(script: Script, device: Device, plan: ChannelPlan, times: int) -> None:
    """Replacements, most of them naming the version in force."""
    for _ in range(times):
        script.do(script.some_instant(0.05), device.partition, _replacement(script, device, plan))


def _replacement(script: Script, device: Device, plan: ChannelPlan) -> Callable[[Log, int], None]:
    rng = script.rng

    def action(log: Log, received: int) -> None:
        channel = known_channel(log.oracle, plan)
        if channel is None or channel.base is None or channel.watermark is None:
            return
        start = channel.slots.floor(rng.randrange(channel.base, channel.watermark + 2 * DAY_MS))
        evidence = channel.evidence(start)
        body = edit(device, plan, "replace") | {"start_ms": start, "quantity_nano": rng.randrange(plan.scale * 2)}
        body["replaces_version"] = -1 if evidence is None else evidence.version
        mistakes: list[Body] = [
            {"replaces_version": body["replaces_version"] + rng.choice([-1, 1, 2])},
            {"start_ms": start + 1},
            {"quantity_nano": plan.least_refused - rng.randrange(2)},
            {"quantity_nano": -body["quantity_nano"] - 1},
            {"quantity_nano": 0},
            {"quantity_nano": 0},
            {"quantity_nano": plan.scale * 12},
            {"start_ms": channel.slots.after(channel.base, -3)},
            {"start_ms": channel.slots.ceiling(channel.watermark + RING_MS), "replaces_version": -1},
            {"channel": "unheard-of"},
        ]
        log.append(device.partition, body | (rng.choice(mistakes) if rng.random() < 0.5 else {}), received)

    return action


def edit(device: Device, plan: ChannelPlan, action: str) -> Body:
    names = {"supply_point": plan.point, "device": device.name, "channel": plan.name}
    return {"v": 1, "type": "edit", "action": action, "person": "p-1", "reason": "as seen on site"} | names


def refuse_reads(script: Script, device: Device, plan: ChannelPlan, times: int) -> None:
    """Reads that a person does not believe: stored ones, one twice, one that never was; and an edit of no interval."""
    for _ in range(times):
        script.do(script.some_instant(0.05), device.partition, _refusal(script, device, plan))


def _refusal(script: Script, device: Device, plan: ChannelPlan) -> Callable[[Log, int], None]:
    rng = script.rng

    def action(log: Log, received: int) -> None:
        point = log.oracle.points.get(plan.point)
        streams = [s for s in point.streams.values() if s.device == device.name and s.reads] if point else []
        if not streams:
            return
        stream = rng.choice(streams)
        at = _instant_to_refuse(script, log, plan, stream)
        body = edit(device, plan, "refuse_read") | {"register": stream.register, "at_ms": at}
        log.append(device.partition, body, received)
        if rng.random() < 0.2:
            log.append(device.partition, body, received)
        if rng.random() < 0.3:
            replacement = {"action": "replace", "start_ms": at, "quantity_nano": 5, "replaces_version": 0}
            log.append(device.partition, edit(device, plan, "replace") | replacement, received)

    return action


def refuse_read(script: Script, device: Device, plan: ChannelPlan, register: str, at: int, arrival: int) -> None:
    """A person saw that this read is wrong."""
    body = edit(device, plan, "refuse_read") | {"register": register, "at_ms": at}
    script.do(arrival, device.partition, lambda log, received: log.append(device.partition, body, received))


def _instant_to_refuse(script: Script, log: Log, plan: ChannelPlan, stream: Stream) -> int:
    """Mostly a read after the base, some of them bad ones; at times one that never was."""
    channel = known_channel(log.oracle, plan)
    base = channel.base if channel is not None and channel.base is not None else 0
    instants = [at for at in stream.instants if at >= base] or stream.instants
    bad = [at for at in instants if not stream.links[at].is_good]
    rng = script.rng
    at = rng.choice(bad) if bad and rng.random() < 0.3 else rng.choice(instants)
    return at + 1 if rng.random() < 0.1 else at


# --- releases and restatements


def release(script: Script, partition: int, at: int) -> None:
    """Some of what waits in quarantine is let in again, by the coordinates of its records."""

    def action(log: Log, received: int) -> None:
        waiting = sorted(
            {
                (row["origin_partition"], row["origin_offset"], row["supply_point"])
                for row in log.oracle.rows["quarantine"]
                if row["kind"] != "edit"
            }
        )
        for coordinates in script.rng.sample(waiting, min(len(waiting), 5)):
            originals = log.published.get(coordinates[:2], [])
            log.republish(partition, [], originals, coordinates[2], received)

    script.do(at, partition, action)


def restate(script: Script, device: Device, plan: ChannelPlan, times: int) -> None:
    """What replay found beyond the horizon; some of it stale, unchanged, or not beyond it at all."""
    for _ in range(times):
        script.do(script.some_instant(0.3), device.partition, _restatement(script, device, plan))


def _restatement(script: Script, device: Device, plan: ChannelPlan) -> Callable[[Log, int], None]:
    rng = script.rng

    def action(log: Log, received: int) -> None:
        channel = known_channel(log.oracle, plan)
        if channel is None or channel.base is None:
            return
        current = log.oracle.current(plan.point, plan.name)
        starts = Counter(key[0] for key in current)  # a restated window is remembered by its start alone
        beyond = [key for key in current if key[1] < channel.base and starts[key[0]] == 1]
        if not beyond:
            return
        again = [key for key in beyond if key[0] in channel.restated]
        keys = rng.sample(beyond, min(len(beyond), 3)) + again[:1]
        rows = [_row(script, key, current[key][0], current[key][1]) for key in sorted(set(keys))]
        if again and rng.random() < 0.7:
            key = rng.choice(again)
            rows.append(_row(script, key, current[key][0], current[key][1]) | {"revision": current[key][1] + 1})
        within = [key for key in current if key[1] > channel.base]
        if within and rng.random() < 0.4:
            key = rng.choice(within)
            rows.append(_row(script, key, current[key][0], current[key][1]))
        body: Body = {"v": 1, "type": "restatement", "supply_point": plan.point, "channel": plan.name}
        body |= {"device": device.name, "rows": rows, "replay_id": "r", "person": "p-1", "reason": "found by replay"}
        log.append(device.partition, body, received)

    return action


def _row(script: Script, key: tuple[int, int], quantity: int, revision: int) -> Body:
    rng = script.rng
    new = quantity + rng.choice([0, 1, -7, 1000, quantity // 10])
    if rng.random() < 0.08:
        new = rng.choice([-1, 1]) * (10**18 - rng.randrange(2))  # refused, or just not
    row = {"start_ms": key[0], "end_ms": key[1], "old_nano": quantity, "new_nano": new, "revision": revision}
    return row | {"quality": rng.choice(["ACTUAL", "ACTUAL", "SUBSTITUTED", "ESTIMATED", "CALCULATED", "MISSING"])}


# --- the timetable


def gates(script: Script, sites: list[Site], partitions: int) -> None:
    """Daily gates of some sites, rare ones of everything; a copy in each raw partition, each in its own time."""
    rng = script.rng
    for site in sites:
        if site.has_daily_gate:
            for at in range(script.start + 3 * DAY_MS, script.end, DAY_MS):
                if rng.random() < 0.8:
                    _gate(script, f"site:{site.name}", at - rng.randrange(4 * HOUR_MS, 3 * DAY_MS), at, partitions)
    at = script.start + rng.randrange(6 * DAY_MS, 12 * DAY_MS)
    while at < script.end:
        _gate(script, "all", at - rng.randrange(6 * HOUR_MS, 4 * DAY_MS), at, partitions)
        at += rng.randrange(9 * DAY_MS, 28 * DAY_MS)
    _gate(script, "all", script.some_instant(0.5) + 40 * DAY_MS, script.some_instant(0, 0.5), partitions)


def _gate(script: Script, scope: str, until: int, at: int, partitions: int) -> None:
    for partition in range(partitions):
        body: Body = {"v": 1, "type": "gate", "supply_point": "", "gate_id": f"{scope}/{until}", "scope": scope}
        body |= {"until_ms": until, "partitions": partitions}
        _append(script, at + script.rng.randrange(6 * HOUR_MS), partition, body)


def _append(script: Script, at: int, partition: int, body: Body) -> None:
    script.do(at, partition, lambda log, received: log.append(partition, body, received))


# --- devices about themselves


def heartbeats(script: Script, device: Device, held: tuple[int, int]) -> None:
    """Every few hours, by the device's habit; while something is held back it vouches only up to there."""
    rng = script.rng
    if device.habit == "none":
        return
    sequence = 0
    for at in range(script.start + 6 * HOUR_MS, script.end, rng.choice([3, 6, 12]) * HOUR_MS):
        sequence += rng.choice([1, 1, 1, 2])
        through = (at - 40 * MINUTE_MS) // (5 * MINUTE_MS) * 5 * MINUTE_MS
        if held[0] <= through < held[1] + 4 * HOUR_MS:
            through = held[0]
        elif rng.random() < 0.03:
            through -= rng.randrange(12) * HOUR_MS
        elif rng.random() < 0.01:
            through += rng.randrange(1, 3000) * HOUR_MS  # its clock is ahead
        late = rng.randrange(20 * HOUR_MS) if rng.random() < 0.05 else rng.randrange(5 * MINUTE_MS)
        script.do(at + late, device.partition, _heartbeat(device, through, sequence))


def _heartbeat(device: Device, through: int, sequence: int) -> Callable[[Log, int], None]:
    def action(log: Log, received: int) -> None:
        body: Body = {"v": 1, "type": "heartbeat", "supply_point": device.point, "device": device.name}
        body |= {"complete_through_ms": through, "sequence": sequence}
        if device.moved is None or through <= device.moved[0]:
            log.append(device.partition, body, received)
        else:  # cut to what is assigned
            log.append(device.partition, body | {"complete_through_ms": device.moved[0]}, received)
            log.append(device.partition, body | {"supply_point": device.moved[1]}, received)

    return action


def states(script: Script, device: Device) -> None:
    kinds = (("clock", "communication"), ("gap", "exchange"))[sum(device.name.encode()) % 2]
    for kind in kinds:
        at = script.some_instant()
        body: Body = {"v": 1, "type": "status", "device": device.name, "at_ms": at - 60_000, "kind": kind}
        if kind == "gap":
            body |= {"from_ms": at - 7_200_000, "to_ms": at - 3_600_000}
        script.send(at, device, body)
