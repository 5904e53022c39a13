"""The files of a small house: a portfolio and what its meters and their owner sent, made from a fixed seed.

Flat A has a smart meter that sends half-hours: some twice, some never, one morning wrong and corrected after the bill. Flat B has a
submeter, whose totals stand in files here; the demonstration polls one over Modbus instead (`submeter.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

HALF_HOUR: Final = timedelta(minutes=30)
JANUARY: Final = datetime(2026, 1, 1, tzinfo=UTC)
FEBRUARY: Final = datetime(2026, 2, 1, tzinfo=UTC)
MARCH: Final = datetime(2026, 3, 1, tzinfo=UTC)
EXCHANGE: Final = datetime(2026, 1, 21, 10, 7, tzinfo=UTC)
REPORTED: Final = (datetime(2026, 1, 14, 6, tzinfo=UTC), datetime(2026, 1, 14, 11, tzinfo=UTC))
"""The morning that flat A's meter operator first reported wrong."""
GAPS: Final = (
    (datetime(2026, 1, 9, 3, tzinfo=UTC), datetime(2026, 1, 9, 4, tzinfo=UTC)),
    (datetime(2026, 1, 17, 12, tzinfo=UTC), datetime(2026, 1, 17, 18, tzinfo=UTC)),
)
ROLLS_AT: Final = 1_000_000  # 5 digits and a decimal

_PORTFOLIO: Final = """\
# Harbour House: two flats, one site. docs/portfolio.md says what each key means.
legal_entities:
  HARBOUR: { name: Harbour House Ltd, currency: GBP, invoice_series: HH }

sites:
  HARBOUR-HOUSE:
    time_zone: Europe/London
    holidays: [2026-01-01]
    timetable: { gate_after_days: 2, gate_at: 06:00 }

supply_points:
  FLAT-A: { channels: { E1: { interval: 30 } } }
  FLAT-B: { channels: { E1: { kind: totals, interval: 30 } } }

devices:
  SM-17: # the smart meter of flat A
    assignments: { supply_point: FLAT-A, from: 2026-01-01 }
    registers: { E1: { channel: E1, max_per_hour: 20 } }
{submeters}

accounts:
  ACC-A: { party_id: P-101, billing_from: 2026-01-01 }
  ACC-B: { party_id: P-102, billing_from: 2026-01-01 }

tenancies:
  - { account: ACC-A, supply_point: FLAT-A, from: 2026-01-01, tariff: DAY-NIGHT }
  - { account: ACC-B, supply_point: FLAT-B, from: 2026-01-01, tariff: DAY-NIGHT }

tariffs:
  DAY-NIGHT:
    versions:
      - effective_from: 2026-01-01
        energy:
          E1:
            bands: # of the bands that match a minute, the first prices it
              - { name: night, from: "00:30", to: "07:30", rate: 0.1290 }
              - { name: weekend, days: [sat, sun, holiday], rate: 0.2115 }
              - { name: day, rate: 0.2845 }
        standing_per_day: 0.4620
        tax: { name: VAT, rate: 0.05 }
"""

_BY_FILE: Final = """\
  SUB-4: # the submeter of flat B, exchanged on 21 January …
    assignments: { supply_point: FLAT-B, from: 2026-01-01, to: 2026-01-21 10:07 }
    registers: { T: { channel: E1, decimals: 1, digits: 6, max_per_hour: 20 } }
  SUB-9: # … by this one
    assignments: { supply_point: FLAT-B, from: 2026-01-21 10:07 }
    registers: { T: { channel: E1, decimals: 1, digits: 6, max_per_hour: 20 } }"""


def portfolio(submeters: str = _BY_FILE) -> str:
    """The portfolio, with the devices of flat B as YAML."""
    return _PORTFOLIO.replace("{submeters}", submeters)


@dataclass(frozen=True, slots=True)
class Files:
    """What the demonstration imports, in this order."""

    portfolio: Path
    january_a: Path
    january_b: Path
    corrected_a: Path
    february_a: Path
    february_b: Path


