"""A cycle as entries of the outbox, and what it tells of the devices that were asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from connectors.codec import encode
from edge_collector.entry import Entry, Kind
from edge_collector.heartbeats import DeviceState, polled
from edge_collector.reading import Cycle, Flag, Priority, RegisterReading, StatusKind, StatusReport
from edge_collector.records import READS, TELEMETRY, read_id, register_record, status_record, telemetry_records


@dataclass(slots=True)
class Numbers:
    """The next sequence number of any entry, and the next ordinal of a read."""

    sequence: int
    ordinal: int

    def take(self) -> int:
        """A sequence number, never given before."""
        self.sequence += 1
        return self.sequence - 1


@dataclass(frozen=True, slots=True)
class Naming:
    """What names reads: the collector, the interval before a device's first boundary, and which names are taken."""

    collector: str
    interval_ms: int
    is_taken: Callable[[str], bool]


def entries_of(
    cycle: Cycle, naming: Naming, devices: Mapping[str, DeviceState], numbers: Numbers, again: int
) -> list[Entry]:
    """Billing reads first, then reports, then telemetry. `again`: the number of the request that asked for the reads, or 0."""
    billing = [reading for reading in cycle.readings if reading.priority is Priority.BILLING]
    telemetry = [reading for reading in cycle.readings if reading.priority is Priority.TELEMETRY]
    entries: list[Entry] = []
    names: set[str] = set()
    for reading in billing:
        entry = _read_entry(reading, naming, devices.get(reading.device), numbers, again, names)
        if entry is not None:
            entries.append(entry)
    entries += [_status_entry(report, numbers.take()) for report in cycle.reports]
    for record in telemetry_records(telemetry):
        device = str(record["device"])
        entries.append(
            Entry(numbers.take(), Kind.TELEMETRY, TELEMETRY, device, device, encode(record), None, cycle.boundary_ms)
        )
    return entries


def devices_after(cycle: Cycle, devices: Mapping[str, DeviceState], now_ms: int) -> list[DeviceState]:
    """The devices that the cycle tells something of, as they are now."""
    exchanged = {report.device for report in cycle.reports if report.kind is StatusKind.EXCHANGE}
    read = {reading.device for reading in cycle.readings if reading.priority is Priority.BILLING}
    return [
        polled(devices.get(name, DeviceState(name)), cycle.boundary_ms, now_ms, name in exchanged, name in read)
        for name in sorted({*cycle.polled, *exchanged})
    ]


def may_judge_age(cycle: Cycle) -> bool:
    """Whether a clock that is held by its source stamped the cycle: another may stand in another year."""
    return bool(cycle.readings) and all(reading.clock.is_synchronised for reading in cycle.readings)


def _read_entry(
    reading: RegisterReading,
    naming: Naming,
    device: DeviceState | None,
    numbers: Numbers,
    again: int,
    names: set[str],
) -> Entry | None:
    """None for a read that is there already: the answer to a request that was interrupted after its commit."""
    n = again if Flag.REREAD in reading.flags else 0
    name = read_id(naming.collector, reading, n)
    if name in names or naming.is_taken(name):
        if n:
            return None
        n = (
            numbers.sequence
        )  # the boundary was read twice, as after a restart between poll and commit: two reads, two names
        name = read_id(naming.collector, reading, n)
    names.add(name)
    sequence = numbers.take()
    payload = encode(register_record(reading, name, sequence, again if Flag.REREAD in reading.flags else 0))
    ordinal, numbers.ordinal = numbers.ordinal, numbers.ordinal + 1
    from_ms = _interval_start(reading.boundary_ms, device, naming.interval_ms)
    entry = Entry(sequence, Kind.READ, READS, reading.device, reading.device, payload)
    return replace(entry, from_ms=from_ms, to_ms=reading.boundary_ms, read_id=name, ordinal=ordinal)


def _interval_start(boundary_ms: int, device: DeviceState | None, interval_ms: int) -> int:
    """The boundary at which the device was asked before: the read closes all that lies between."""
    before_ms = None if device is None else device.polled_ms
    return before_ms if before_ms is not None and before_ms < boundary_ms else boundary_ms - interval_ms


def _status_entry(report: StatusReport, sequence: int) -> Entry:
    payload = encode(status_record(report))
    return Entry(sequence, Kind.STATUS, READS, report.device, report.device, payload, None, report.at_ms)
