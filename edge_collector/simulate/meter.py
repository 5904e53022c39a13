"""A meter made from its profile: at any instant it shows exact totals, and answers for its registers as the vendor says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final

from edge_collector.profile import (
    DataType,
    IdentityRole,
    IdentitySpec,
    LoadProfileSpec,
    Profile,
    RegisterSpec,
    Span,
    TextEncoding,
)
from edge_collector.simulate.counters import Counters
from edge_collector.simulate.tenants import MICRO, Load
from edge_collector.simulate.wiring import measured
from edge_collector.words import encode, encode_float, encode_identity, encode_scale, take_apart

Words = tuple[int, ...]


class ExceptionCode(IntEnum):
    """Why a Modbus device gives no registers."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    BUSY = 6
    NOBODY_THERE = 11
    """A gateway's: the device behind it does not answer."""


class Refused(Exception):
    """The meter answers with an exception."""

    def __init__(self, code: ExceptionCode) -> None:
        super().__init__(code.name)
        self.code = code


class Unpowered(Exception):
    """The meter answers nothing."""


class Glitch(StrEnum):
    """What a meter may show for a moment instead of what it metered."""

    ZERO = "zero"
    ALL_ONES = "all_ones"


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, for those who compare: what the meter showed, and when, by its own time."""

    serial: str
    at_ms: int
    span: Span
    words: Words


class SimulatedMeter:
    """One device. `loads` are by register; a register without one is measured. Totals begin at `start_micro` when the meter is installed.

    `decimals` is what its scale registers say. A profile for meters behind a gateway is given `at_index`. `note` hears of every answer.
    """

    def __init__(
        self,
        profile: Profile,
        serial: str,
        loads: Mapping[str, Load],
        installed_ms: int,
        start_micro: Mapping[str, int] | None = None,
        decimals: int = 3,
        note: Callable[[Answered], None] | None = None,
    ) -> None:
        self.profile = profile
        self.decimals = decimals
        self.counters = Counters(loads, installed_ms, serial, start_micro or {})
        self._loads = loads
        self._note = note or (lambda _: None)
        self._fixed_blocks = {spec.block for spec in profile.identity if spec.block}

    def answer(self, span: Span, at_ms: int, glitch: Glitch | None = None) -> Words:
        """What the meter's registers hold; zero where it has none. Refused when the meter would not give them; Unpowered."""
        if not self.counters.is_counting(at_ms):
            raise Unpowered
        self._check(span)
        words = (0xFFFF,) * span.count if glitch is Glitch.ALL_ONES else self._words(span, at_ms, glitch)
        self._note(Answered(self.counters.serial(at_ms), at_ms, span, words))
        return words

    def count(self, register: str, at_ms: int) -> int:
        """The total in last digits of the register, floored and rolled over; a float register shows the float next to the unfloored."""
        spec = self.profile.register(register)
        decimals = spec.decimals if spec.scale_register is None else self.decimals
        return self._rolled(spec, self.counters.total_micro(register, at_ms) * 10**decimals // MICRO)

    def put(self, register: str, count: int, at_ms: int) -> None:
        """Let a register go on from this count: an extreme value, a reset, a total just below its rollover."""
        spec = self.profile.register(register)
        decimals = spec.decimals if spec.scale_register is None else self.decimals
        self.counters.put(at_ms, {register: count * MICRO // 10**decimals})

    def reset(self, at_ms: int) -> None:
        """All totals to zero, on the same meter."""
        self.counters.put(at_ms, dict.fromkeys(self._loads, 0))

    def near_rollover(self, register: str, at_ms: int) -> None:
        """Let an integer register show its highest count; at the next it has rolled over."""
        self.put(register, self._modulus(self.profile.register(register)) - 1, at_ms)

    def _check(self, span: Span) -> None:
        limits = self.profile.limits
        if span in self._fixed_blocks:
            return
        if not 1 <= span.count <= limits.most_words or span.count % limits.multiple_of:
            raise Refused(ExceptionCode.ILLEGAL_VALUE)
        if not limits.may_touch(span) or any(span.overlaps(block) for block in self._fixed_blocks):
            raise Refused(ExceptionCode.ILLEGAL_ADDRESS)

    def _words(self, span: Span, at_ms: int, glitch: Glitch | None) -> Words:
        words = [0] * span.count
        for spec in self.profile.registers:
            if span.overlaps(spec.span):
                _lay(words, span, spec.span, self._register(spec, at_ms, glitch))
        for identity in self.profile.identity:
            if span.overlaps(identity.span):
                _lay(words, span, identity.span, self._identity(identity, at_ms))
        for scale in self.profile.scales:
            if span.overlaps(scale.span):
                _lay(words, span, scale.span, encode_scale(scale, self.decimals))
        if self.profile.load_profile:
            self._lay_load_profile(words, span, self.profile.load_profile, at_ms)
        return tuple(words)

    def _register(self, spec: RegisterSpec, at_ms: int, glitch: Glitch | None) -> Words:
        if spec.name in self._loads:
            return (0,) * spec.type.words if glitch is Glitch.ZERO else self._total(spec, at_ms)
        value = measured(spec.name, self._loads, at_ms)
        if spec.type.is_float:
            return encode_float(spec, value)
        raw = round(value / spec.scale)
        return encode(spec, min(max(raw, spec.type.lowest), spec.type.highest) * spec.counts_per_raw)

    def _total(self, spec: RegisterSpec, at_ms: int) -> Words:
        if spec.type.is_float:
            return encode_float(spec, Decimal(self.counters.total_micro(spec.name, at_ms)) / MICRO)
        count = self.count(spec.name, at_ms)
        return encode(spec, count - count % spec.counts_per_raw)

    def _identity(self, spec: IdentitySpec, at_ms: int) -> Words:
        if spec.role is IdentityRole.SERIAL:
            return encode_identity(spec, self.counters.serial(at_ms))
        return encode_identity(spec, spec.expected[0] if spec.expected else "1")

    def _lay_load_profile(self, words: list[int], span: Span, ring: LoadProfileSpec, at_ms: int) -> None:
        spec = self.profile.register(ring.register)
        whole = Span(ring.function, ring.address, ring.stride * ring.entries)
        if not span.overlaps(whole):
            return
        first = max(0, (span.address - ring.address) // ring.stride)
        last = min(ring.entries - 1, (span.end - 1 - ring.address) // ring.stride)
        for place in range(first, last + 1):
            entry = self._entry(ring, spec, place, at_ms)
            _lay(words, span, Span(ring.function, ring.address + place * ring.stride, len(entry)), entry)

    def _entry(self, ring: LoadProfileSpec, spec: RegisterSpec, place: int, at_ms: int) -> Words:
        """The latest boundary that belongs in this place, and the total then; zeros if this meter was not there or had no power."""
        now = at_ms // (ring.interval_s * 1000)
        slot = now - (now - place) % ring.entries
        boundary_ms = slot * ring.interval_s * 1000
        if boundary_ms < self.counters.installed_ms(at_ms) or not self.counters.is_counting(boundary_ms):
            return (0,) * ring.stride
        seconds = take_apart(DataType.U32, ring.time_order, slot * ring.interval_s)
        return (*seconds, *self._total(spec, boundary_ms))

    def _rolled(self, spec: RegisterSpec, count: int) -> int:
        return count if spec.type.is_float and spec.digits is None else count % self._modulus(spec)

    def _modulus(self, spec: RegisterSpec) -> int:
        """The count at which the register begins again. ValueError for a float register that never does."""
        if spec.digits is not None:
            return 10**spec.digits
        if spec.type.is_float:
            raise ValueError(f"{spec.name}: a float register does not roll over")
        return (spec.type.highest + 1) * spec.counts_per_raw


_NUMBER_MODULUS: Final = 10**8


def serial_for(profile: Profile, number: int) -> str:
    """A serial number that the profile's register can show; "" for a meter that shows none."""
    spec = profile.identity_of(IdentityRole.SERIAL)
    if spec is None:
        return ""
    digits = f"{number % _NUMBER_MODULUS:0{4 * spec.span.count if spec.encoding is TextEncoding.HEX else 1}d}"
    return f"S{digits}" if spec.encoding is TextEncoding.ASCII else digits


def _lay(words: list[int], span: Span, own: Span, values: Words) -> None:
    """Put those of a register's words that the span asks for in their places."""
    for offset, value in enumerate(values):
        place = own.address + offset - span.address
        if 0 <= place < span.count:
            words[place] = value
