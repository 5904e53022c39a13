"""The unit of work: one interval, one read or one control record, and where its rows go."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from state.codes import RULE_VERSION
from state.outputs import Outputs

READ = "read"
HEARTBEAT = "heartbeat"
GATE = "gate"
CONFIGURATION = "configuration"
EDIT = "edit"


class Step(NamedTuple):
    """An admitted curated record: its elements from `first_new` on were never processed (0 for what is not a list)."""

    record: Mapping[str, Any]
    first_new: int
    curated_offset: int
    known_at_ms: int


@dataclass(slots=True)
class Unit:
    """What is being processed: its cause, its carrier coordinates, its place in the curated log."""

    cause: str
    partition: int
    offset: int
    sub: int
    received_ms: int
    known_at_ms: int
    curated_partition: int
    curated_offset: int
    out: Outputs
    reason: str = ""
    """The record's reason when the cause is a configuration."""
    device: str = ""
    failed: list[str] = field(default_factory=list)

    @property
    def place(self) -> tuple[int, int, int]:
        """The last columns of every row."""
        return self.known_at_ms, self.curated_partition, self.curated_offset

    @property
    def coordinates(self) -> tuple[int, int, int]:
        """The carrier coordinates."""
        return self.partition, self.offset, self.sub

    def finding(
        self, check_id: str, severity: str, key: tuple[str, str, str], start_ms: int, end_ms: int, **detail: Any
    ) -> None:
        """Emit a finding; `key` is (supply point, channel, device), `detail` its evidence as plain values."""
        supply_point, channel, device = key
        text = json.dumps(detail, sort_keys=True, separators=(",", ":")) if detail else "{}"
        self.out.findings.append(
            (check_id, severity, supply_point, channel, device, start_ms, end_ms, text, *self.coordinates, *self.place)
        )

    def rules(self, config_version: int) -> tuple[int, int]:
        """(rule version, configuration version)."""
        return RULE_VERSION, config_version
