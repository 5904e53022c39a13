"""Tiny tapes for one supply point, written by hand: each call is one curated record, applied at once."""

from __future__ import annotations

from typing import Any

from tests.simulation.oracle import Oracle, check_conservation
from tests.simulation.portfolio import ZONES, instant

Row = dict[str, Any]
MINUTE = 60_000
HALF_HOUR = 30 * MINUTE
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY = instant("2024-01-08T00:00")
LATER = instant("2030-01-01T00:00")
POLICY = {"interpolate_max_s": None, "like_days": None, "spike_factor": None, "zero_run_s": None}
UTC = [[0, 0]]
ODD_ZONES = {
    "Asia/Kathmandu": [[0, 20_700]],
    "Africa/Cairo": [[0, 7200], [instant("2024-04-25T22:00"), 10_800], [instant("2024-10-31T21:00"), 7200]],
    "America/Havana": [[0, -18_000], [instant("2024-03-10T05:00"), -14_400], [instant("2024-11-03T05:00"), -18_000]],
}
"""Where no stream is: five and three quarter hours ahead, and two whose clocks change at midnight."""


def register_row(role: str, from_ms: int = MONDAY, to_ms: int | None = None, **more: Any) -> Row:
    row: Row = {"register": "r", "channel": "c", "role": role, "from_ms": from_ms, "to_ms": to_ms, "multiplier": 1}
    row |= {"decimals": 0, "digits": None, "nano_per_count": 1, "max_nano_per_hour": None}
    return row | more


class Tape:
    """Channel `c` of supply point `sp`, device `d`, register `r`; an oracle that has heard everything so far: `records`."""

    def __init__(self, kind: str = "intervals", *rows: Row, zone: str = "", policy: Row | None = None, **channel: Any):
        self.oracle = Oracle(0)
        self.records: list[Row] = []
        self.offset = 0
        self.zone = {**ZONES, **ODD_ZONES}[zone] if zone else UTC
        self.holidays: list[str] = []
        self.channel: Row = {"channel": "c", "kind": kind, "unit": "kWh", "interval_s": 1800, "grid_s": 1800}
        self.channel |= {"allowance_s": 0, "horizon_days": 20, "signed": False, "policy": POLICY | (policy or {})}
        self.channel |= channel
        self.rows_of = {"d": list(rows) or [register_row(kind)]}
        self.versions: dict[str, int] = {}
        self.configure("d")

    def apply(self, body: Row) -> None:
        """The next record; raw partition 0 unless it says otherwise."""
        record = {"v": 1, "supply_point": "sp", "raw": [0, self.offset], "sub": 0, "received_ms": LATER}
        record |= {"curated_offset": self.offset, "append_ms": self.offset} | body
        self.offset += 1
        self.records.append(record)
        self.oracle.apply(record)

    def configure(self, device: str, *rows: Row, reason: str = "CONFIGURATION_RESTATED", **channel: Any) -> None:
        self.channel |= channel
        if rows:
            self.rows_of[device] = list(rows)
        self.versions[device] = self.versions.get(device, 0) + 1
        calendar = {"site": "S", "time_zone": "Z", "utc_offsets": self.zone, "holidays": self.holidays}
        self.apply(
            {"type": "configuration", "device": device, "version": self.versions[device], "reason": reason}
            | {"registers": self.rows_of[device], "channels": [dict(self.channel)], "calendar": calendar}
        )

    def intervals(self, start: int, *quantities: int | None, **more: Any) -> None:
        body: Row = {"type": "intervals", "device": "d", "register": "r", "unit": "kWh", "start_ms": start}
        body |= {"interval_s": self.channel["interval_s"], "quantities_nano": list(quantities)}
        self.apply(body | {"quality": "ACTUAL", "version": 1} | more)

    def read(self, at: int, count: int, **more: Any) -> None:
        body: Row = {"type": "register", "device": "d", "register": "r", "unit": "kWh", "at_ms": at, "count": count}
        self.apply(body | {"decimals": 0, "quality": "ACTUAL", "version": 0} | more)

    def heartbeat(self, through: int, sequence: int, device: str = "d") -> None:
        body: Row = {"type": "heartbeat", "device": device, "complete_through_ms": through, "sequence": sequence}
        self.apply(body)

    def gate(self, until: int, partition: int = 0, partitions: int = 1, scope: str = "all", **more: Any) -> None:
        body: Row = {"type": "gate", "supply_point": "", "gate_id": "g", "scope": scope, "until_ms": until}
        self.apply(body | {"partitions": partitions, "raw": [partition, self.offset]} | more)

    def edit(self, action: str, **more: Any) -> None:
        body: Row = {"type": "edit", "device": "d", "channel": "c", "action": action, "person": "p", "reason": "seen"}
        self.apply(body | more)

    def restate(self, *rows: Row) -> None:
        body: Row = {"type": "restatement", "device": "d", "channel": "c", "rows": list(rows), "replay_id": "x"}
        self.apply(body | {"person": "p", "reason": "found"})

    # --- what came of it

    def rows(self, stream: str) -> list[Row]:
        check_conservation(self.oracle)
        return self.oracle.rows[stream]

    def column(self, stream: str, *names: str) -> list[Any]:
        """One column of a stream, or several as tuples."""
        rows = self.rows(stream)
        return [row[names[0]] if len(names) == 1 else tuple(row[name] for name in names) for row in rows]

    def verdicts(self) -> list[str]:
        return self.column("evidence", "verdict")

    def findings(self, *but: str) -> list[tuple[str, str]]:
        """Check id and severity of every finding, but for some checks."""
        return [said for said in self.column("findings", "check_id", "severity") if said[0] not in but]
