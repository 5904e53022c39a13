"""Words and values: exact both ways, against `struct` and fractions, which share no code with words.py."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from edge_collector.profile import (
    DataType,
    IdentityRole,
    IdentitySpec,
    LoadProfileSpec,
    Order,
    RegisterSpec,
    ScaleSpec,
    Span,
    TextEncoding,
)
from edge_collector.reading import Priority
from edge_collector.words import (
    UnableToDecode,
    assemble,
    decode,
    decode_entry,
    decode_identity,
    decode_measurement,
    encode,
    encode_identity,
    take_apart,
)

INTEGERS = [kind for kind in DataType if not kind.is_float]
FLOATS = [DataType.F32, DataType.F64]
CODES = dict(zip(DataType, "HhIiQqfd", strict=True))
ORDERS = {
    Order.ABCD: lambda data: data,
    Order.CDAB: lambda data: b"".join(reversed([data[at : at + 2] for at in range(0, len(data), 2)])),
    Order.BADC: lambda data: b"".join(data[at : at + 2][::-1] for at in range(0, len(data), 2)),
    Order.DCBA: lambda data: data[::-1],
}


def register(
    kind: DataType, order: Order = Order.ABCD, scale: str = "1", resolution: str = "1", **more
) -> RegisterSpec:
    return RegisterSpec(
        "total", 3, 0, kind, order, Decimal(scale), "kWh", Decimal(resolution), Priority.BILLING, **more
    )


def on_the_wire(kind: DataType, order: Order, value: float) -> tuple[int, ...]:
    """By struct alone: the bytes of the value, put in the wire's order."""
    data = ORDERS[order](struct.pack(">" + CODES[kind], value))
    return struct.unpack(f">{len(data) // 2}H", data)


@given(some.sampled_from(INTEGERS), some.sampled_from(Order), some.data())
def test_integers_come_out_whole(kind: DataType, order: Order, data: some.DataObject) -> None:
    raw = data.draw(
        some.one_of(some.integers(kind.lowest, kind.highest), some.sampled_from([kind.lowest, kind.highest]))
    )
    spec = register(kind, order, "0.01", "0.001")
    words = on_the_wire(kind, order, raw)
    assert decode(spec, words).count == 10 * raw
    assert encode(spec, 10 * raw) == words


@given(some.sampled_from(FLOATS), some.sampled_from(Order), some.floats(width=32), some.integers(0, 9))
def test_a_float_is_quantised_once_half_even(kind: DataType, order: Order, value: float, decimals: int) -> None:
    spec = register(kind, order, "0.001", str(Decimal(1).scaleb(-decimals)))
    decoded = decode(spec, on_the_wire(kind, order, value))
    if not math.isfinite(value):
        assert decoded.count is None and decoded.is_sentinel
        return
    exactly = Fraction(value) / 1000 * 10**decimals
    assert decoded.count == round(exactly)  # fractions round half to even
    assert decoded.decimals == decimals


@given(some.floats(allow_nan=False, allow_infinity=False))
def test_any_double_decodes_exactly(value: float) -> None:
    decoded = decode(register(DataType.F64, resolution="0.001"), on_the_wire(DataType.F64, Order.ABCD, value))
    assert decoded.count == round(Fraction(value) * 1000)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0.5, 0),
        (1.5, 2),
        (2.5, 2),
        (-0.5, 0),
        (-1.5, -2),
        (-0.0, 0),
        (1e9, 10**9),
        (16777217.0, 16777216),
        (3.4e38, None),
    ],
)
def test_ties_go_to_the_even_digit(value: float, count: int | None) -> None:
    words = on_the_wire(DataType.F32, Order.ABCD, value)
    expected = int(struct.unpack(">f", struct.pack(">f", value))[0]) if count is None else count
    assert decode(register(DataType.F32), words).count == expected


@given(some.sampled_from(DataType), some.sampled_from(Order), some.data())
def test_assembling_undoes_taking_apart(kind: DataType, order: Order, data: some.DataObject) -> None:
    bits = data.draw(some.integers(0, (1 << kind.bits) - 1))
    assert assemble(kind, order, take_apart(kind, order, bits)) == bits


