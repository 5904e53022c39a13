"""What a meter is to the collector: which words stand where, what they mean, and what may be asked of it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from edge_collector.reading import Priority

LAST_ADDRESS: Final = 0xFFFF
MOST_WORDS: Final = 125
"""Registers in one answer, by the Modbus specification."""

FINEST_DECIMALS: Final = 9
"""Quantities are carried in 10⁻⁹ of their unit; a finer digit could not be billed."""


class DataType(StrEnum):
    """How the bits of the words are to be read; the value is the name in a profile."""

    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"

    @property
    def bits(self) -> int:
        return int(self.value[1:])

    @property
    def words(self) -> int:
        return self.bits // 16

    @property
    def is_float(self) -> bool:
        return self.value[0] == "f"

    @property
    def lowest(self) -> int:
        """The lowest integer that the type holds."""
        return -(1 << (self.bits - 1)) if self.value[0] == "i" else 0

    @property
    def highest(self) -> int:
        """The highest integer that the type holds."""
        return (1 << (self.bits - (self.value[0] == "i"))) - 1


class Order(StrEnum):
    """In which order the bytes of a value come, A being the highest of four; with eight bytes the same is done to words and to
    the bytes of a word."""

    ABCD = "ABCD"
    """Highest word first, highest byte of each word first: as Modbus would have it."""
    CDAB = "CDAB"
    """Lowest word first, highest byte of each word first."""
    BADC = "BADC"
    """Highest word first, lowest byte of each word first."""
    DCBA = "DCBA"
    """Lowest word first, lowest byte of each word first."""

    @property
    def is_low_word_first(self) -> bool:
        return self in (Order.CDAB, Order.DCBA)

    @property
    def is_low_byte_first(self) -> bool:
        return self in (Order.BADC, Order.DCBA)


@dataclass(frozen=True, slots=True)
class Span:
    """`count` registers from the 0-based wire address `address`, read with function 3 (holding) or 4 (input)."""

    function: int
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.count

    def covers(self, other: Span) -> bool:
        return self.function == other.function and self.address <= other.address and other.end <= self.end

    def overlaps(self, other: Span) -> bool:
        return self.function == other.function and self.address < other.end and other.address < self.end

    def moved(self, by: int) -> Span:
        return replace(self, address=self.address + by)


@dataclass(frozen=True, slots=True)
class RegisterSpec:
    """One number that the meter shows.

    `scale` is the `unit`s of one raw count, exactly; `resolution` the last digit that is published, a power of ten not above one. An
    integer register is `raw × scale`, a whole number of `resolution`; a float one is `value × scale`, quantised to it. `sentinels` are
    bit patterns of the assembled value that mean "no value". With a `scale_register` the published count is the raw
    integer, and that register's value says how many of its digits stand after the point: `scale` and `resolution` are then one.
    After `digits` decimal digits of the count the register begins again at zero; null: it begins again when the type is full.
    """

    name: str
    function: int
    address: int
    type: DataType
    order: Order
    scale: Decimal
    unit: str
    resolution: Decimal
    priority: Priority
    sentinels: tuple[int, ...] = ()
    scale_register: ScaleSpec | None = None
    digits: int | None = None

    @property
    def span(self) -> Span:
        return Span(self.function, self.address, self.type.words)

    @property
    def decimals(self) -> int:
        """Digits of the count after the point; of a register with a dynamic point, what it has while that is zero."""
        return -int(self.resolution.as_tuple().exponent)

    @property
    def counts_per_raw(self) -> int:
        """Published counts in one raw count of an integer register; a whole number in every valid profile."""
        return int(self.scale / self.resolution)


@dataclass(frozen=True, slots=True)
class ScaleSpec:
    """Where the meter says how many digits of a count stand after the point: 0 to `FINEST_DECIMALS`."""

    function: int
    address: int
    type: DataType
    order: Order

    @property
    def span(self) -> Span:
        return Span(self.function, self.address, self.type.words)


class TextEncoding(StrEnum):
    """How an identity is written in its words."""

    NUMBER = "number"
    """An unsigned integer, published in decimal."""
    HEX = "hex"
    """An unsigned integer whose hexadecimal digits are what stands on the plate."""
    ASCII = "ascii"
    """Two characters a word, padded with NUL or blanks at the end."""


class IdentityRole(StrEnum):
    """What an identity register tells."""

    SERIAL = "serial"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class IdentitySpec:
    """Words that tell which meter answers. `block`: the meter gives them only within exactly this read.

    `expected`: how the model code of a meter begins that this profile is for; empty: any.
    """

    role: IdentityRole
    span: Span
    encoding: TextEncoding
    order: Order = Order.ABCD
    block: Span | None = None
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """What the meter bears in one request.

    `most_words` registers at most, a multiple of `multiple_of`; at most `gap` unwanted registers between two wanted ones. `readable`:
    the only registers that may be touched, wanted or not; empty: any, the vendor does not say or the meter answers zeros.
    """

    most_words: int = MOST_WORDS
    multiple_of: int = 1
    gap: int = 8
    readable: tuple[Span, ...] = ()

    def may_touch(self, span: Span) -> bool:
        return span.end <= LAST_ADDRESS + 1 and (not self.readable or any(one.covers(span) for one in self.readable))


@dataclass(frozen=True, slots=True)
class LoadProfileSpec:
    """Totals of past boundaries that the meter itself stores, in a ring of `entries` places, addressed by time.

    The total of `register` at boundary `b` (in seconds of UTC, a multiple of `interval_s`) stands in place `b / interval_s mod entries`,
    `stride` words long, from `address` on: its boundary as a u32 of seconds (`time_order`), then the total, typed like the register.
    A place that holds another boundary than the one asked for has been overwritten, or was never written.
    """

    register: str
    function: int
    address: int
    stride: int
    entries: int
    interval_s: int
    time_order: Order


@dataclass(frozen=True, slots=True)
class Blocks:
    """A gateway shows many meters alike: the registers of meter n begin at `base + n · stride`, n from 0 to `meters - 1`."""

    base: int
    stride: int
    meters: int


@dataclass(frozen=True, slots=True)
class GoldenFrame:
    """An exchange whose meaning is known: RTU ADUs, the values by register or role as text, and where they come from.

    A value of a register has as many digits after the point as are published; "none" is a sentinel.
    """

    request: bytes
    response: bytes
    origin: str
    values: Mapping[str, str]
    scale_words: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of meter. `name` is the file's; `document` and `revision` are the vendor's. Addresses of a `blocks` profile are
    relative to a meter's block; `at_index` makes them absolute."""

    name: str
    title: str
    document: str
    revision: str
    limits: Limits
    registers: tuple[RegisterSpec, ...]
    identity: tuple[IdentitySpec, ...] = ()
    load_profile: LoadProfileSpec | None = None
    blocks: Blocks | None = None
    golden: tuple[GoldenFrame, ...] = field(default=(), repr=False)

    def register(self, name: str) -> RegisterSpec:
        """By name. KeyError when the meter has no such register."""
        for spec in self.registers:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def identity_of(self, role: IdentityRole) -> IdentitySpec | None:
        return next((spec for spec in self.identity if spec.role == role), None)

    @property
    def billing(self) -> tuple[RegisterSpec, ...]:
        return tuple(spec for spec in self.registers if spec.priority is Priority.BILLING)

    @property
    def telemetry(self) -> tuple[RegisterSpec, ...]:
        return tuple(spec for spec in self.registers if spec.priority is Priority.TELEMETRY)

    @property
    def scales(self) -> tuple[ScaleSpec, ...]:
        """The distinct scale registers, in order of address."""
        found = {spec.scale_register for spec in self.registers if spec.scale_register is not None}
        return tuple(sorted(found, key=lambda scale: (scale.function, scale.address)))

    def at_index(self, index: int | None) -> Profile:
        """The profile of the meter with this number behind a gateway, its addresses absolute; of a meter that stands for itself,
        with null, the profile. ValueError for a number that the profile has no use or no room for."""
        if self.blocks is None:
            if index is not None:
                raise ValueError(f"{self.name}: the meter stands for itself; leave its index out")
            return self
        if index is None or not 0 <= index < self.blocks.meters:
            raise ValueError(f"{self.name}: give the meter's index behind the gateway, 0 to {self.blocks.meters - 1}")
        return _moved(self, self.blocks.base + index * self.blocks.stride)


def _moved(profile: Profile, by: int) -> Profile:
    """All addresses so much higher; golden frames belong to the first meter and stay with the unmoved profile."""
    load_profile = profile.load_profile
    return replace(
        profile,
        limits=replace(profile.limits, readable=tuple(span.moved(by) for span in profile.limits.readable)),
        registers=tuple(
            replace(
                spec,
                address=spec.address + by,
                scale_register=spec.scale_register
                and replace(spec.scale_register, address=spec.scale_register.address + by),
            )
            for spec in profile.registers
        ),
        identity=tuple(
            replace(spec, span=spec.span.moved(by), block=spec.block and spec.block.moved(by))
            for spec in profile.identity
        ),
        load_profile=load_profile and replace(load_profile, address=load_profile.address + by),
        blocks=None,
        golden=(),
    )
