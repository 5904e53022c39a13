"""16-bit words ↔ values, exactly. Pure.

A total is an integer of its last digit: an integer register is multiplied by a whole number, a float word becomes the exact decimal of
its bits and is quantised once, half-even.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from edge_collector.profile import (
    FINEST_DECIMALS,
    DataType,
    IdentitySpec,
    LoadProfileSpec,
    Order,
    RegisterSpec,
    ScaleSpec,
    TextEncoding,
)


class UnableToDecode(Exception):
    """Words that cannot be what the profile says, however the meter fares: the wrong number of them, or no scale."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """`count` last digits, `decimals` of them after the point; null when the words hold no number (`is_sentinel`)."""

    count: int | None
    decimals: int
    is_sentinel: bool


_EXACT: Final = Context(prec=1200, Emin=-9999, Emax=9999)
"""Wide enough for every float64, whose exact decimals have at most 767 significant digits, times any scale."""

_FLOATS: Final = {DataType.F32: ">f", DataType.F64: ">d"}


def decode(spec: RegisterSpec, words: Sequence[int], scale_words: Sequence[int] | None = None) -> Decoded:
    """The count in the words of one register. A negative total is given as it is; the caller judges it.

    `scale_words` are those of the scale register, where the profile has one; UnableToDecode when they are missing or no scale.
    """
    decimals = spec.decimals if spec.scale_register is None else decode_scale(spec.scale_register, scale_words)
    bits = assemble(spec.type, spec.order, words)
    if bits in spec.sentinels:
        return Decoded(None, decimals, True)
    if not spec.type.is_float:
        return Decoded(_integer(spec.type, bits) * spec.counts_per_raw, decimals, False)
    value = _float(spec.type, bits)
    if not math.isfinite(value):
        return Decoded(None, decimals, True)
    counts = _EXACT.divide(_EXACT.multiply(Decimal(value), spec.scale), spec.resolution)
    return Decoded(int(counts.to_integral_value(ROUND_HALF_EVEN, _EXACT)), decimals, False)


def decode_measurement(
    spec: RegisterSpec, words: Sequence[int], scale_words: Sequence[int] | None = None
) -> Decimal | None:
    """A measured value in the register's unit, with the digits that are published; null for a sentinel."""
    decoded = decode(spec, words, scale_words)
    return None if decoded.count is None else Decimal(decoded.count).scaleb(-decoded.decimals, _EXACT)


def decode_scale(scale: ScaleSpec, words: Sequence[int] | None) -> int:
    """Digits after the point. UnableToDecode when there are no words, or they say something else than 0 to 9."""
    if words is None:
        raise UnableToDecode(f"the scale register at {scale.address} has not been read")
    decimals = _integer(scale.type, assemble(scale.type, scale.order, words))
    if not 0 <= decimals <= FINEST_DECIMALS:
        raise UnableToDecode(f"the scale register at {scale.address} says {decimals} decimals")
    return decimals


def decode_identity(spec: IdentitySpec, words: Sequence[int]) -> str | None:
    """What the meter says it is; null when it says nothing (blanks, or all bits alike)."""
    _expect(len(words), spec.span.count)
    data = b"".join(word.to_bytes(2, "big") for word in _in_order(spec.order, words))
    if set(data) in ({0x00}, {0xFF}):
        return None
    match spec.encoding:
        case TextEncoding.ASCII:
            text = data.split(b"\0", 1)[0].decode("latin-1").strip()
            return text if text.isprintable() and text else None
        case TextEncoding.HEX:
            return data.hex()
        case TextEncoding.NUMBER:
            return str(int.from_bytes(data, "big"))


def decode_entry(
    load_profile: LoadProfileSpec, spec: RegisterSpec, words: Sequence[int], scale_words: Sequence[int] | None = None
) -> tuple[int, Decoded]:
    """(boundary in ms of UTC, total) of one place of the meter's load profile; `spec` is the profile's register of that name."""
    _expect(len(words), load_profile.stride)
    seconds = assemble(DataType.U32, load_profile.time_order, words[:2])
    return seconds * 1000, decode(spec, words[2 : 2 + spec.type.words], scale_words)


def encode(spec: RegisterSpec, count: int) -> tuple[int, ...]:
    """The words of a register that shows `count`; of a float register those of the float nearest to it, as a meter would show.

    ValueError for a count that the register cannot show.
    """
    if spec.type.is_float:
        return encode_float(spec, Decimal(count) * spec.resolution)
    raw, rest = divmod(count, spec.counts_per_raw)
    if rest or not spec.type.lowest <= raw <= spec.type.highest:
        raise ValueError(f"{spec.name}: {count} cannot be shown")
    return take_apart(spec.type, spec.order, raw % (1 << spec.type.bits))


def encode_float(spec: RegisterSpec, value: Decimal) -> tuple[int, ...]:
    """The words of a float register for a value in the register's unit, rounded to the nearest float."""
    raw = _EXACT.divide(value, spec.scale)
    data = struct.pack(_FLOATS[spec.type], float(raw))
    return take_apart(spec.type, spec.order, int.from_bytes(data, "big"))


def encode_scale(scale: ScaleSpec, decimals: int) -> tuple[int, ...]:
    return take_apart(scale.type, scale.order, decimals)


def encode_identity(spec: IdentitySpec, text: str) -> tuple[int, ...]:
    """The words that `decode_identity` reads as `text`. ValueError when it does not fit."""
    size = 2 * spec.span.count
    match spec.encoding:
        case TextEncoding.ASCII:
            data = text.encode("ascii").ljust(size, b"\0")
        case TextEncoding.HEX:
            data = bytes.fromhex(text.rjust(2 * size, "0"))
        case TextEncoding.NUMBER:
            data = int(text).to_bytes(size, "big")
    if len(data) != size:
        raise ValueError(f"{text!r} does not fit in {spec.span.count} words")
    words = [int.from_bytes(data[at : at + 2], "big") for at in range(0, size, 2)]
    return tuple(_in_order(spec.order, words))


def assemble(kind: DataType, order: Order, words: Sequence[int]) -> int:
    """The bits of a value as one unsigned integer."""
    _expect(len(words), kind.words)
    bits = 0
    for word in _in_order(order, words):
        bits = bits << 16 | word
    return bits


def take_apart(kind: DataType, order: Order, bits: int) -> tuple[int, ...]:
    """The words of which `assemble` makes these bits."""
    words = [bits >> shift & 0xFFFF for shift in range(kind.bits - 16, -1, -16)]
    return tuple(_in_order(order, words))


def _in_order(order: Order, words: Sequence[int]) -> list[int]:
    """From the wire's order to the value's or back: either swap is its own inverse, and they commute."""
    ordered = list(reversed(words)) if order.is_low_word_first else list(words)
    return [word >> 8 | (word & 0xFF) << 8 for word in ordered] if order.is_low_byte_first else ordered


def _integer(kind: DataType, bits: int) -> int:
    return bits - (1 << kind.bits) if bits > kind.highest else bits


def _float(kind: DataType, bits: int) -> float:
    value: float = struct.unpack(_FLOATS[kind], bits.to_bytes(kind.bits // 8, "big"))[0]
    return value


def _expect(words: int, wanted: int) -> None:
    if words != wanted:
        raise UnableToDecode(f"{words} words where {wanted} make a value")