@given(some.sampled_from(INTEGERS), some.data())
def test_a_sentinel_has_no_count(kind: DataType, data: some.DataObject) -> None:
    bits = data.draw(some.integers(0, (1 << kind.bits) - 1))
    other = data.draw(some.integers(0, (1 << kind.bits) - 1))
    assume(bits != other)
    spec = register(kind, sentinels=(bits,))
    assert decode(spec, take_apart(kind, Order.ABCD, bits)).count is None
    assert decode(spec, take_apart(kind, Order.ABCD, other)).count is not None


def test_a_negative_total_is_told_as_it_is() -> None:
    assert decode(register(DataType.I32, Order.CDAB, "0.1", "0.1"), (0xFFFF, 0xFFFF)).count == -1


def test_a_count_that_the_register_cannot_show_is_refused() -> None:
    spec = register(DataType.U16, scale="0.01", resolution="0.001")
    assert encode(spec, 655350) == (65535,)
    for count in (655360, -10, 655351):
        with pytest.raises(ValueError, match="cannot be shown"):
            encode(spec, count)


def test_a_dynamic_point_is_the_scale_registers() -> None:
    scale = ScaleSpec(3, 9, DataType.U16, Order.ABCD)
    spec = register(DataType.U32, Order.CDAB, scale_register=scale)
    decoded = decode(spec, (0xD687, 0x0012), (3,))
    assert (decoded.count, decoded.decimals) == (1234567, 3)
    assert decode_measurement(spec, (0xD687, 0x0012), (3,)) == Decimal("1234.567")
    for words in (None, (10,), (0xFFFF,)):
        with pytest.raises(UnableToDecode, match="scale register"):
            decode(spec, (0, 0), words)


def test_a_measurement_shows_its_digits() -> None:
    spec = register(DataType.F32, resolution="0.01")
    assert str(decode_measurement(spec, on_the_wire(DataType.F32, Order.ABCD, 230.0))) == "230.00"
    assert decode_measurement(spec, (0x7FC0, 0)) is None


@pytest.mark.parametrize("words", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_words_is_refused(words: tuple[int, ...]) -> None:
    with pytest.raises(UnableToDecode, match="words where 2"):
        decode(register(DataType.U32), words)


@pytest.mark.parametrize(
    ("encoding", "words", "text"),
    [
        (TextEncoding.NUMBER, (0x0103, 0xB972), "17021298"),
        (TextEncoding.HEX, (0x1506, 0x0001), "15060001"),
        (TextEncoding.ASCII, (0x424E, 0x3132, 0x3300), "BN123"),
        (TextEncoding.ASCII, (0x424E, 0x2020), "BN"),
        (TextEncoding.ASCII, (0x0000, 0x4142), None),
        (TextEncoding.ASCII, (0x0102, 0x0304), None),
        (TextEncoding.NUMBER, (0, 0), None),
        (TextEncoding.NUMBER, (0xFFFF, 0xFFFF), None),
    ],
)
def test_identities(encoding: TextEncoding, words: tuple[int, ...], text: str | None) -> None:
    spec = IdentitySpec(IdentityRole.SERIAL, Span(3, 0, len(words)), encoding)
    assert decode_identity(spec, words) == text
    if text is not None:
        assert decode_identity(spec, encode_identity(spec, text)) == text


def test_an_identity_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_identity(IdentitySpec(IdentityRole.SERIAL, Span(3, 0, 1), TextEncoding.ASCII), "ABC")


def test_a_place_of_the_load_profile() -> None:
    ring = LoadProfileSpec("total", 3, 40, 6, 256, 900, Order.ABCD)
    at_ms, decoded = decode_entry(ring, register(DataType.U64), struct.unpack(">6H", struct.pack(">IQ", 900, 7)))
    assert (at_ms, decoded.count) == (900_000, 7)
