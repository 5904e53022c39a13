"""What the codes of a Green Button ReadingType and ReadingQuality mean: unit, direction, power of ten, quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.csv_readings import QUALITIES
from connectors.dead_letter import UnableToInterpret
from connectors.quantity_text import NANO_DECIMALS, NANO_LIMIT

ASK = "Ask the data custodian what it means."
FIELDS = frozenset("accumulationBehaviour defaultQuality flowDirection intervalLength powerOfTenMultiplier uom".split())
"""Of a ReadingType; its others (commodity, kind, phase, currency, tou, tier …) change no quantity and are passed over."""

_UNITS = {72: "Wh", 71: "VAh", 73: "varh", 31: "J", 42: "m3", 119: "ft3", 128: "gal", 134: "L"}
_OTHER_UNITS = {5: "amperes", 29: "volts", 33: "hertz", 38: "watts", 61: "voltamperes", 63: "vars", 65: "power factor",
    132: "BTU", 169: "therms"}  # fmt: skip
_DIRECTIONS = {1: "import", 19: "export", 4: "net"}
_NOT_QUANTITIES = {2: "a continuous total", 3: "a running total", 6: "a gauge", 12: "an instantaneous value"}
_ACTUAL, _CALCULATED, _SUBSTITUTED, _ESTIMATED = QUALITIES[:4]
_QUALITY = {
    0: _ACTUAL, 7: _SUBSTITUTED, 8: _ESTIMATED, 9: _ESTIMATED, 10: _ESTIMATED, 11: _CALCULATED, 12: _ESTIMATED, 13: _ESTIMATED,
    14: _ACTUAL, 15: _CALCULATED, 16: _ESTIMATED, 17: _ACTUAL, 18: _ACTUAL, 19: _ACTUAL,
}  # fmt: skip
_MOST_DECIMALS = 18
_LONGEST = 18


@dataclass(frozen=True, slots=True)
class ReadingType:
    """What the readings of a channel have in common. A value counts 10^(`power` − 9) of `unit`; `interval_s` is that of readings
    which do not say, None: they must. `quality` is a code, that of readings without one."""

    unit: str
    direction: str
    power: int
    interval_s: int | None
    quality: str


def reading_type_of(fields: Mapping[str, str]) -> ReadingType:
    """The type in the `FIELDS` of a ReadingType. Raises `UnableToInterpret` for one whose readings are no quantities that we know."""
    uom = whole_of("unit of measure (uom)", fields.get("uom", ""))
    if uom not in _UNITS:
        known = ", ".join(f"{code} {unit}" for code, unit in _UNITS.items())
        called = f" ({_OTHER_UNITS[uom]})" if uom in _OTHER_UNITS else ""
        raise UnableToInterpret(
            "unknown_uom",
            f"The unit of measure is {uom}{called}, not one of those supported: {known}.",
            "Ask the data custodian for quantities in one of these.",
        )
    behaviour = whole_of("accumulationBehaviour", fields.get("accumulationBehaviour") or "4")
    if behaviour in _NOT_QUANTITIES:
        raise UnableToInterpret(
            "not_quantities",
            f"Readings of accumulationBehaviour {behaviour} are each {_NOT_QUANTITIES[behaviour]}, not the quantity of an interval.",
            "Ask the data custodian for delta data (4).",
        )
    multiplier = whole_of("powerOfTenMultiplier", fields.get("powerOfTenMultiplier") or "0")
    if abs(multiplier) > _MOST_DECIMALS:
        raise UnableToInterpret("bad_multiplier", f"A powerOfTenMultiplier of {multiplier} is impossible.", ASK)
    flow = whole_of("flowDirection", fields.get("flowDirection") or "0")
    length = fields.get("intervalLength")
    quality = fields.get("defaultQuality") or "0"
    quality_of(quality)
    return ReadingType(
        _UNITS[uom],
        _DIRECTIONS.get(flow, f"flow{flow}" if flow else ""),
        NANO_DECIMALS + multiplier,
        whole_of("intervalLength", length) if length else None,
        quality,
    )


def quality_of(code: str) -> str:
    """The contract's quality of a QualityOfReading code; of several, separated by spaces, the worst. Raises `UnableToInterpret`."""
    worst = 0
    for word in code.split():
        number = int(word) if word.isascii() and word.isdigit() and len(word) < 3 else -1
        if number not in _QUALITY:
            raise UnableToInterpret("unknown_quality", f"'{word[:20]}' is not a QualityOfReading code.", ASK)
        worst = max(worst, QUALITIES.index(_QUALITY[number]))
    return QUALITIES[worst]


def nano_of_count(value: int, power: int) -> int:
    """`value` × 10^(`power` − 9) of a unit in 10⁻⁹ of it, exactly. Raises `UnableToInterpret` for what that does not hold."""
    nano, rest = (value * 10**power, 0) if power >= 0 else divmod(value, 10**-power)
    if rest:
        raise UnableToInterpret(
            "too_fine",
            f"The value {value} × 10^{power - NANO_DECIMALS} has more than {NANO_DECIMALS} decimals.",
            "Ask the data custodian for a coarser multiplier.",
        )
    if abs(nano) >= NANO_LIMIT:
        raise UnableToInterpret(
            "out_of_range",
            f"The value {value} × 10^{power - NANO_DECIMALS} is out of range: a quantity stays below 1,000,000,000 of its unit.",
            "Is it a sentinel, or the multiplier wrong?",
        )
    return nano


def whole_of(what: str, text: str) -> int:
    """A whole number of at most 18 digits. Raises `UnableToInterpret`."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
        said = f"'{text[:40]}', not a whole number" if text else "not given"
        raise UnableToInterpret(
            "not_an_integer", f"The {what} is {said}.", "Ask the data custodian for the file again."
        )
    return int(text)
