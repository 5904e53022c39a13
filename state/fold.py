"""The fold of one curated partition: records in, rows out, nothing else (docs/rules.md).

`apply` takes the records in log order. It has no clock, no I/O and no randomness: the rows are a pure function of the
records, their order and RULE_VERSION.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from state.channel import Channel
from state.codes import FUTURE_TOLERANCE_MS, MISSING, QUALITY_OF
from state.edits import refuse_read, replace_interval, restate
from state.hardening import rise
from state.interval_list import IntervalList
from state.judging import Arrival
from state.marks import Marks
from state.outputs import Outputs
from state.register_reads import judge_register_read
from state.registers import RegisterRead
from state.restating import apply_configuration
from state.supply_point import SupplyPoint
from state.tables import Tables
from state.unit import CONFIGURATION, EDIT, GATE, HEARTBEAT, READ, Step, Unit

STATUS_FINDINGS: Final = {
    "clock": ("clock_drift", "info"),
    "communication": ("communication", "info"),
    "gap": ("gap_declared", "warn"),
    "exchange": ("meter_exchange", "warn"),
}
"""Kind of a status record to the finding that it becomes, and its severity."""
_CAUSES = {"heartbeat": HEARTBEAT, "gate": GATE, "configuration": CONFIGURATION, "edit": EDIT}


class Fold:
    """State of one curated partition.

    `marks`: per raw partition the highest carrier coordinate processed. `gates`: per scope and raw partition the
    highest instant seen; `passed`: per scope the instant it has passed in all of them. `memory_days` above a channel's
    horizon makes a shadow that takes evidence which the fold itself had to hold as BEYOND_HORIZON; estimates still look
    no further back than the horizon.
    """

    def __init__(self, curated_partition: int, memory_days: int = 0) -> None:
        self.curated_partition = curated_partition
        self.memory_days = memory_days
        self.curated_offset = -1
        self.known_at_ms = 0
        self.marks = Marks()
        self.points: dict[str, SupplyPoint] = {}
        self.tables = Tables()
        self.gates: dict[str, dict[int, int]] = {}
        self.passed: dict[str, int] = {}
        self.ledger: Counter[str] = Counter()
        self.touched: set[str] = set()
        """The supply points of which more may have changed than the tables, since a snapshot last looked (state/changes.py)."""

    def apply(self, record: Mapping[str, Any], curated_offset: int, append_ms: int, out: Outputs) -> None:
        """Process one curated record; rows are appended to `out`."""
        step = self.admit(record, curated_offset, append_ms)
        if step is not None:
            self.process(step, out)

    def admit(self, record: Mapping[str, Any], curated_offset: int, append_ms: int) -> Step | None:
        """Move the mark of the record's raw partition; None if nothing of it is above the mark (docs/rules.md section 1)."""
        self.curated_offset = curated_offset
        self.known_at_ms = max(self.known_at_ms, append_ms)
        partition, offset = int(record["raw"][0]), int(record["raw"][1])
        sub = int(record.get("sub") or 0)
        number = len(record["quantities_nano"]) if record["type"] == "intervals" else 1
        marked_offset, marked_sub = self.marks[partition]
        if offset < marked_offset:
            return None
        first_new = max(marked_sub - sub + 1, 0) if offset == marked_offset else 0
        if first_new >= number:
            return None
        self.marks[partition] = (offset, sub + number - 1)
        return Step(record, first_new, curated_offset, self.known_at_ms)

    def process(self, step: Step, out: Outputs) -> None:
        """Process what is new of an admitted record."""
        kind = str(step.record["type"])
        if kind == "intervals":
            self._intervals(step, out)
        else:
            getattr(self, f"_{kind}")(step.record, self.unit_of(step, out))

    def unit_of(self, step: Step, out: Outputs) -> Unit:
        """The unit of work that a record is, or the first of a list."""
        record = step.record
        partition, offset = record["raw"]
        return Unit(
            cause=_CAUSES.get(str(record["type"]), READ),
            partition=int(partition),
            offset=int(offset),
            sub=int(record.get("sub") or 0),
            received_ms=int(record["received_ms"]),
            known_at_ms=step.known_at_ms,
            curated_partition=self.curated_partition,
            curated_offset=step.curated_offset,
            out=out,
            device=str(record.get("device") or ""),
        )

    def ledger_rows(self, out: Outputs) -> None:
        """Emit the cumulative counts through the last record."""
        for outcome in sorted(self.ledger):
            row = (self.curated_partition, self.curated_offset, outcome, self.ledger[outcome], self.known_at_ms)
            out.ledger.append(row)

    def point(self, name: str) -> SupplyPoint:
        """What is known of a supply point, from now on at the latest, for who may change it."""
        self.touched.add(name)
        if name not in self.points:
            self.points[name] = SupplyPoint(name, self.tables, self.memory_days)
        return self.points[name]

    # -- evidence ---------------------------------------------------------------------------------------------------

    def _intervals(self, step: Step, out: Outputs) -> None:
        """A list of intervals is its elements, one unit each."""
        unit, intervals = (
            self.unit_of(step, out),
            IntervalList(self.point(str(step.record["supply_point"])), step.record),
        )
        for at in range(step.first_new, len(intervals)):
            self.ledger[intervals.judge(at, unit)] += 1

    def _register(self, record: Mapping[str, Any], unit: Unit) -> None:
        point = self.point(str(record["supply_point"]))
        quality = QUALITY_OF.get(str(record["quality"]), MISSING)
        read = RegisterRead(
            at_ms=int(record["at_ms"]),
            total=int(record["count"]),
            decimals=int(record["decimals"]),
            version=int(record["version"]),
            quality=quality,
            reset=int(record.get("event") == "reset"),
        )
        arrival = _arrival(point, record, "register", read.at_ms, quality, read.version, unit)
        arrival.count, arrival.decimals = read.total, read.decimals
        self.ledger[judge_register_read(point, arrival, read, str(record["unit"]), unit)] += 1

    def _edit(self, record: Mapping[str, Any], unit: Unit) -> None:
        point = self.point(str(record["supply_point"]))
        if record["action"] == "refuse_read":
            arrival = _arrival(point, record, "edit", int(record["at_ms"]), MISSING, 0, unit)
            arrival.channel = str(record["channel"])
            verdict = refuse_read(point, arrival, unit)
        else:
            replaces = int(record["replaces_version"])
            start_ms = int(record["start_ms"])
            arrival = _arrival(point, record, "edit", start_ms, QUALITY_OF["SUBSTITUTED"], replaces + 1, unit)
            nano = int(record["quantity_nano"])
            verdict = replace_interval(point, arrival, str(record["channel"]), replaces, nano, unit)
        self.ledger[verdict] += 1
        channel = point.channels.get(str(record["channel"]))
        if channel is not None:
            point.follow(channel, EDIT, unit)

    # -- control ----------------------------------------------------------------------------------------------------

    def _configuration(self, record: Mapping[str, Any], unit: Unit) -> None:
        self.ledger["control:configuration"] += 1
        apply_configuration(self.point(str(record["supply_point"])), record, unit)

    def _restatement(self, record: Mapping[str, Any], unit: Unit) -> None:
        self.ledger["control:restatement"] += 1
        restate(self.point(str(record["supply_point"])), record, unit)

    def _status(self, record: Mapping[str, Any], unit: Unit) -> None:
        self.ledger["control:status"] += 1
        check_id, severity = STATUS_FINDINGS[str(record["kind"])]
        at_ms = int(record["at_ms"])
        from_ms, to_ms = record.get("from_ms"), record.get("to_ms")
        span = (at_ms, at_ms) if from_ms is None or to_ms is None else (int(from_ms), int(to_ms))
        key = (str(record["supply_point"]), "", str(record["device"]))
        detail = {name: record[name] for name in ("offset_ms", "detail") if record.get(name) is not None}
        unit.finding(check_id, severity, key, *span, **detail)

    def _heartbeat(self, record: Mapping[str, Any], unit: Unit) -> None:
        point = self.point(str(record["supply_point"]))
        for channel in self.hear(point, record, unit):
            point.follow(channel, HEARTBEAT, unit)

    def hear(self, point: SupplyPoint, record: Mapping[str, Any], unit: Unit) -> list[Channel]:
        """Take what a heartbeat vouches for; returns the channels that are to follow it, in order."""
        self.ledger["control:heartbeat"] += 1
        device, sequence = str(record["device"]), int(record["sequence"])
        through_ms = int(record["complete_through_ms"])
        if through_ms > unit.received_ms + FUTURE_TOLERANCE_MS:
            key = (point.name, "", device)
            unit.finding("heartbeat_refused", "error", key, through_ms, through_ms, received_ms=unit.received_ms)
            return []
        known = point.complete_through.get(device)
        if known is not None and sequence < known[0]:
            return []
        point.complete_through[device] = (sequence, through_ms)
        channels = [channel for channel in in_order(point) if channel.current_device() == device]
        for channel in channels:
            channel.latest_end_ms = max(channel.latest_end_ms, through_ms)
        return channels

    def _gate(self, record: Mapping[str, Any], unit: Unit) -> None:
        passed_ms = self.pass_gate(record, unit)
        if passed_ms is not None:
            for point, channel in self.in_scope(str(record["scope"])):
                rise(channel, passed_ms, point.streams_of(channel), GATE, unit)

    def pass_gate(self, record: Mapping[str, Any], unit: Unit) -> int | None:
        """Note one copy of a gate; returns the instant that its scope has newly passed in all raw partitions, None if none."""
        self.ledger["control:gate"] += 1
        scope, until_ms = str(record["scope"]), int(record["until_ms"])
        if until_ms > unit.received_ms:
            key = ("", "", "")
            unit.finding("gate_refused", "error", key, until_ms, until_ms, scope=scope, received_ms=unit.received_ms)
            return None
        seen = self.gates.setdefault(scope, {})
        seen[unit.partition] = max(seen.get(unit.partition, until_ms), until_ms)
        if len(seen) < int(record["partitions"]):
            return None
        passed_ms = min(seen.values())
        if passed_ms <= self.passed.get(scope, -1):
            return None
        self.passed[scope] = passed_ms
        return passed_ms

    def in_scope(self, scope: str) -> Iterator[tuple[SupplyPoint, Channel]]:
        """The channels that a gate of a scope is about, in order of supply point and channel; they are about to rise."""
        for name in sorted(self.points):
            point = self.points[name]
            for channel in in_order(point):
                if scope in ("all", f"site:{channel.definition.calendar.site}"):
                    if channel.has_books:
                        self.touched.add(name)
                    yield point, channel


def in_order(point: SupplyPoint) -> list[Channel]:
    """The channels of a supply point by name."""
    return [point.channels[name] for name in sorted(point.channels)]


def _arrival(
    point: SupplyPoint, record: Mapping[str, Any], kind: str, at_ms: int, quality: int, version: int, unit: Unit
) -> Arrival:
    origin = record.get("origin") or unit.coordinates
    return Arrival(
        supply_point=point.name, device=str(record.get("device") or ""), register=str(record.get("register") or ""),
        kind=kind, start_ms=at_ms, end_ms=at_ms, quality=quality, version=version,
        origin=(int(origin[0]), int(origin[1]), int(origin[2])),
    )  # fmt: skip
