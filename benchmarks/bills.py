"""`python -m benchmarks.bills --points 10000 30000`: a month of bills for so many supply points of half-hours, and where the seconds go.

No meter is read for it: accounts, tenancies, determinants and adjustments are synthesised straight into the tables, from hashes of their
numbers. As in `make bench`, 0.5 % of the windows were estimated (outages of four hours) and 0.2 % adjusted since. The bills are made by
`run_bills`, as every run's are: rated, written into a billing log in files, projected, closed, made into documents. The tariff has three
time-of-use bands, two tiers, a demand charge of the evenings, a standing charge and a tax. Every account must have a document, and the
lines of some must be the oracle's.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.measuring import peak_mb
from connectors.clickhouse import Rows, Session, Store
from connectors.clickhouse_columns import Column
from connectors.file_log import LogWriter, create_topic
from connectors.texts import Texts
from meterfold.billing.documents import Document, documents
from meterfold.billing.log import FileBillingLog
from meterfold.billing.project import project
from meterfold.billing.run import run_bills
from meterfold.store import migrate
from tests.integration.billing_world import World, band, midnight_ms, ms
from tests.integration.charges_oracle import Truth, rated

ZONE: Final = "Europe/London"
FIRST, LAST = date(2024, 1, 1), date(2024, 2, 1)
NOW: Final = ms("2024-02-02T00:00Z")
CHECKED: Final = 10
"""Accounts whose lines the oracle works out too."""

TARIFF: Final[dict[str, Any]] = {
    "version": "1",
    "effective_from": "2023-01-01",
    "charges": [
        {
            "name": "Energy", "kind": "energy", "quantity": {"channel": "E", "unit": "kWh"},
            "bands": [
                band("peak", "0.41", days=["mon", "tue", "wed", "thu", "fri"], from_="16:00", to="19:00"),
                band("night", "0.14", to="07:00"), band("day", "0.27"),
            ],
        },
        {
            "name": "Grid", "kind": "tiers", "quantity": {"channel": "E", "unit": "kWh"}, "scheme": "graduated",
            "tiers": [{"up_to": "300", "rate": "0.081"}, {"up_to": None, "rate": "0.067"}],
        },
        {
            "name": "Evening demand", "kind": "demand", "quantity": {"channel": "E", "unit": "kW"}, "measure": "maximum", "rate": "3.25",
            "when": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "16:00", "to": "19:00"}],
        },
        {"name": "Service", "kind": "standing", "rate": "0.4567", "per": "day"},
    ],
    "taxes": [{"name": "VAT", "rate": "0.05"}],
}  # fmt: skip


class TimedSession(Session):
    """Adds up the seconds of every statement, by the table it makes."""

    def __init__(self, session: Session, seconds: dict[str, float]) -> None:
        super().__init__(session._client)
        self._seconds = seconds

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> Rows:
        with _adding(self._seconds, "other queries"):
            return super().query(sql, params)

    def texts(self, sql: str, params: Mapping[str, Any] | None = None) -> Texts:
        with _adding(self._seconds, "read the payloads"):
            return super().texts(sql, params)

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        found = re.search(r"(?:TEMPORARY TABLE (?:IF EXISTS )?|INSERT INTO )(\w+)", sql)
        with _adding(self._seconds, found[1] if found else "other queries"):
            super().command(sql, params)


class TimedStore(Store):
    """A store that knows what its time went into."""

    def __init__(self, path: Path) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        super().__init__(path)

    @contextmanager
    def session(self) -> Iterator[Session]:
        with super().session() as session:
            yield TimedSession(session, self.seconds)

    @contextmanager
    def beside(self) -> Iterator[Session]:
        with super().beside() as session:
            yield TimedSession(session, self.seconds)

    def insert_blocks(self, table: str, blocks: Sequence[Mapping[str, Column]]) -> int:
        with _adding(self.seconds, f"insert {table}"):
            return super().insert_blocks(table, blocks)


class TimedLog(FileBillingLog):
    """A billing log that knows how long it took to append and to flush."""

    def __init__(self, writer: LogWriter, directory: Path, seconds: dict[str, float]) -> None:
        super().__init__(writer, directory, lambda: NOW)
        self._seconds = seconds

    def append_together(self, key: bytes, payloads: Sequence[bytes]) -> NDArray[np.int64]:
        with _adding(self._seconds, "append to the log"):
            return super().append_together(key, payloads)

    def flush(self) -> None:
        with _adding(self._seconds, "flush the log"):
            super().flush()


@contextmanager
def _adding(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - started


def main() -> int:
    """Measure every size in a process of its own; 1 when something disagreed."""
    parser = ArgumentParser(prog="python -m benchmarks.bills", description="Seconds of a month's bills.")
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 30_000, 100_000], help="supply points")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()), help="where tables and logs lie meanwhile"
    )
    parser.add_argument("--alone", type=int, help="one size, in this process, as JSON")
    given = parser.parse_args()
    if given.alone:
        root = Path(tempfile.mkdtemp(prefix="bench-bills-", dir=given.work))
        try:
            print(json.dumps(measure(given.alone, root)))
        finally:
            shutil.rmtree(root)
        return 0
    found = []
    for points in given.points:
        command = [sys.executable, "-m", "benchmarks.bills", "--alone", str(points), "--work", str(given.work)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr[-3000:], file=sys.stderr)
            return 1
        found.append(json.loads(done.stdout))
        print(_table(found[-1]), flush=True)
    print(_growth(found))
    return 0


def measure(points: int, root: Path) -> dict[str, Any]:
    """Synthesise, run, check; the figures."""
    create_topic(root / "billing", 1)
    writer = LogWriter(root / "billing")
    with TimedStore(root / "store") as store:
        migrate(store)
        log = TimedLog(writer, root / "billing", store.seconds)
        world = World(store, log, zone=ZONE)
        world.entity()
        world.site()
        world.tariff("TF", TARIFF)
        synthesise(store, log, points)
        project(store, log)
        store.close()
        store.seconds.clear()
        before_mb, started, started_cpu = peak_mb(), time.perf_counter(), time.process_time()
        result = run_bills(store, log, NOW)
        wall_s, cpu_s = time.perf_counter() - started, time.process_time() - started_cpu
        seconds = dict(store.seconds)
        assert result.blocked == (), result.blocked[:3]
        assert len(result.documents) == points
        check(store, result.documents)
    writer.close()
    lines = sum(len(document.lines) for document in result.documents)
    return {
        "points": points, "windows": points * _windows(), "lines": lines, "wall_s": wall_s, "cpu_s": cpu_s, "seconds": seconds,
        "peak_mb": peak_mb(), "before_mb": before_mb,
    }  # fmt: skip


def _windows() -> int:
    return (midnight_ms(LAST, ZONE) - midnight_ms(FIRST, ZONE)) // 1_800_000


def synthesise(store: Store, log: FileBillingLog, points: int) -> None:
    """Accounts, supply points, tenancies, and, made by ClickHouse from numbers, determinants and adjustments."""
    bodies = {
        "account": {
            "legal_entity": "LE", "party_id": "P-@", "currency": "GBP", "billing_from": str(FIRST), "opening_position": "0.00",
            "calendar": {"kind": "monthly", "day": 1},
        },
        "supply_point": {
            "site": "SITE", "channels": [{"channel": "E", "unit": "Wh", "grid_s": 1800, "kind": "intervals"}],
        },
        "tenancy": {"account": "A@", "supply_point": "SP@", "from": str(FIRST), "to": None, "tariff": "TF"},
    }  # fmt: skip
    prefixes = {"account": "A", "supply_point": "SP", "tenancy": "T"}
    for kind, body in bodies.items():
        text = orjson.dumps(
            {
                "v": 1,
                "type": "reference",
                "kind": kind,
                "id": f"{prefixes[kind]}@",
                "version": 1,
                "body": body,
                "ended": None,
            }
        )
        log.append_together(b"LE", [text.replace(b"@", b"%07d" % number) for number in range(points)])
    log.flush()
    at_once = 5_000
    for first in range(0, points, at_once):
        params = {
            "first": first, "count": min(at_once, points - first) * _windows(), "windows": _windows(),
            "start_ms": midnight_ms(FIRST, ZONE), "days": _windows() // 48,
            "day_count": min(at_once, points - first) * (_windows() // 48),
        }  # fmt: skip
        store.command(_DETERMINANTS, params)
        store.command(_ADJUSTMENTS, params)
    store.insert(
        "frontier",
        {"kind": ["fold"] * 8, "partition": list(range(8)), "next_offset": [2**40] * 8, "known_at_ms": [1] * 8},
    )
    while store.query("SELECT count() FROM system.merges").rows[0][0]:
        time.sleep(0.5)


_WINDOW: Final = """
    'SP' || leftPad(toString({first:UInt64} + intDiv(number, {windows:UInt64})), 7, '0') AS supply_point,
    'E' AS channel,
    toInt64({start_ms:Int64} + (number % {windows:UInt64}) * 1800000) AS start_ms,
    start_ms + 1800000 AS end_ms,
    'Wh' AS unit,
    cityHash64(supply_point, start_ms) AS hash,
    toInt64(hash % 1000) * 1000000000 AS quantity_nano,
    cityHash64(supply_point) % 8 AS curated_partition
