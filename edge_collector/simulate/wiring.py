"""Which register of a simulated meter counts or measures what, by the names that all profiles share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from edge_collector.profile import Profile
from edge_collector.simulate.tenants import Load, Share, Tenant, load_of

_COUNTERS: Final = re.compile(r"(active_import|active_export|active_total|reactive_\w+?|input_\d)(_l[123]|_t[12])?")
_MEASURED: Final = re.compile(r"(voltage|current|power|frequency)(_l[123])?")

_INPUTS: Final = {"input_1": Tenant.WATER, "input_2": Tenant.GAS, "input_3": Tenant.WATER}
NOMINAL_V: Final = 230


@dataclass(frozen=True, slots=True)
class Sum:
    """Two loads together."""

    one: Load
    other: Load

    def total_micro(self, at_ms: int) -> int:
        return self.one.total_micro(at_ms) + self.other.total_micro(at_ms)

    def rate_micro_per_hour(self, at_ms: int) -> int:
        return self.one.rate_micro_per_hour(at_ms) + self.other.rate_micro_per_hour(at_ms)


def loads_for(profile: Profile, tenant: Tenant, seed: int) -> dict[str, Load]:
    """The load of every counting register, by name, for a tenant with this meter. A roof feeds in, and takes a little at night."""
    uses = load_of(Tenant.BASE_LOAD if tenant is Tenant.PV else tenant, seed)
    feeds_in = load_of(Tenant.PV if tenant is Tenant.PV else Tenant.NOTHING, seed)
    loads: dict[str, Load] = {}
    for number, spec in enumerate(profile.registers):
        found = _COUNTERS.fullmatch(spec.name)
        if not found:
            continue
        quantity, part = found.groups()
        whole = _load_of(quantity, uses, feeds_in, seed + number)
        loads[spec.name] = whole if part is None else Share(whole, *_share(part))
    return loads


def _load_of(quantity: str, uses: Load, feeds_in: Load, seed: int) -> Load:
    if quantity in _INPUTS:
        return load_of(_INPUTS[quantity], seed)
    return {
        "active_import": uses,
        "active_export": feeds_in,
        "active_total": Sum(uses, feeds_in),
        "reactive_import": Share(uses, 1, 4),
        "reactive_export": Share(feeds_in, 1, 20),
        "reactive_total": Sum(Share(uses, 1, 4), Share(feeds_in, 1, 20)),
    }[quantity]


def _share(part: str) -> tuple[int, int]:
    """The phases share alike; all is used in the first tariff."""
    return {"_t1": (1, 1), "_t2": (0, 1)}.get(part, (1, 3))


def measured(register: str, loads: Mapping[str, Load], at_ms: int) -> Decimal:
    """What a register that counts nothing shows, in V, A, W or Hz; it follows the loads and wobbles a little, the same at every asking.

    KeyError for a name that means nothing here.
    """
    found = _MEASURED.fullmatch(register)
    if not found:
        raise KeyError(register)
    quantity, phase = found.groups()
    wobble = at_ms // 7919 % 31 - 15
    power = _power(loads, at_ms) / (3 if phase and "active_import_l1" in loads else 1)
    return {
        "voltage": Decimal(10 * NOMINAL_V + wobble) / 10,
        "frequency": 50 + Decimal(wobble) / 1000,
        "power": power,
        "current": abs(power) / NOMINAL_V,
    }[quantity]


def _power(loads: Mapping[str, Load], at_ms: int) -> Decimal:
    """W, imported less exported."""
    milliwatts = sum(
        load.rate_micro_per_hour(at_ms) * (-1 if "export" in name else 1)
        for name, load in loads.items()
        if name in ("active_import", "active_export", "active_import_t1", "active_export_t1")
    )
    return Decimal(milliwatts) / 1000