def write_files(folder: Path) -> Files:
    """Write the demonstration's files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    flat_a = dict(_load(Random("flat A"), JANUARY, MARCH, base=90))
    flat_b = list(_load(Random("flat B"), JANUARY, MARCH, base=130))
    files = Files(*(folder / name for name in _NAMES))
    files.portfolio.write_text(portfolio())
    _write(files.january_a, _INTERVALS, _reported(flat_a))
    _write(files.january_b, _REGISTERS, _registers(flat_b, JANUARY, FEBRUARY))
    _write(files.corrected_a, _INTERVALS, _corrected(flat_a))
    _write(files.february_a, _INTERVALS, (_interval(at, wh) for at, wh in flat_a.items() if at >= FEBRUARY))
    _write(files.february_b, _REGISTERS, _registers(flat_b, FEBRUARY, MARCH))
    return files


_NAMES: Final = (
    "portfolio.yaml",
    "flat-a-january.csv",
    "flat-b-january.csv",
    "flat-a-corrected.csv",
    "flat-a-february.csv",
    "flat-b-february.csv",
)
_INTERVALS: Final = "device,register,start,quantity,unit,interval_minutes"
_REGISTERS: Final = "device,register,at,total,unit"


def _write(path: Path, header: str, lines: Iterator[str]) -> None:
    path.write_text("\n".join([header, *lines]) + "\n")


def _load(rng: Random, start: datetime, end: datetime, base: int) -> Iterator[tuple[datetime, int]]:
    """Half-hours of a flat in Wh: low at night, a breakfast, a long evening, weekends at home."""
    at = start
    while at < end:
        hour = at.hour + at.minute / 60
        home = 2 if at.weekday() >= 5 and 9 <= hour < 17 else 1
        shape = 1 + 2.2 * (6.5 <= hour < 9) + 3.4 * (17 <= hour < 22.5)
        yield at, int(base * shape * home * rng.uniform(0.6, 1.5))
        at += HALF_HOUR


def _interval(at: datetime, wh: int) -> str:
    return f"SM-17,E1,{at:%Y-%m-%dT%H:%MZ},{wh / 1000:.3f},kWh,30"


def _reported(flat: dict[datetime, int]) -> Iterator[str]:
    """January as first sent: two gaps, a morning that shows four times the use, and a day sent twice."""
    for at, wh in flat.items():
        if at >= FEBRUARY or any(low <= at < high for low, high in GAPS):
            continue
        wrong = REPORTED[0] <= at < REPORTED[1]
        yield _interval(at, wh * 4 if wrong else wh)
        if at.date() == JANUARY.date() + timedelta(days=5):
            yield _interval(at, wh)


def _corrected(flat: dict[datetime, int]) -> Iterator[str]:
    """What came after the bill: the morning as it was, and the second gap."""
    for at, wh in flat.items():
        if REPORTED[0] <= at < REPORTED[1] or GAPS[1][0] <= at < GAPS[1][1]:
            yield _interval(at, wh)


def _registers(flat: list[tuple[datetime, int]], start: datetime, end: datetime) -> Iterator[str]:
    """Totals of flat B in 0.1 kWh: the first meter rolls over and ends in the exchange, the second begins at 0."""
    first_wh, second_wh = 99_874_300, 0
    for at, wh in flat:
        if start <= at <= end:
            if at <= EXCHANGE:
                yield _register("SUB-4", at, first_wh)
            else:
                yield _register("SUB-9", at, second_wh)
        before = max(min((EXCHANGE - at) / HALF_HOUR, 1.0), 0.0)
        if 0 < before < 1 and start <= EXCHANGE < end:
            yield _register("SUB-4", EXCHANGE, first_wh + int(wh * before))
            yield _register("SUB-9", EXCHANGE, 0)
        first_wh += int(wh * before)
        second_wh += wh - int(wh * before)
    if end == MARCH:
        yield _register("SUB-9", MARCH, second_wh)


def _register(device: str, at: datetime, wh: int) -> str:
    tenths = wh // 100 % ROLLS_AT
    return f"{device},T,{at:%Y-%m-%dT%H:%MZ},{tenths // 10}.{tenths % 10},kWh"
