"""The fold of one curated partition, record by record (rules, sections 1, 4 and 9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.simulation.oracle.configuration import configure
from tests.simulation.oracle.edits import process_refusal, process_replacement, restate
from tests.simulation.oracle.grid import LOCAL_DAY, Grid
from tests.simulation.oracle.hardening import advance, harden, note_end
from tests.simulation.oracle.intervals import interval_span, process_interval
from tests.simulation.oracle.model import TOLERANCE_MS, Carrier, Cause, Channel, SupplyPoint
from tests.simulation.oracle.reads import process_read
from tests.simulation.oracle.rows import Book, Row, Unit

Record = dict[str, Any]


class Oracle:
    """All supply points of one curated partition. `apply` the records in log order, then read `rows`."""

    def __init__(self, curated_partition: int = 0) -> None:
        self.book = Book(curated_partition)
        self.points: dict[str, SupplyPoint] = {}
        self.marks: dict[int, tuple[int, int]] = {}  # raw partition -> highest (offset, sub) processed
        self.gates: dict[str, dict[int, int]] = {}  # scope -> raw partition -> highest until
        self.passed: dict[str, int] = {}  # scope -> the gate it has passed through
        self.outcomes: Counter[str] = Counter()

    @property
    def rows(self) -> dict[str, list[Row]]:
        return self.book.rows

    def ledger(self) -> list[Row]:
        """Units by verdict and control records by type, cumulative through the last record applied."""
        place = self.book.place()
        return [{"outcome": outcome, "count": count} | place for outcome, count in sorted(self.outcomes.items())]

    def current(self, supply_point: str, channel: str) -> dict[tuple[int, int], tuple[Any, ...]]:
        """By window: quantity, revision, counts by quality (best first), quality: of all windows ever said."""
        standing = self.points[supply_point].channels[channel].standing
        return {
            key: (said.summary.quantity, said.revision, said.summary.counts, said.summary.quality)
            for key, said in sorted(standing.items())
        }

    def apply(self, record: Record) -> None:
        """One curated record, with `curated_offset` and `append_ms`."""
        self.book.turn_to(record)
        kind = record["type"]
        if kind == "intervals":
            self._apply_intervals(record)
            return
        carrier = (*record["raw"], record["sub"])
        if not self._is_new(carrier):
            return
        if kind == "register":
            self._apply_register(record, carrier)
        elif kind == "edit":
            self._apply_edit(record, carrier)
        else:
            self.outcomes[f"control:{kind}"] += 1
            control = {"configuration": self._configuration, "heartbeat": self._heartbeat, "gate": self._gate}
            control |= {"status": self._status, "restatement": self._restatement}
            control[kind](record, carrier)

    def _is_new(self, carrier: Carrier) -> bool:
        """Move the raw partition's mark; a unit at or below it was processed before."""
        partition, coordinate = carrier[0], (carrier[1], carrier[2])
        if partition in self.marks and coordinate <= self.marks[partition]:
            return False
        self.marks[partition] = coordinate
        return True

    def _point(self, record: Record) -> SupplyPoint:
        name = record["supply_point"]
        return self.points.setdefault(name, SupplyPoint(name))

    # --- units

    def _apply_intervals(self, record: Record) -> None:
        """A list is its singles, in order; those at or below the mark are dropped one by one."""
        point = self._point(record)
        spans = element_spans(point, record)
        for index, (quantity, (start, end)) in enumerate(zip(record["quantities_nano"], spans, strict=False)):
            carrier = (*record["raw"], record["sub"] + index)
            if not self._is_new(carrier):
                continue
            unit = _unit("interval", record, carrier, index, start, end)
            unit.quality = quality_at(record, index)
            self.outcomes[process_interval(point, unit, quantity, record["interval_s"], self.book)] += 1

    def _apply_register(self, record: Record, carrier: Carrier) -> None:
        point = self._point(record)
        unit = _unit("register", record, carrier, 0, record["at_ms"], record["at_ms"])
        unit.count, unit.decimals = record["count"], record["decimals"]
        self.outcomes[process_read(point, unit, record.get("event") == "reset", self.book)] += 1

    def _apply_edit(self, record: Record, carrier: Carrier) -> None:
        point = self._point(record)
        channel = point.channels.get(record["channel"])
        replaces = record["action"] == "replace"
        start = record["start_ms"] if replaces else record["at_ms"]
        end = _slot_end(channel, start) if replaces else start
        unit = _unit("edit", record, carrier, 0, start, end)
        unit.channel = channel.name if channel is not None else ""
        if replaces:
            unit.quality, unit.version = "SUBSTITUTED", record["replaces_version"] + 1
            verdict = process_replacement(point, unit, record, self.book)
        else:
            verdict = process_refusal(point, unit, self.book)
        self.outcomes[verdict] += 1

    # --- control records

    def _configuration(self, record: Record, carrier: Carrier) -> None:
        point = self._point(record)
        cause = Cause("configuration", carrier, record.get("reason") or "CONFIGURATION_RESTATED")
        configure(point, record, cause, self.book)

    def _heartbeat(self, record: Record, carrier: Carrier) -> None:
        """What a device vouches for; of several, the one with the highest sequence speaks."""
        point = self._point(record)
        device = point.device(record["device"])
        through = record["complete_through_ms"]
        if through > record["received_ms"] + TOLERANCE_MS:
            self.book.finding(
                "heartbeat_refused", "error", carrier, point.name, "", record["device"], (through, through)
            )
            return
        if device.sequence is not None and record["sequence"] < device.sequence:
            return
        device.sequence, device.complete_through = record["sequence"], record["complete_through_ms"]
        cause = Cause("heartbeat", carrier)
        for _, channel in sorted(point.channels.items()):
            if channel.current_device == record["device"]:
                note_end(channel, record["complete_through_ms"])
                advance(point, channel, cause, self.book)

    def _gate(self, record: Record, carrier: Carrier) -> None:
        """A scope passes a gate once every raw partition has brought its copy."""
        scope, until = record["scope"], record["until_ms"]
        if until > record["received_ms"]:
            point = record.get("supply_point") or ""
            self.book.finding("gate_refused", "error", carrier, point, "", "", (until, until))
            return
        seen = self.gates.setdefault(scope, {})
        seen[carrier[0]] = max(until, seen.get(carrier[0], until))
        if any(partition not in seen for partition in range(record["partitions"])):
            return
        passed = min(seen[partition] for partition in range(record["partitions"]))
        if scope in self.passed and passed <= self.passed[scope]:
            return
        self.passed[scope] = passed
        self._close(scope, passed, Cause("gate", carrier))

    def _close(self, scope: str, until: int, cause: Cause) -> None:
        for _, point in sorted(self.points.items()):
            for _, channel in sorted(point.channels.items()):
                if scope in ("all", f"site:{channel.definition.calendar.site}"):
                    harden(point, channel, channel.floor(until), cause, self.book)

    def _status(self, record: Record, carrier: Carrier) -> None:
        names = {"clock": "clock_drift", "gap": "gap_declared", "exchange": "meter_exchange"}
        kind = record["kind"]
        at = (record["at_ms"], record["at_ms"])
        if "from_ms" in record and "to_ms" in record:
            at = (record["from_ms"], record["to_ms"])
        severity = "warn" if kind in ("gap", "exchange") else "info"
        check = names.get(kind, "communication")
        self.book.finding(check, severity, carrier, record["supply_point"], "", record["device"], at)

    def _restatement(self, record: Record, carrier: Carrier) -> None:
        restate(self._point(record), record, Cause("restatement", carrier), self.book)


