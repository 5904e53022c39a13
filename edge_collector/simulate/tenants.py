"""Who uses what, when: loads that look like tenants, exact at any instant without a history.

A load is a rate that is constant within a quarter hour and repeats after four weeks, drawn once from a seed. Its total is a sum
of integers, so two askers at one instant get the same, and so does the same asker in another order.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Final, Protocol

SLOT_MS: Final = 900_000
HOUR_MS: Final = 3_600_000
SLOTS: Final = 4 * 7 * 96
PERIOD_MS: Final = SLOTS * SLOT_MS
MONDAY_MS: Final = 4 * 86_400_000
"""1970-01-05, a Monday, from which the weeks are counted."""

MICRO: Final = 1_000_000


class Load(Protocol):
    """Something that is used. Totals never fall; micro is 10⁻⁶ of the unit (mWh for kWh, ml for m³)."""

    def total_micro(self, at_ms: int) -> int:
        """All that was used since the beginning of time, floored."""
        ...

    def rate_micro_per_hour(self, at_ms: int) -> int:
        """How fast it is used now (mW for kWh)."""
        ...


class Tenant(StrEnum):
    """Shapes of use."""

    FLAT = "flat"
    OFFICE = "office"
    SHOP = "shop"
    BASE_LOAD = "base_load"
    PV = "pv"
    """What a roof feeds in."""
    WATER = "water"
    """m³ of a household, with a tap that drips at night."""
    GAS = "gas"
    NOTHING = "nothing"


class Repeating:
    """A load of `SLOTS` rates, again and again."""

    def __init__(self, rates_micro_per_hour: list[int]) -> None:
        if len(rates_micro_per_hour) != SLOTS or min(rates_micro_per_hour) < 0:
            raise ValueError(f"{SLOTS} rates, none below zero")
        self._rates = array("q", rates_micro_per_hour)
        self._before = array("q", [0, *accumulate(rate * SLOT_MS for rate in rates_micro_per_hour)])

    def total_micro(self, at_ms: int) -> int:
        periods, within_ms = divmod(at_ms - MONDAY_MS, PERIOD_MS)
        slot, slot_ms = divmod(within_ms, SLOT_MS)
        return (periods * self._before[-1] + self._before[slot] + slot_ms * self._rates[slot]) // HOUR_MS

    def rate_micro_per_hour(self, at_ms: int) -> int:
        return self._rates[(at_ms - MONDAY_MS) % PERIOD_MS // SLOT_MS]


class Nothing:
    """No use at all."""

    def total_micro(self, at_ms: int) -> int:
        return 0

    def rate_micro_per_hour(self, at_ms: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Share:
    """`parts` of `whole` of another load: a phase of three, the reactive energy that comes with the active."""

    of: Load
    parts: int
    whole: int

    def total_micro(self, at_ms: int) -> int:
        return self.of.total_micro(at_ms) * self.parts // self.whole

    def rate_micro_per_hour(self, at_ms: int) -> int:
        return self.of.rate_micro_per_hour(at_ms) * self.parts // self.whole


def load_of(tenant: Tenant, seed: int) -> Load:
    """The load of a tenant; another seed is another tenant of the kind, of another size and with other habits."""
    if tenant is Tenant.NOTHING:
        return Nothing()
    draw = random.Random(f"{tenant}/{seed}")
    size = MICRO * draw.uniform(0.6, 1.6)
    week = _week(tenant)
    return Repeating([round(week[slot % len(week)] * size * (0.5 + draw.random())) for slot in range(SLOTS)])


@cache
def _week(tenant: Tenant) -> list[float]:
    """Mean rates of the quarter hours from Monday on, in units per hour."""
    shape = _SHAPES[tenant]
    return [shape(quarter / 4, day >= 5) for day in range(7) for quarter in range(96)]


def _bump(hour: float, peak: float, width: float) -> float:
    return math.exp(-(((hour - peak) / width) ** 2))


def _flat(hour: float, is_weekend: bool) -> float:
    """kW: little at night, breakfast, and the evening."""
    return 0.12 + 0.5 * _bump(hour, 10 if is_weekend else 7.5, 1.5) + 0.9 * _bump(hour, 19.5, 2.5)


def _office(hour: float, is_weekend: bool) -> float:
    return 0.8 if is_weekend else 0.8 + 6.5 * _bump(hour, 12.5, 4.2) ** 0.5


def _shop(hour: float, _: bool) -> float:
    return 1.2 + (4.5 if 8.5 <= hour < 20 else 0)


def _base_load(_: float, __: bool) -> float:
    return 0.35


def _pv(hour: float, _: bool) -> float:
    return max(0.0, 6.0 * math.sin(math.pi * (hour - 6) / 13)) if 6 <= hour <= 19 else 0.0


def _water(hour: float, is_weekend: bool) -> float:
    """m³/h."""
    return 0.001 + 0.05 * _bump(hour, 9 if is_weekend else 7, 1) + 0.04 * _bump(hour, 20, 2)


def _gas(hour: float, _: bool) -> float:
    """m³/h."""
    return 0.05 + 0.7 * _bump(hour, 6.5, 1.5) + 0.4 * _bump(hour, 19, 3)


_SHAPES: Final[dict[Tenant, Callable[[float, bool], float]]] = {
    Tenant.FLAT: _flat,
    Tenant.OFFICE: _office,
    Tenant.SHOP: _shop,
    Tenant.BASE_LOAD: _base_load,
    Tenant.PV: _pv,
    Tenant.WATER: _water,
    Tenant.GAS: _gas,
}
