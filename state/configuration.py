"""What a supply point knows of its devices: effective-dated register spans and channel definitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from state.calendar import Calendar
from state.grid import LOCAL_DAY, Grid, Length, NoSuchGrid, make_grid

FOREVER: Final = 1 << 62
"""Stands for an open `to_ms`."""

INTERVALS: Final = "intervals"
TOTALS: Final = "totals"
SPANS: Final = "spans"
CHECK: Final = "check"
REGISTER_ROLES: Final = frozenset({TOTALS, SPANS, CHECK})
FEEDING_ROLES: Final = frozenset({INTERVALS, TOTALS, SPANS})
"""The roles whose spans make a channel's device its current one; a check register only watches."""


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """For [from_ms, to_ms) a device's register feeds a channel in one role."""

    device: str
    register: str
    channel: str
    role: str
    from_ms: int
    to_ms: int
    multiplier: int
    decimals: int
    digits: int | None
    nano_per_count: int
    max_nano_per_hour: int | None

    def covers(self, instant_ms: int) -> bool:
        """Half-open: the instant a span ends belongs to the next."""
        return self.from_ms <= instant_ms < self.to_ms

    def touches(self, instant_ms: int) -> bool:
        """Closed: a register read at either end speaks for the span."""
        return self.from_ms <= instant_ms <= self.to_ms


@dataclass(frozen=True, slots=True)
class Policy:
    """How holes are filled and what is suspicious; None switches a rule off."""

    interpolate_max_s: int | None
    like_days: int | None
    spike_factor: int | None
    zero_run_s: int | None


@dataclass(frozen=True, slots=True)
class ChannelDefinition:
    """One measured quantity of a supply point, on grids that never change."""

    channel: str
    kind: str
    unit: str
    interval_s: Length
    grid_s: Length
    allowance_s: int
    horizon_days: int
    signed: bool
    policy: Policy
    calendar: Calendar
    config_version: int
    native: Grid
    windows: Grid

    def unchangeable(self) -> tuple[object, ...]:
        """What no later configuration may change."""
        anchor = getattr(self.native, "anchor_ms", None)
        return self.kind, self.unit, self.interval_s, self.grid_s, self.horizon_days, anchor


@dataclass(frozen=True, slots=True)
class DeviceView:
    """One device as one supply point sees it."""

    device: str
    version: int
    reason: str
    spans: tuple[RegisterSpan, ...]
    channels: tuple[ChannelDefinition, ...]
    calendar: dict[str, Any]
    """As the record gave it."""


class UnableToConfigure(ValueError):
    """The configuration contradicts itself or what is in force; it is refused whole."""


class OverlapsAnother(UnableToConfigure):
    """It claims a time that another device of the supply point still holds; it may fit once that one gives way."""


def read_device_view(record: Mapping[str, Any], calendar: Calendar | None = None) -> DeviceView:
    """Interpret a curated `configuration` record; `UnableToConfigure` says what does not hold.

    `calendar`: the record's, if it has been read already.
    """
    device, version = str(record["device"]), int(record["version"])
    if calendar is None:
        calendar = Calendar(record["calendar"])
    channels = tuple(_read_channel(item, calendar, version) for item in record["channels"])
    spans = tuple(sorted((_read_span(item, device) for item in record["registers"]), key=lambda span: span.from_ms))
    known = {definition.channel: definition for definition in channels}
    for span in spans:
        if span.channel not in known:
            raise UnableToConfigure(f"register {span.register} feeds {span.channel}, which the record does not define")
    reason = str(record.get("reason") or "CONFIGURATION_RESTATED")
    covering = tuple(span for span in spans if span.from_ms < span.to_ms)
    return DeviceView(device, version, reason, covering, channels, calendar.source)


def _read_span(item: Mapping[str, Any], device: str) -> RegisterSpan:
    to_ms = item.get("to_ms")
    return RegisterSpan(
        device=device,
        register=str(item["register"]),
        channel=str(item["channel"]),
        role=str(item["role"]),
        from_ms=int(item["from_ms"]),
        to_ms=FOREVER if to_ms is None else int(to_ms),
        multiplier=int(item.get("multiplier") or 1),
        decimals=int(item.get("decimals") or 0),
        digits=item.get("digits"),
        nano_per_count=int(item.get("nano_per_count") or 1),
        max_nano_per_hour=item.get("max_nano_per_hour"),
    )


def _read_channel(item: Mapping[str, Any], calendar: Calendar, version: int) -> ChannelDefinition:
    interval_s, grid_s = item["interval_s"], item["grid_s"]
    if grid_s != LOCAL_DAY and (interval_s == LOCAL_DAY or int(grid_s) % int(interval_s)):
        raise UnableToConfigure(f"channel {item['channel']}: the billing grid is not a multiple of the interval")
    try:
        native, windows = make_grid(interval_s, calendar), make_grid(grid_s, calendar)
    except NoSuchGrid as error:
        raise UnableToConfigure(f"channel {item['channel']}: {error}") from error
    policy = item.get("policy") or {}
    return ChannelDefinition(
        channel=str(item["channel"]),
        kind=str(item["kind"]),
        unit=str(item["unit"]),
        interval_s=interval_s,
        grid_s=grid_s,
        allowance_s=int(item.get("allowance_s") or 0),
        horizon_days=int(item.get("horizon_days") or 35),
        signed=bool(item.get("signed")),
        policy=Policy(
            interpolate_max_s=policy.get("interpolate_max_s"),
            like_days=policy.get("like_days"),
            spike_factor=policy.get("spike_factor"),
            zero_run_s=policy.get("zero_run_s"),
        ),
        calendar=calendar,
        config_version=version,
        native=native,
        windows=windows if grid_s != interval_s else native,
    )


def refuse_overlaps(spans: Iterable[RegisterSpan]) -> None:
    """`UnableToConfigure` when two spans of a channel's quantity claim the same time, or a register feeds two."""
    last: dict[tuple[str, ...], RegisterSpan] = {}
    for span in sorted(spans, key=lambda item: (item.from_ms, item.to_ms)):
        keys: list[tuple[str, ...]] = [("register", span.device, span.register)]
        if span.role in FEEDING_ROLES:
            keys.append(("channel", span.channel))
        for key in keys:
            before = last.get(key)
            if before is not None and before.to_ms > span.from_ms:
                raise UnableToConfigure(f"{before.device}/{before.register} and {span.device}/{span.register} overlap")
            if before is None or span.to_ms > before.to_ms:
                last[key] = span