def _unit(kind: str, record: Record, carrier: Carrier, index: int, start: int, end: int) -> Unit:
    origin = record.get("origin")
    return Unit(
        kind=kind,
        supply_point=record["supply_point"],
        device=record["device"],
        register=record.get("register", ""),
        measure=record.get("unit", ""),
        start=start,
        end=end,
        quality=record.get("quality", "MISSING"),
        version=record.get("version", 0),
        carrier=carrier,
        origin=(origin[0], origin[1], origin[2] + index) if origin else carrier,
        received=record["received_ms"],
    )


def quality_at(record: Record, index: int) -> str:
    """The quality of one element: that of the last range that names its position, else the record's."""
    ranges = [r["quality"] for r in record.get("ranges") or [] if r["first"] <= index <= r["last"]]
    return ranges[-1] if ranges else record["quality"]


def element_spans(point: SupplyPoint, record: Record) -> Iterator[tuple[int, int]]:
    """Start and end of each element. Where nothing covers a local day it has no length, but the next one follows it still."""
    start = record["start_ms"]
    while True:
        following = _following(point, record, start)
        yield start, following if _has_length(point, record, start) else start
        start = following


def _following(point: SupplyPoint, record: Record, start: int) -> int:
    """The start of the next element; local days follow the calendar of the channel that the register feeds, if it feeds one."""
    if record["interval_s"] != LOCAL_DAY:
        return start + int(record["interval_s"]) * 1000
    spans = [span for span in point.device(record["device"]).spans if span.register == record["register"]]
    channels = [point.channels[span.channel] for span in spans if span.role == "intervals"]
    return Grid(LOCAL_DAY, channels[0].definition.calendar).after(start) if channels else start


def _has_length(point: SupplyPoint, record: Record, start: int) -> bool:
    is_covered = interval_span(point, record["device"], record["register"], start) is not None
    return is_covered or record["interval_s"] != LOCAL_DAY


def _slot_end(channel: Channel | None, start: int) -> int:
    """The end of a slot that an edit names, in the channel's own length."""
    return start if channel is None else channel.slots.after(start)
