"""The units a channel can be metered in and a tariff priced in, which of them convert, and the smallest units of money.

Spelling is that of `connectors.quantity_text.canonical_unit`, since a read's unit must equal its channel's letter by letter. Gas and water
volumes do not convert to energy here: calorific value is a factor of its own, applied in SQL with its rounding stated.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

_SIZES: Final[dict[str, dict[str, str]]] = {
    "energy": {
        "Wh": "1",
        "kWh": "1000",
        "MWh": "1000000",
        "GWh": "1000000000",
        "J": "1/3600",
        "kJ": "1/3.6",
        "MJ": "1000/3.6",
        "GJ": "1000000/3.6",
    },
    "reactive energy": {"varh": "1", "kvarh": "1000", "Mvarh": "1000000"},
    "apparent energy": {"VAh": "1", "kVAh": "1000", "MVAh": "1000000"},
    # The US gallon is 231 cubic inches and the foot 0.3048 m, both exactly (NIST Handbook 44, appendix C).
    "volume": {"m3": "1", "L": "0.001", "gal": "0.003785411784", "ft3": "0.028316846592"},
    "unspecified": {"unspecified": "1"},
}

DIMENSIONS: Final = {unit: dimension for dimension, sizes in _SIZES.items() for unit in sizes}
"""Every unit, and what it measures. Power, voltage and the like are not on the list: their intervals do not add up."""

ELECTRICAL: Final = frozenset("Wh kWh MWh GWh varh kvarh Mvarh VAh kVAh MVAh".split())
"""Units that say by themselves that a channel measures electricity, unless it states another commodity."""

_MINOR_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}


def minor_digits(currency: str) -> int:
    """Decimal places of the smallest unit of a currency (ISO 4217), as `sql/models/ref_currencies.sql` has them."""
    return _MINOR_DIGITS.get(currency, 2)


def _size(text: str) -> Fraction:
    over, _, under = text.partition("/")
    return Fraction(over) / Fraction(under or "1")


def conversion(unit: str, into: str) -> Fraction | None:
    """How many `into` one `unit` is, exactly (1 MJ is 5/18 kWh); None when the two measure different things."""
    dimension = DIMENSIONS[unit]
    if DIMENSIONS[into] != dimension:
        return None
    return _size(_SIZES[dimension][unit]) / _size(_SIZES[dimension][into])


def comparable(unit: str, other: str) -> bool:
    """Whether a quantity can be held against a share of another one: units that convert, and electrical ones (kvarh against kWh)."""
    return conversion(unit, other) is not None or {unit, other} <= ELECTRICAL
