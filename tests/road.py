"""The road without its engine: raw records through routing and the fold, in memory, for tests of what they decide."""

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.codec import UnableToDecode, decode_raw, encode
from state.fold import Fold
from state.outputs import COLUMNS, Outputs
from state.routing import Held, Routed, Router

Record = Mapping[str, Any]
LATE_MS = 4_000_000_000_000
"""A time of receipt after everything: nothing is future-dated."""


class Road:
    """One raw partition, one curated partition, every record received at `received_ms`."""

    def __init__(self, received_ms: int = LATE_MS) -> None:
        self.received_ms = received_ms
        self.router = Router(0)
        self.fold = Fold(0)
        self.out = Outputs()
        self.held: list[Held] = []
        self.dead: list[str] = []
        self._log: list[dict[str, Any]] = []
        self._curated = 0

    def send(self, records: Iterable[Record]) -> "Road":
        """Receive raw records in order."""
        for record in records:
            offset = len(self._log)
            try:
                decoded = decode_raw(encode(record))
            except UnableToDecode as error:
                self.router.dead_letter()
                self.dead.append(str(error))
                self._log.append({})
                continue
            self._log.append(decoded)
            routed = Routed()
            carrier = self.router.route(decoded, offset, self.received_ms, routed)
            for request in routed.again:
                wanted = [at for _, at in request.coordinates] or range(request.first_offset, request.before_offset)
                for at in wanted:
                    old = self._log[at]
                    if old.get("device") == request.device and old["type"] in ("interval", "window", "day", "register"):
                        self.router.republish(old, at, self.received_ms, request, carrier, routed)
            self.held += routed.held
            for _, curated in routed.curated:
                self.fold.apply(curated, self._curated, self.received_ms, self.out)
                self._curated += 1
        return self

    def gate(self, until_ms: int, scope: str = "all") -> "Road":
        """Close everything before an instant."""
        return self.send([gate(until_ms, scope)])

    def rows(self, stream: str) -> list[dict[str, Any]]:
        """What one stream holds by now, as dictionaries."""
        return [dict(zip(COLUMNS[stream], row, strict=True)) for row in getattr(self.out, stream)]

    def current(self, supply_point: str, channel: str) -> dict[int, int]:
        """Start to quantity: each determinant with its adjustments."""
        mine = (supply_point, channel)
        found = {
            row["start_ms"]: row["quantity_nano"]
            for row in self.rows("determinants")
            if (row["supply_point"], row["channel"]) == mine
        }
        for row in self.rows("adjustments"):
            if (row["supply_point"], row["channel"]) == mine:
                found[row["start_ms"]] += row["delta_nano"]
        return found


def gate(until_ms: int, scope: str = "all") -> dict[str, Any]:
    """A gate for a log of one partition."""
    return {
        "v": 1, "type": "gate", "gate_id": f"{scope}@{until_ms}", "scope": scope, "until_ms": until_ms, "partitions": 1,
    }  # fmt: skip


def assignment(device: str, *spans: tuple[str, int, int | None], version: int = 1, **more: Any) -> dict[str, Any]:
    """A device's timeline: (supply point, from, to) each."""
    services = [{"supply_point": name, "from_ms": low, "to_ms": high} for name, low, high in spans]
    return {"v": 1, "type": "assignment", "device": device, "version": version, "spans": services, **more}


def register(name: str, channel: str, role: str, from_ms: int, to_ms: int | None = None, **more: Any) -> dict[str, Any]:
    """A register span of a configuration."""
    return {"register": name, "channel": channel, "role": role, "from_ms": from_ms, "to_ms": to_ms, **more}


def channel(name: str, interval_s: int | str = 1800, kind: str = "intervals", **more: Any) -> dict[str, Any]:
    """A channel of a configuration; no allowance, the usual policy."""
    policy = {"interpolate_max_s": 7200, "like_days": 3, "spike_factor": None, "zero_run_s": None}
    return {
        "channel": name, "kind": kind, "unit": "kWh", "interval_s": interval_s, "grid_s": interval_s, "allowance_s": 0,
        "horizon_days": 35, "signed": False, "policy": policy, **more,
    }  # fmt: skip


def configuration(
    device: str,
    registers: list[dict[str, Any]],
    channels: list[dict[str, Any]],
    version: int = 1,
    utc_offsets: list[list[int]] | None = None,
    holidays: Iterable[str] = (),
    **more: Any,
) -> dict[str, Any]:
    """A configuration on a clock of its own; UTC unless offsets are given."""
    calendar = {
        "site": "site-1", "time_zone": "test", "utc_offsets": utc_offsets or [[0, 0]], "holidays": list(holidays),
    }  # fmt: skip
    return {
        "v": 1, "type": "configuration", "device": device, "version": version, "registers": registers,
        "channels": channels, "calendar": calendar, **more,
    }  # fmt: skip
