"""The output rows, with the columns of contracts/outputs.md, each ending in its place in the curated log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.simulation.oracle.model import Carrier, Cause, Channel, Key, Standing, Summary

Row = dict[str, Any]
RULE_VERSION = 1
STREAMS = ("evidence", "determinants", "adjustments", "findings", "quarantine")


@dataclass
class Unit:
    """One interval, register read or edit: the unit of work and of the verdict."""

    kind: str  # interval, register, edit
    supply_point: str
    device: str
    register: str
    measure: str  # the unit of measurement, as delivered
    start: int
    end: int
    quality: str
    version: int
    carrier: Carrier
    origin: Carrier
    received: int
    channel: str = ""
    quantity: int | None = None  # once known: after the multiplier
    count: int | None = None
    decimals: int | None = None

    @property
    def cause(self) -> Cause:
        return Cause("edit" if self.kind == "edit" else "read", self.carrier)


class Book:
    """Rows by stream, in the order in which they come about."""

    def __init__(self, curated_partition: int) -> None:
        self.partition = curated_partition
        self.known_at: int = -(1 << 63)
        self.offset: int = -1
        self.rows: dict[str, list[Row]] = {stream: [] for stream in STREAMS}

    def turn_to(self, record: Row) -> None:
        """What follows is caused by this record; known_at is the running maximum of append time."""
        self.known_at = max(self.known_at, record["append_ms"])
        self.offset = record["curated_offset"]

    def place(self) -> Row:
        return {"known_at_ms": self.known_at, "curated_partition": self.partition, "curated_offset": self.offset}

    def evidence(self, unit: Unit, verdict: str, failed: list[str], not_run: list[str]) -> None:
        self.rows["evidence"].append(
            _raw(unit)
            | {"channel": unit.channel, "device": unit.device, "register": unit.register, "kind": unit.kind}
            | {"start_ms": unit.start, "end_ms": unit.end, "quantity_nano": unit.quantity}
            | {"count": unit.count, "decimals": unit.decimals, "quality": unit.quality, "version": unit.version}
            | {"verdict": verdict, "checks_failed": sorted(failed), "checks_not_run": sorted(not_run)}
            | _origin(unit)
            | self.place()
        )

    def quarantine(self, unit: Unit, reason: str) -> None:
        self.rows["quarantine"].append(
            _raw(unit)
            | {"channel": unit.channel, "device": unit.device, "register": unit.register, "kind": unit.kind}
            | {"start_ms": unit.start, "end_ms": unit.end, "reason": reason}
            | _origin(unit)
            | self.place()
        )

    def finding(
        self, check: str, severity: str, cause: Carrier, point: str, channel: str, device: str, span: Key
    ) -> None:
        self.rows["findings"].append(
            {"check_id": check, "supply_point": point, "channel": channel, "device": device}
            | {"start_ms": span[0], "end_ms": span[1]}
            | _cause(cause)
            | {"severity": severity, "detail": ""}
            | self.place()
        )

    def unit_finding(self, check: str, severity: str, unit: Unit) -> None:
        """A finding about a unit spans the unit."""
        span = (unit.start, unit.end)
        self.finding(check, severity, unit.carrier, unit.supply_point, unit.channel, unit.device, span)

    def determinant(self, channel: Channel, key: Key, summary: Summary, cause: Cause) -> None:
        self.rows["determinants"].append(
            _window(channel, key)
            | {"quantity_nano": summary.quantity}
            | _summary(summary)
            | {"hardened_by": cause.kind}
            | _cause(cause.carrier)
            | {"rule_version": RULE_VERSION, "config_version": channel.definition.version}
            | self.place()
        )

    def adjustment(
        self, channel: Channel, key: Key, old: Standing, new: Summary, reason: str, carrier: Carrier
    ) -> None:
        """One more revision of a window; `old` is what it corrects."""
        self.rows["adjustments"].append(
            _window(channel, key)
            | {"revision": old.revision + 1, "old_nano": old.summary.quantity, "new_nano": new.quantity}
            | {"delta_nano": new.quantity - old.summary.quantity}
            | _summary(new)
            | {"reason": reason, "corrects_revision": old.revision}
            | _cause(carrier)
            | {"rule_version": RULE_VERSION, "config_version": channel.definition.version}
            | self.place()
        )


def _raw(unit: Unit) -> Row:
    partition, offset, sub = unit.carrier
    return {"raw_partition": partition, "raw_offset": offset, "raw_sub": sub, "supply_point": unit.supply_point}


def _origin(unit: Unit) -> Row:
    partition, offset, sub = unit.origin
    origin = {"origin_partition": partition, "origin_offset": offset, "origin_sub": sub}
    return origin | {"received_ms": unit.received}


def _cause(carrier: Carrier) -> Row:
    return {"cause_partition": carrier[0], "cause_offset": carrier[1], "cause_sub": carrier[2]}


def _window(channel: Channel, key: Key) -> Row:
    names = {"supply_point": channel.supply_point, "channel": channel.name}
    return names | {"start_ms": key[0], "end_ms": key[1], "unit": channel.definition.unit}


def _summary(summary: Summary) -> Row:
    names = ("n_actual", "n_calculated", "n_substituted", "n_estimated", "n_missing")
    said = {"quality": summary.quality, "methods": list(summary.methods), "missing_reason": summary.missing_reason}
    return dict(zip(names, summary.counts, strict=True)) | said
