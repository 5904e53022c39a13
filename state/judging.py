"""The evidence row of a unit: what arrived, what was decided, what was checked."""

from dataclasses import dataclass, field
from typing import Any

from state.codes import BEYOND_HORIZON, CONFLICTING, QUALITY_NAMES, REJECTED
from state.unit import Unit

RELEASABLE = frozenset({"unconfigured", "beyond_horizon", "ahead_of_ring"})
"""Reasons for which a unit is held in quarantine, to be let in again by a release."""


@dataclass(slots=True)
class Arrival:
    """One arriving interval, register read or edit, on its way to a verdict."""

    supply_point: str
    device: str
    register: str
    kind: str
    start_ms: int
    end_ms: int
    quality: int
    version: int
    origin: tuple[int, int, int]
    channel: str = ""
    quantity_nano: int | None = None
    count: int | None = None
    decimals: int | None = None
    verdict: str = ""
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def refuse(self, check_id: str, unit: Unit, verdict: str = REJECTED, **detail: Any) -> None:
        """Decide against the arrival by a check; the reasons that can pass leave a quarantine row."""
        self.verdict = verdict
        self.failed.append(check_id)
        self.finding(check_id, "reject", unit, **detail)
        if check_id in RELEASABLE:
            unit.out.quarantine.append(
                (
                    *unit.coordinates, self.supply_point, self.channel, self.device, self.register, self.kind,
                    self.start_ms, self.end_ms, check_id, *self.origin, unit.received_ms, *unit.place,
                )
            )  # fmt: skip

    def decide(self, verdict: str, unit: Unit, **detail: Any) -> None:
        """Take the verdict of the evidence order; a conflict is also a finding."""
        if verdict == CONFLICTING:
            self.refuse("conflicting", unit, CONFLICTING, **detail)
        else:
            self.verdict = verdict

    def beyond_horizon(self, unit: Unit) -> None:
        """Older than anything remembered."""
        self.refuse("beyond_horizon", unit, BEYOND_HORIZON)

    def finding(self, check_id: str, severity: str, unit: Unit, **detail: Any) -> None:
        """A finding about this arrival."""
        key = (self.supply_point, self.channel, self.device)
        unit.finding(check_id, severity, key, self.start_ms, self.end_ms, **detail)

    def emit(self, unit: Unit) -> str:
        """Write the evidence row; returns the verdict."""
        unit.out.evidence.append(
            (
                *unit.coordinates, self.supply_point, self.channel, self.device, self.register, self.kind, self.start_ms,
                self.end_ms, self.quantity_nano, self.count, self.decimals, QUALITY_NAMES[self.quality], self.version,
                self.verdict, tuple(sorted(self.failed)), tuple(sorted(self.not_run)), *self.origin, unit.received_ms,
                *unit.place,
            )
        )  # fmt: skip
        return self.verdict