"""
_DETERMINANTS: Final = """
INSERT INTO determinant_stretches (
    supply_point, channel, start_ms, length_ms, unit, quantities_nano, n_actual, n_estimated, quality, hardened_by, cause_subs,
    rule_version, known_at_ms, curated_partition, curated_offset
)
WITH
    days AS
    (
        SELECT
            'SP' || leftPad(toString({first:UInt64} + intDiv(number, {days:UInt64})), 7, '0') AS supply_point,
            toInt64({start_ms:Int64} + (number % {days:UInt64}) * 86400000) AS day_ms,
            arrayMap(place -> cityHash64(supply_point, toInt64(day_ms + place * 1800000)), range(48)) AS hashes,
            intHash32(number + {first:UInt64} * {days:UInt64}) AS fate,
            if(fate % 33 = 0, intHash32(fate) % 40, 48) AS fails_at,
            arrayMap(place -> place BETWEEN fails_at AND fails_at + 7, range(48)) AS estimated,
            arrayPopBack(arrayPushFront(estimated, estimated[1])) AS before,
            arraySplit((place, now, was) -> now != was, range(48), estimated, before) AS stretches,
            number
        FROM numbers({day_count:UInt64})
    )
SELECT
    supply_point, 'E', toInt64(day_ms + stretch[1] * 1800000), 1800000, 'Wh',
    arrayMap(place -> toInt64(hashes[place + 1] % 1000) * 1000000000, stretch), NOT estimated[stretch[1] + 1], estimated[stretch[1] + 1],
    if(estimated[stretch[1] + 1], 'ESTIMATED', 'ACTUAL'), 'read', stretch, 1, 1, cityHash64(supply_point) % 8,
    number + {first:UInt64} * {days:UInt64}
