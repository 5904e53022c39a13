"""Quantities as files write them: number text to exact integers, unit text to one spelling. No binary float on the way.

A quantity becomes an integer count of 10⁻⁹ of its unit (`nano`), a register total an integer count of its own last digit.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact

from connectors.dead_letter import UnableToInterpret

NANO_DECIMALS = 9
NANO_LIMIT = 10**18  # |quantity_nano| is below this: Decimal(18, 9)
COUNT_LIMIT = 2**63  # a register count is an int64
MAX_DECIMALS = 18

_TEN = [10**n for n in range(NANO_DECIMALS + 1)]
_LONGEST = 64  # characters of a number; no meter writes more, and it bounds the work
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
# Wide enough that nothing of `_LONGEST` characters and within the limits is ever rounded by the context itself.
_EXACT = Context(prec=120, traps=[Inexact])
_ROUNDING = Context(prec=120, rounding=ROUND_HALF_EVEN, traps=[])

# AEMO's list of units, plus the volumes and heat that other utilities deliver. Reactive energy is spelt kvarh, as IEC 80000-6 spells var.
_UNITS = (
    "Wh kWh MWh GWh varh kvarh Mvarh VAh kVAh MVAh W kW MW var kvar Mvar VA kVA MVA V kV A kA pf m3 L gal ft3 J kJ MJ GJ therm"
).split()
_CANONICAL = {unit.lower(): unit for unit in _UNITS} | {"m³": "m3", "ft³": "ft3"}
UNSPECIFIED = "unspecified"


def canonical_unit(text: str) -> str:
    """The unit in its one spelling (KWH, kwh → kWh; KVARH, kVArh → kvarh); nothing → `unspecified`; an unknown one as delivered."""
    text = text.strip()
    return _CANONICAL.get(text.lower(), text) or UNSPECIFIED


def nano_of(text: str) -> int:
    """Decimal text as an integer count of 10⁻⁹, exactly. `.005`, `5.`, `-1.5` and `2e3` are numbers; `1,5`, `1_0` and `NaN` are not.

    Raises `UnableToInterpret` for no number, for more than 9 decimals (zeros at the end aside) and for |quantity| ≥ 10⁹ of the unit.
    """
    whole, _, fraction = text.partition(".")
    digits = whole + fraction
    # isdigit alone would let other scripts' digits through; at most 9 digits each side cannot pass the limit.
    if len(whole) <= NANO_DECIMALS and len(fraction) <= NANO_DECIMALS and digits.isdigit() and digits.isascii():
        return int(digits) * _TEN[NANO_DECIMALS - len(fraction)]
    number = _decimal(text)
    if number and number.adjusted() >= NANO_DECIMALS:
        raise _out_of_range(text, "a quantity stays below 1,000,000,000 of its unit")
    try:
        return int(number.scaleb(NANO_DECIMALS, _EXACT).to_integral_exact(context=_EXACT))
    except Inexact:
        raise UnableToInterpret(
            "too_fine",
            f"'{text}' has more than {NANO_DECIMALS} decimals.",
            "Round it at the source, or deliver a larger unit.",
        ) from None


class NanoByText(dict[str, int]):
    """`nano_of` by lookup, for readers of many numbers: meters write the same ones again and again."""

    LIMIT = 100_000  # numbers kept

    def __missing__(self, text: str) -> int:
        self[text] = nano = nano_of(text.strip())
        return nano

    def trim(self) -> None:
        """Forgets all beyond the limit; call it now and then, so that memory does not grow with the file."""
        if len(self) > self.LIMIT:
            self.clear()


def count_of(text: str, resolution_decimals: int | None = None) -> tuple[int, int]:
    """A register total as (count, decimals): count × 10^−decimals is the number in the text.

    Without `resolution_decimals` the text decides (`1.50` has 2) and nothing is rounded. With it, the number is quantised
    once, half-even, to that many decimals. Negative totals are passed on. Raises `UnableToInterpret` for no number, for more than
    18 decimals, and for a count beyond int64.
    """
    number = _decimal(text)
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # _decimal lets no NaN and no infinity through
    decimals = max(0, -exponent) if resolution_decimals is None else resolution_decimals
    if decimals > MAX_DECIMALS:
        raise UnableToInterpret(
            "too_fine",
            f"'{text}' has {decimals} decimals; a register total has at most {MAX_DECIMALS}.",
            "State the register's own resolution, so that totals are rounded to it once.",
        )
    # Before the power of ten is written out: 1e9999 is short text and a very long integer.
    if number and number.adjusted() + decimals > MAX_DECIMALS:
        raise _out_of_range(text, f"with {decimals} decimals its count does not fit 64 bits")
    count = int(number.scaleb(decimals, _ROUNDING).to_integral_value(context=_ROUNDING))
    if not -COUNT_LIMIT <= count < COUNT_LIMIT:
        raise _out_of_range(text, f"with {decimals} decimals its count does not fit 64 bits")
    return count, decimals


def _decimal(text: str) -> Decimal:
    """The text as a Decimal, every digit kept; refuses what Decimal() would take but no meter means (NaN, 1_000, other scripts)."""
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        shown = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        raise UnableToInterpret(
            "not_a_number",
            f"'{shown}' is not a number." if text else "The number is missing.",
            "Write it with a point and no separators, as in 1234.5.",
        )
    return Decimal(text)


def _out_of_range(text: str, bound: str) -> UnableToInterpret:
    return UnableToInterpret(
        "out_of_range", f"'{text}' is out of range: {bound}.", "Check the unit, or leave the sentinel value out."
    )
