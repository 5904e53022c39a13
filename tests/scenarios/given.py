"""The portfolio of a scenario: `given/portfolio.yaml`, and the files that a tape calls up later, as raw records."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.clock import Clock, length_s, seconds

Record = dict[str, Any]
Written = dict[str, Any]
_ROLES = ("intervals", "totals", "spans", "check")
_NANO = 10**9


def nano(text: str) -> int:
    """A quantity in billionths, exactly."""
    scaled = Decimal(text) * _NANO
    assert scaled == int(scaled), f"{text} has more than nine decimals"
    return int(scaled)


class Portfolio:
    """What the portfolio says by now; each file adds to the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.channels: dict[str, Written] = {}
        self.registers: dict[tuple[str, str], list[Written]] = {}
        self.since = ""
        self._site: Written = {}
        self._versions: dict[str, int] = {}

    def read(self, name: str) -> list[Record]:
        """The assignments and configurations that a file of `given/` puts into the log, in its order."""
        text = (self.folder / f"{name}.yaml").read_text(encoding="utf-8")
        written = yaml.load(text, yaml.BaseLoader)
        self._site = {"offsets": ["+00:00"], "holidays": [], **self._site, **(written.get("site") or {})}
        self.clock = Clock(self._site["offsets"])
        self.since = written.get("since", self.since)
        for channel, fields in (written.get("channels") or {}).items():
            self.channels[channel] = {**self.channels.get(channel, {}), **fields}
        records: list[Record] = []
        for meter, fields in (written.get("meters") or {}).items():
            records += self._meter(meter, fields, written.get("reason"))
        return records

    def slot_s(self, meter: str, register: str) -> int | str | None:
        """The slot length of the channel that a register feeds; None for a register nobody configured."""
        channel = self._channel_of(meter, register)
        return length_s(self.channels[channel]["slots"]) if channel else None

    def unit(self, meter: str, register: str) -> str:
        """The unit of the channel that a register feeds."""
        channel = self._channel_of(meter, register)
        return str(self.channels[channel]["unit"]) if channel else ""

    def a_meter_of(self, channel: str) -> str:
        """Some meter that feeds a channel: an edit is routed by one."""
        return next((meter for (meter, _), spans in self.registers.items() if _fed(spans[0])[1] == channel), "nobody")

    def _channel_of(self, meter: str, register: str) -> str | None:
        spans = self.registers.get((meter, register))
        return _fed(spans[0])[1] if spans else None

    def _meter(self, meter: str, fields: Written, reason: str | None) -> list[Record]:
        records = []
        self._versions[meter] = self._versions.get(meter, 0) + 1
        head = {"v": 1, "device": meter, "version": self._versions[meter], **({"reason": reason} if reason else {})}
        if "serves" in fields:
            records.append({**head, "type": "assignment", "spans": self._services(fields["serves"])})
        if "registers" in fields:
            records.append({**head, "type": "configuration", **self._configuration(meter, fields["registers"])})
        return records

    def _services(self, written: str | dict[str, str]) -> list[Record]:
        services = {written: f"{self.since} .."} if isinstance(written, str) else written
        spans = [(name, *self.clock.span(text)) for name, text in services.items()]
        return [{"supply_point": name, "from_ms": low, "to_ms": high} for name, low, high in spans]

    def _configuration(self, meter: str, written: Written) -> Record:
        for register, spans in written.items():
            self.registers[meter, register] = spans if isinstance(spans, list) else [spans]
        mine = {name: spans for (owner, name), spans in self.registers.items() if owner == meter and name in written}
        fed = {_fed(span)[1]: _fed(span)[0] for spans in mine.values() for span in spans if _fed(span)[0] != "check"}
        fed |= {_fed(span)[1]: "intervals" for spans in mine.values() for span in spans if _fed(span)[1] not in fed}
        return {
            "registers": [self._register(name, span) for name, spans in mine.items() for span in spans],
            "channels": [_channel(name, kind, self.channels[name]) for name, kind in fed.items()],
            "calendar": {
                "site": "site-1", "time_zone": self._site.get("zone", "UTC"),
                "utc_offsets": [list(row) for row in self.clock.utc_offsets], "holidays": self._site["holidays"],
            },
        }  # fmt: skip

    def _register(self, name: str, span: Written) -> Record:
        role, channel = _fed(span)
        from_ms, to_ms = self.clock.span(span.get("during", f"{self.since} .."))
        multiplier, face = int(span.get("multiplier", 1)), span.get("face", "")
        decimals = len(face.partition(".")[2])
        most = span.get("max_per_hour")
        return {
            "register": name, "channel": channel, "role": role, "from_ms": from_ms, "to_ms": to_ms,
            "multiplier": multiplier, "decimals": decimals, "digits": len(face.replace(".", "")) or None,
            "nano_per_count": _NANO // 10**decimals * multiplier, "max_nano_per_hour": nano(most) if most else None,
        }  # fmt: skip


def _fed(span: Written) -> tuple[str, str]:
    """(role, channel) of a register span: the one key that is a role."""
    return next((role, span[role]) for role in _ROLES if role in span)


def _channel(name: str, kind: str, written: Written) -> Record:
    slot_s = length_s(written["slots"])
    policy = {
        "interpolate_max_s": seconds(written["interpolate"]) if "interpolate" in written else None,
        "like_days": int(written["like_days"]) if "like_days" in written else None,
        "spike_factor": int(written["spike"]) if "spike" in written else None,
        "zero_run_s": seconds(written["zero_run"]) if "zero_run" in written else None,
    }
    return {
        "channel": name, "kind": kind, "unit": written["unit"], "interval_s": slot_s,
        "grid_s": length_s(written["windows"]) if "windows" in written else slot_s,
        "allowance_s": seconds(written.get("allowance", "0 s")),
        "horizon_days": seconds(written.get("horizon", "35 days")) // 86_400,
        "signed": written.get("signed") == "yes", "policy": policy,
    }  # fmt: skip
