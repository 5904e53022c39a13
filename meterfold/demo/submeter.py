"""Flat B's submeter in the demonstration: a simulated one on Modbus, polled every half-hour, exchanged in the middle of an interval.

The collector sees another serial number after the exchange, and sends the reads under a name of their own, `DEVICE@SERIAL`: they wait until
the portfolio says whose they are. What the fitter read off both meters comes in a file.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_collector.commands.simulate import INSTALLED_MS
from edge_collector.simulate.building import Building, draw_building
from edge_collector.simulate.clock import SteppedClock
from edge_collector.simulate.files import BILLED, billable_profiles
from edge_collector.simulate.meter import serial_for
from meterfold.demo.house import EXCHANGE, portfolio

SEED: Final = 7
DEVICE: Final = "meter-0001"
_AT: Final = int(EXCHANGE.timestamp() * 1000)
_SWAPPED: Final = f"swapped_meter@{EXCHANGE:%Y-%m-%dT%H:%MZ}"
_BUILDING: Final = ["--meters", "1", "--lines", "1", "--seed", str(SEED), "--no-telemetry"]
_FAULTS: Final = {
    "january": [
        "late_answer:100",
        "transient_zero@2026-01-09T03:55Z/2026-01-09T04:05Z",
        "dead_unit@2026-01-17T12:30Z/2026-01-17T15:30Z",
        _SWAPPED,
    ],
    "february": [_SWAPPED],
}
_MONTHS: Final = {
    "january": ("2026-01-01T00:00Z", "2026-02-01T00:00Z"),
    "february": ("2026-02-01T00:30Z", "2026-03-01T00:00Z"),
}
_FIRST: Final = """\
  {device}: # the submeter of flat B, on Modbus
    assignments: {{ supply_point: FLAT-B, from: 2026-01-01 }}
    registers: {{ {register}: {{ channel: E1, decimals: 3, max_per_hour: 20 }} }}"""
_EXCHANGED: Final = """\
  {device}: # the submeter of flat B, on Modbus, exchanged on 21 January …
    assignments: {{ supply_point: FLAT-B, from: 2026-01-01, to: {exchange} }}
    registers: {{ {register}: {{ channel: E1, decimals: 3, max_per_hour: 20 }} }}
  {new}: # … by this one: it answered with another serial number
    assignments: {{ supply_point: FLAT-B, from: {exchange} }}
    registers: {{ {register}: {{ channel: E1, decimals: 3, max_per_hour: 20 }} }}"""


@dataclass(frozen=True, slots=True)
class Submeter:
    """Files that the demonstration writes for it, and the name that the second meter's reads go by."""

    portfolio: Path
    exchanged: Path
    fitter: Path
    new: str


def write_submeter(folder: Path) -> Submeter:
    """Write the portfolio before and after the exchange, and the fitter's reads."""
    plans = draw_building(SEED, 1, 1, billable_profiles())
    meter = Building(plans, SteppedClock(INSTALLED_MS), INSTALLED_MS).meters[DEVICE]
    new = f"{DEVICE}@{serial_for(meter.profile, plans[0].meters[0].number + 7_000_000)}"
    files = Submeter(folder / "portfolio.yaml", folder / "portfolio-exchanged.yaml", folder / "exchange.csv", new)
    words = {"device": DEVICE, "new": new, "register": BILLED, "exchange": f"{EXCHANGE:%Y-%m-%d %H:%M}"}
    files.portfolio.write_text(portfolio(_FIRST.format(**words)))
    files.exchanged.write_text(portfolio(_EXCHANGED.format(**words)))
    last = meter.count(BILLED, _AT)
    files.fitter.write_text(
        "device,register,at,total,unit\n"
        f"{DEVICE},{BILLED},{EXCHANGE:%Y-%m-%dT%H:%MZ},{last // 1000}.{last % 1000:03},kWh\n"
        f"{new},{BILLED},{EXCHANGE:%Y-%m-%dT%H:%MZ},0.000,kWh\n"
    )
    return files


def polling(folder: Path, month: str) -> list[str]:
    """The command that lets a collector poll the meter through a month, in virtual time."""
    begin, end = _MONTHS[month]
    faults = [word for fault in _FAULTS[month] for word in ("--fault", fault)]
    return ["simulate", "--dir", str(folder), *_BUILDING, "--from", begin, "--until", end, *faults]
