"""Routing one raw partition: from a device's records to the supply points they belong to.

Nothing is interpreted here: a record is forwarded, held (its device serves nobody then) or, if its own words
contradict each other, dead-lettered. Each raw record gets exactly one outcome in the ledger.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from state.configuration import FOREVER
from state.timeline import Device, Service, UnableToAssign, grown, read_services

FORWARDED = "forwarded"
SPLIT = "split"
QUARANTINED = "quarantined"
DEAD_LETTERED = "dead_lettered"

_LISTS = frozenset({"window", "day"})
_READS = frozenset({"interval", "window", "day", "register"})
Coordinates = tuple[int, int]


class Curated(NamedTuple):
    """A curated record and the supply point that decides its partition; None: one copy into each."""

    supply_point: str | None
    record: dict[str, Any]


class Held(NamedTuple):
    """A part of a raw record that nobody is assigned to yet."""

    partition: int
    offset: int
    sub: int
    device: str
    register: str
    kind: str
    start_ms: int
    end_ms: int
    reason: str
    received_ms: int


class Again(NamedTuple):
    """A request to read raw records again and pass them to `Router.republish`.

    Either `coordinates`, or every reading of `device` in [first_offset, before_offset). Only what falls into `parts` —
    (supply point, register, from, to) — is republished; None: wherever it belongs.
    """

    device: str
    first_offset: int
    before_offset: int
    coordinates: tuple[Coordinates, ...]
    parts: tuple[tuple[str, str, int, int], ...] | None


class Routed:
    """What routing a batch gave, in order."""

    __slots__ = ("again", "curated", "held")

    def __init__(self) -> None:
        self.curated: list[Curated] = []
        self.held: list[Held] = []
        self.again: list[Again] = []


class Carrier:
    """The coordinates that order what one raw record gives; sub-indices are handed out as it goes on."""

    __slots__ = ("next_sub", "offset", "partition", "received_ms")

    def __init__(self, partition: int, offset: int, received_ms: int) -> None:
        self.partition, self.offset, self.received_ms = partition, offset, received_ms
        self.next_sub = 0

    def head(self, supply_point: str, kind: str, units: int = 1) -> dict[str, Any]:
        """The fields that every curated record begins with; takes `units` sub-indices."""
        sub = self.next_sub
        self.next_sub += units
        return {
            "v": 1, "type": kind, "supply_point": supply_point, "raw": [self.partition, self.offset], "sub": sub,
            "received_ms": self.received_ms,
        }  # fmt: skip


class Router:
    """State of one raw partition: its devices and its ledger."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.next_offset = 0
        self.devices: dict[str, Device] = {}
        self.ledger: Counter[str] = Counter()
        self.touched: set[str] = set()
        """The devices that may have changed since a snapshot last looked."""

    def route(self, record: Mapping[str, Any], offset: int, received_ms: int, out: Routed) -> Carrier:
        """Route one decoded raw record. Requests in `out.again` are to be answered before the next record."""
        carrier = Carrier(self.partition, offset, received_ms)
        kind = str(record["type"])
        if kind in _READS:
            outcome = self._reading(record, carrier, out)
        else:
            outcome = getattr(self, f"_{kind}")(record, carrier, out)
        self.ledger[outcome] += 1
        return carrier

    def dead_letter(self) -> None:
        """Count a record whose bytes could not be decoded."""
        self.ledger[DEAD_LETTERED] += 1

    def count_forwarded(self, records: int, elements: int) -> None:
        """Count readings that were forwarded whole by array code, as `route` would have."""
        self.ledger["intervals_forwarded"] += elements
        self.ledger["intervals_quarantined"] += 0
        self.ledger[FORWARDED] += records

    def _device(self, record: Mapping[str, Any], offset: int) -> Device:
        name = str(record["device"])
        self.touched.add(name)
        device = self.devices.get(name)
        if device is None:
            device = self.devices[name] = Device(name)
        if device.first_offset < 0:
            device.first_offset = offset
        return device

    # -- readings ---------------------------------------------------------------------------------------------------

    def _reading(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        device = self._device(record, carrier.offset)
        parts = _by_supply_point(device, record)
        forwarded = held = 0
        for supply_point, first, end in parts:
            if supply_point is None:
                held += end - first
                out.held.append(_hold(device, record, carrier, first, end))
                carrier.next_sub += end - first
            else:
                forwarded += end - first
                out.curated.append(Curated(supply_point, _curate(device, record, carrier, supply_point, first, end)))
        self.ledger["intervals_forwarded"] += forwarded
        self.ledger["intervals_quarantined"] += held
        return FORWARDED if not held else QUARANTINED if not forwarded else SPLIT

    def republish(
        self, record: Mapping[str, Any], offset: int, received_ms: int, request: Again, carrier: Carrier, out: Routed
    ) -> None:
        """Publish a reading again under the carrier of the record that asked for it, citing where it came from."""
        device = self._device(record, offset)
        sub = 0
        for supply_point, first, end in _by_supply_point(device, record):
            for low, high in _wanted(device, record, supply_point, first, end, request):
                curated = _curate(device, record, carrier, str(supply_point), low, high)
                curated["origin"] = [self.partition, offset, sub + low - first]
                curated["received_ms"] = received_ms
                out.curated.append(Curated(supply_point, curated))
                self.ledger["intervals_republished"] += high - low
            sub += end - first

    # -- reference --------------------------------------------------------------------------------------------------

    def _assignment(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        device = self._device(record, carrier.offset)
        if record["version"] <= device.assignment_version:
            return FORWARDED
        services = read_services(record["spans"])
        known = device.assignment_version >= 0
        before = {name: device.coverage(name) for name in device.supply_points()}
        device.services, device.assignment_version = services, record["version"]
        reason = str(record.get("reason") or "ASSIGNMENT_RESTATED")
        self._send_views(device, before, reason if known else "CONFIGURATION_RESTATED", known, carrier, out)
        return FORWARDED

    def _configuration(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        device = self._device(record, carrier.offset)
        known = device.configuration
        if known is not None and record["version"] <= known["version"]:
            return FORWARDED
        before = {name: device.coverage(name) for name in device.supply_points()}
        device.configuration = {
            name: record[name] for name in ("version", "registers", "channels", "calendar") if name in record
        }
        reason = str(record.get("reason") or "CONFIGURATION_RESTATED")
        self._send_views(device, before, reason, known is not None, carrier, out)
        return FORWARDED

    def _send_views(
        self,
        device: Device,
        before: dict[str, list[tuple[str, int, int]]],
        reason: str,
        known: bool,
        carrier: Carrier,
        out: Routed,
    ) -> None:
        """Tell every supply point what it now sees; what a known device has grown into is read again."""
        if device.configuration is None:
            return
        device.view_version += 1
        parts: list[tuple[str, str, int, int]] = []
        for name in sorted({*before, *device.supply_points()}):
            body = {"device": device.name, "version": device.view_version, "reason": reason, **device.view(name)}
            out.curated.append(Curated(name, {**carrier.head(name, "configuration"), **body}))
            if known:
                parts += [(name, *span) for span in grown(before.get(name, []), device.coverage(name))]
        if parts:
            out.again.append(Again(device.name, device.first_offset, carrier.offset, (), tuple(parts)))

    # -- the rest ---------------------------------------------------------------------------------------------------

    def _heartbeat(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        device = self._device(record, carrier.offset)
        through_ms = record["complete_through_ms"]
        newest: dict[str, int] = {}
        for service in device.services:
            if service.from_ms < through_ms:
                newest[service.supply_point] = min(service.to_ms, through_ms)
        for name, cut_ms in newest.items():
            body = {"device": device.name, "complete_through_ms": cut_ms, "sequence": record["sequence"]}
            out.curated.append(Curated(name, {**carrier.head(name, "heartbeat"), **body}))
        return self._forward_or_hold(bool(newest), record, carrier, through_ms, out)

    def _status(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        device = self._device(record, carrier.offset)
        name = device.serving(record["at_ms"])
        if name is not None:
            out.curated.append(Curated(name, {**_rest(record), **carrier.head(name, "status")}))
        return self._forward_or_hold(name is not None, record, carrier, record["at_ms"], out)

    def _forward_or_hold(
        self, forwarded: bool, record: Mapping[str, Any], carrier: Carrier, at_ms: int, out: Routed
    ) -> str:
        if forwarded:
            return FORWARDED
        held = Held(
            self.partition, carrier.offset, 0, str(record["device"]), "", str(record["type"]), at_ms, at_ms,
            "unknown_device", carrier.received_ms,
        )  # fmt: skip
        out.held.append(held)
        return QUARANTINED

    def _gate(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        out.curated.append(Curated(None, {**_rest(record), **carrier.head("", "gate")}))
        return FORWARDED

    def _edit(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        name = str(record["supply_point"])
        out.curated.append(Curated(name, {**_rest(record), **carrier.head(name, str(record["type"]))}))
        return FORWARDED

    _restatement = _edit

    def _release(self, record: Mapping[str, Any], carrier: Carrier, out: Routed) -> str:
        wanted = tuple((partition, offset) for partition, offset in record["coordinates"])
        own = tuple(pair for pair in wanted if pair[0] == self.partition and pair[1] < carrier.offset)
        if own:
            out.again.append(Again(str(record["device"]), 0, carrier.offset, own, None))
        return FORWARDED


def _rest(record: Mapping[str, Any]) -> dict[str, Any]:
    """What of a record is for the fold; how it came stays in the raw log."""
    return {name: value for name, value in record.items() if name not in ("v", "source", "read_id", "timing")}


def _by_supply_point(device: Device, record: Mapping[str, Any]) -> list[tuple[str | None, int, int]]:
    """(supply point or None, first element, end) of a reading, in order; a register read is one element."""
    if record["type"] == "register":
        return [(name, 0, 1) for name in device.touching(record["at_ms"])] or [(None, 0, 1)]
    found: list[tuple[str | None, int, int]] = []
    starts = _starts(device, record)[:-1]
    at = 0
    while at < len(starts):
        name, until_ms = device.serving_until(starts[at])
        end = bisect_left(starts, until_ms, at)
        if found and found[-1][0] == name:
            found[-1] = (name, found[-1][1], end)
        else:
            found.append((name, at, end))
        at = end
    return found


def _starts(device: Device, record: Mapping[str, Any]) -> list[int]:
    """The start of each element and the end of the last."""
    number = len(record["quantities_nano"]) if record["type"] in _LISTS else 1
    return device.starts(record["start_ms"], record["interval_s"], number)


def _curate(
    device: Device, record: Mapping[str, Any], carrier: Carrier, supply_point: str, first: int, end: int
) -> dict[str, Any]:
    """The elements [first, end) of a reading as a curated record."""
    if record["type"] == "register":
        return {**_rest(record), **carrier.head(supply_point, "register")}
    quantities = record["quantities_nano"] if record["type"] in _LISTS else [record["quantity_nano"]]
    body = {
        "device": record["device"], "register": record["register"], "unit": record["unit"],
        "start_ms": _starts(device, record)[first], "interval_s": record["interval_s"],
        "quantities_nano": quantities[first:end], "quality": record["quality"], "version": record["version"],
    }  # fmt: skip
    ranges = [
        {**item, "first": max(item["first"], first) - first, "last": min(item["last"], end - 1) - first}
        for item in record.get("ranges") or ()
        if item["first"] < end and item["last"] >= first
    ]
    if ranges:
        body["ranges"] = ranges
    return {**carrier.head(supply_point, "intervals", end - first), **body}


def _hold(device: Device, record: Mapping[str, Any], carrier: Carrier, first: int, end: int) -> Held:
    if record["type"] == "register":
        start_ms = end_ms = record["at_ms"]
    else:
        starts = _starts(device, record)
        start_ms, end_ms = starts[first], starts[end]
    kind = "register" if record["type"] == "register" else "interval"
    return Held(
        carrier.partition, carrier.offset, carrier.next_sub, str(record["device"]), str(record["register"]), kind, start_ms,
        end_ms, "unknown_device", carrier.received_ms,
    )  # fmt: skip


def _wanted(
    device: Device, record: Mapping[str, Any], supply_point: str | None, first: int, end: int, request: Again
) -> Iterable[tuple[int, int]]:
    """The stretches of elements [first, end) that a request is about."""
    if supply_point is None:
        return
    if request.parts is None:
        yield first, end
        return
    spans = [
        (low, high)
        for name, register, low, high in request.parts
        if (name, register) == (supply_point, record["register"])
    ]
    if record["type"] == "register":
        if any(low <= record["at_ms"] <= high for low, high in spans):
            yield 0, 1
        return
    starts = _starts(device, record)
    run = first
    for at in range(first, end):
        if not any(low <= starts[at] < high for low, high in spans):
            if run < at:
                yield run, at
            run = at + 1
    if run < end:
        yield run, end


def pack_router(router: Router) -> dict[str, Any]:
    """A router as plain values."""
    return {**pack_counts(router), "devices": [pack_device(device) for _, device in sorted(router.devices.items())]}


def pack_counts(router: Router) -> dict[str, Any]:
    """A router without its devices, as plain values."""
    return {"partition": router.partition, "next_offset": router.next_offset, "ledger": dict(router.ledger)}


def pack_device(device: Device) -> dict[str, Any]:
    """A device as plain values."""
    return {
        "name": device.name, "services": [list(service) for service in device.services],
        "assignment_version": device.assignment_version, "configuration": device.configuration,
        "view_version": device.view_version, "first_offset": device.first_offset,
    }  # fmt: skip


def unpack_router(packed: Mapping[str, Any]) -> Router:
    """The router that `pack_router` gave; without devices if it is from `pack_counts`."""
    router = Router(packed["partition"])
    router.next_offset = packed["next_offset"]
    router.ledger = Counter(packed["ledger"])
    for item in packed.get("devices", ()):
        router.devices[item["name"]] = unpack_device(item)
    return router


def unpack_device(packed: Mapping[str, Any]) -> Device:
    """The device that `pack_device` gave."""
    return Device(**{**packed, "services": [Service(*service) for service in packed["services"]]})


__all__ = ["FOREVER", "Again", "Carrier", "Curated", "Held", "Routed", "Router", "UnableToAssign"]