FROM days
ARRAY JOIN stretches AS stretch
"""
"""A list a day hardened its windows; one in 33 lacked eight of them in a row, so that it is two or three stretches."""
_ADJUSTMENTS: Final = f"""
INSERT INTO adjustments (
    supply_point, channel, start_ms, end_ms, revision, unit, old_nano, new_nano, delta_nano, n_actual, quality, reason, rule_version,
    known_at_ms, curated_partition, curated_offset
)
SELECT
    supply_point, channel, start_ms, end_ms, 1, unit, quantity_nano, quantity_nano + delta,
    toInt64(intHash32(hash) % 99 + 1) * 1000000000 AS delta, 1, 'ACTUAL', 'CORRECTED_READ', 1, 1, curated_partition, 1000000000 + number
FROM (SELECT number, {_WINDOW} FROM numbers({{count:UInt64}}))
WHERE intHash32(hash) % 500 = 0
"""


def check(store: Store, made: tuple[Document, ...]) -> None:
    """The lines of some accounts are what the oracle works out from the same windows."""
    some = [document.account for document in made[:: max(1, len(made) // CHECKED)]]
    truth = Truth(ZoneInfo(ZONE), set(), "GBP", LAST)
    truth.tariffs["TF"] = [TARIFF]
    for account in some:
        point = account.replace("A", "SP")
        truth.tenancies[account] = {
            "account": account, "supply_point": point, "from": str(FIRST), "to": None, "tariff": "TF",
        }  # fmt: skip
        truth.units[point, "E"] = "Wh"
        truth.billing_from[account], truth.calendar_day[account] = FIRST, 1
        found = store.query(
            "SELECT start_ms, quantity_nano FROM current_determinants WHERE supply_point = {point:String}",
            {"point": point},
        )
        truth.standing |= {(point, "E", start_ms): int(nano) for start_ms, nano in found.rows}
    expected = {key: amount for key, amount in rated(truth).items() if amount}
    lines = store.query(
        "SELECT account, period_from, element, amount FROM bill_lines FINAL WHERE account IN {some:Array(String)}",
        {"some": some},
    )
    assert {(account, period, element): amount for account, period, element, amount in lines.rows} == expected
    assert len(documents(store, "documents.account = {account:String}", {"account": some[0]})) == 1


_STAGES: Final = {
    "windows added up": ("rating_sums", "rating_adjusted", "rating_exact", "rating_doubts", "rating_peaks"),
    "lines written out": ("drafted_lines",),
    "into the log": ("append to the log", "flush the log", "read the payloads"),
    "into bill_lines": ("bill_lines", "line_offsets"),
}


def _table(figures: dict[str, Any]) -> str:
    seconds: dict[str, float] = dict(figures["seconds"])
    rows = {name: sum(seconds.pop(part, 0.0) for part in parts) for name, parts in _STAGES.items()}
    rows["the rest of rating"] = sum(seconds.pop(name) for name in list(seconds) if name.startswith("rating_"))
    rows["other queries"] = sum(seconds.values())
    head = (
        f"\n{figures['points']:,} supply points, {figures['windows']:,} windows, {figures['lines']:,} lines: {figures['wall_s']:.1f} s, "
        f"{figures['cpu_s']:.1f} CPU s, peak {figures['peak_mb']:,.0f} MB ({figures['before_mb']:,.0f} before the run)"
    )
    dearest = sorted(figures["seconds"].items(), key=lambda item: -item[1])[:8]
    stages = [f"  {name:20} {value:7.2f} s, summed over threads" for name, value in rows.items()]
    return "\n".join([head, *stages, "  dearest: " + ", ".join(f"{name} {value:.1f}" for name, value in dearest)])


def _growth(found: list[dict[str, Any]]) -> str:
    rows = [
        f"  {figures['points']:>9,}  {figures['wall_s']:8.1f} s  {figures['wall_s'] / figures['points'] * 1e6:8.0f} µs a supply point"
        for figures in found
    ]
    return "\ngrowth\n" + "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main())
