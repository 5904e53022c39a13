"""A small world for billing tests: a portfolio and determinants written by hand, and a billing log that can be killed.

Nothing here rates anything: amounts in tests are literals, or come from the oracle in test_billing_oracle.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
from numpy.typing import NDArray

from connectors.clickhouse import Store
from meterfold.billing.project import project
from meterfold.billing.rows import line_in_full
from tests.integration.tables import insert_rows

HALF_HOUR_MS = 1_800_000
NANO = 10**9


class Killed(RuntimeError):
    """The process died here."""


@dataclass
class ListLog:
    """A billing log in a list. Offsets are not consecutive, as in a file. `dies_after` flushed appends it is dead."""

    records: list[tuple[int, int, bytes]] = field(default_factory=list)
    unflushed: list[tuple[int, int, bytes]] = field(default_factory=list)
    dies_after: int | None = None
    clock_ms: int = 1_700_000_000_000
    next_offset: int = 0

    def append(self, key: bytes, payload: bytes) -> int:
        offset = self.next_offset
        self.next_offset += len(payload) + 20
        self.clock_ms += 1
        self.unflushed.append((offset, self.clock_ms, payload))
        return offset

    def append_together(self, key: bytes, payloads: Sequence[bytes]) -> NDArray[np.int64]:
        return np.array([self.append(key, payload) for payload in payloads], np.int64)

    def flush(self) -> None:
        for record in self.unflushed:
            if self.dies_after is not None:
                if self.dies_after == 0:
                    raise Killed
                self.dies_after -= 1
            self.records.append(record)
        self.unflushed = []
        if self.dies_after == 0:
            raise Killed

    def revived(self) -> ListLog:
        """What a new process finds: everything that was durable, nothing else."""
        end = self.records[-1][0] + len(self.records[-1][2]) + 20 if self.records else 0
        return ListLog(list(self.records), clock_ms=self.clock_ms, next_offset=end)

    def iter_records(self, from_offset: int) -> Iterator[tuple[int, int, bytes]]:
        yield from [record for record in self.records if record[0] >= from_offset]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The records of a type; of lines with what their records leave out."""
        found = (orjson.loads(payload) for _, _, payload in self.records)
        return [line_in_full(record) if kind == "line" else record for record in found if record["type"] == kind]


def utc_offsets(zone: str, first_year: int = 2023, last_year: int = 2026) -> list[list[int]]:
    """[[from_ms, offset_s], …] of a zone, found by looking at every hour."""
    rows: list[list[int]] = []
    at = datetime(first_year, 1, 1, tzinfo=UTC)
    while at.year <= last_year:
        offset = int(at.astimezone(ZoneInfo(zone)).utcoffset().total_seconds())  # type: ignore[union-attr]
        if not rows or rows[-1][1] != offset:
            rows.append([int(at.timestamp() * 1000), offset])
        at += timedelta(hours=1)
    return rows


def midnight_ms(day: str | date, zone: str) -> int:
    """The start of a local day."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def ms(text: str) -> int:
    """An instant such as 2024-01-01T00:00Z."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


FLAT = [{"name": "flat", "rate": "0.30", "months": None, "days": None, "from": None, "to": None}]


def band(name: str, rate: str, **rest: Any) -> dict[str, Any]:
    """A band; `from_` and `to` are HH:MM."""
    return {
        "name": name, "rate": rate, "months": rest.get("months"), "days": rest.get("days"), "from": rest.get("from_"), "to": rest.get("to"),
    }  # fmt: skip


@dataclass
class World:
    """A store, its billing log, and the means to say what is so."""

    store: Store
    log: Any
    zone: str = "Europe/London"
    curated_offset: int = 0
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    now_ms: int = ms("2025-06-01T00:00Z")

    def reference(self, kind: str, id_: str, body: dict[str, Any], ended: dict[str, Any] | None = None) -> None:
        version = self.versions[kind, id_] = self.versions.get((kind, id_), 0) + 1
        record = {
            "v": 1,
            "type": "reference",
            "kind": kind,
            "id": id_,
            "version": version,
            "body": body,
            "ended": ended,
        }
        self.log.append(b"LE", orjson.dumps(record))
        self.log.flush()
        project(self.store, self.log)

    def entity(self, id_: str = "LE", series: str = "INV", currency: str = "GBP", **rest: Any) -> None:
        """`rest`: back_billing, holds."""
        body = {"name": f"{id_} Ltd", "currency": currency, "invoice_series": series, **rest}
        self.reference("legal_entity", id_, body)

    def site(self, id_: str = "SITE", holidays: Sequence[str] = (), zone: str | None = None) -> None:
        self.zone = zone or self.zone
        body = {
            "legal_entity": "LE", "time_zone": self.zone, "utc_offsets": utc_offsets(self.zone), "holidays": list(holidays),
            "timetable": {"gate_after_days": 3, "gate_at": "06:00"},
        }  # fmt: skip
        self.reference("site", id_, body)

    def supply_point(
        self,
        id_: str = "SP",
        unit: str = "Wh",
        grid_s: int | str = 1800,
        kind: str = "intervals",
        channels: Sequence[str] = ("E",),
    ) -> None:
        items = [
            {
                "channel": name,
                "unit": unit,
                "grid_s": grid_s,
                "kind": kind,
                "commodity": "electricity",
                "direction": "import",
            }
            for name in channels
        ]
        self.reference("supply_point", id_, {"site": "SITE", "channels": items})

    def account(
        self, id_: str = "A", billing_from: str = "2024-01-01", day: int = 1, currency: str = "GBP", entity: str = "LE"
    ) -> None:
        body = {
            "legal_entity": entity, "party_id": f"P-{id_}", "currency": currency, "billing_from": billing_from,
            "calendar": {"kind": "monthly", "day": day}, "opening_position": "0.00",
        }  # fmt: skip
        self.reference("account", id_, body)

    def tenancy(
        self, id_: str = "T", account: str = "A", supply_point: str = "SP", from_: str = "2024-01-01", to: str | None = None,
        tariff: str = "TF", ended: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        body = {"account": account, "supply_point": supply_point, "from": from_, "to": to, "tariff": tariff}
        self.reference("tenancy", id_, body, ended)

    def tariff(self, id_: str = "TF", *versions: dict[str, Any], currency: str = "GBP") -> None:
        self.reference("tariff", id_, {"currency": currency, "versions": list(versions) or [tariff_version()]})

    def small(self, **tariff: Any) -> World:
        """One of everything: account A at supply point SP from 2024 on, half-hours in Wh."""
        self.entity()
        self.site()
        self.supply_point()
        self.tariff("TF", tariff_version(**tariff))
        self.account()
        self.tenancy()
        return self

    def determinants(
        self, from_: str | int, to: str | int, quantity_nano: int | Sequence[int] = 500 * NANO, *, supply_point: str = "SP",
        channel: str = "E", unit: str = "Wh", step_ms: int = HALF_HOUR_MS, quality: str = "ACTUAL", **rest: Any,
    ) -> None:  # fmt: skip
        """Hardened windows from one local midnight (or instant in ms) to another, each of `quantity_nano`, known to the fold."""
        start = from_ if isinstance(from_, int) else midnight_ms(from_, self.zone)
        end = to if isinstance(to, int) else midnight_ms(to, self.zone)
        starts = list(range(start, end, step_ms))
        quantities = [quantity_nano] * len(starts) if isinstance(quantity_nano, int) else list(quantity_nano)
        windows = [(at, min(at + step_ms, end), quantity) for at, quantity in zip(starts, quantities, strict=True)]
        self.windows(windows, supply_point=supply_point, channel=channel, unit=unit, quality=quality, **rest)

    def windows(
        self, windows: Sequence[tuple[int, int, int]], *, supply_point: str = "SP", channel: str = "E", unit: str = "Wh",
        quality: str = "ACTUAL", known_at_ms: int = 1_700_000_000_000,
    ) -> None:  # fmt: skip
        """Determinants by (start, end, quantity in 10⁻⁹), hardened by one record."""
        count = len(windows)
        self.curated_offset += 100
        insert_rows(
            self.store,
            "determinants",
            {
                "supply_point": [supply_point] * count, "channel": [channel] * count,
                "start_ms": [row[0] for row in windows], "end_ms": [row[1] for row in windows], "unit": [unit] * count,
                "quantity_nano": [row[2] for row in windows], **self._standing(quality, count), "hardened_by": ["read"] * count,
                "cause_partition": [0] * count, "cause_offset": [self.curated_offset] * count, "cause_sub": list(range(count)),
                "rule_version": [1] * count, "config_version": [1] * count, "known_at_ms": [known_at_ms] * count,
                "curated_partition": [0] * count, "curated_offset": [self.curated_offset] * count,
            },
        )  # fmt: skip
        self.frontier(known_at_ms)

    def deliver_again(self, supply_point: str, channel: str) -> None:
        """The stretches of a channel are inserted once more, as after a crash."""
        self.store.command(
            "INSERT INTO determinant_stretches SELECT * FROM determinant_stretches FINAL "
            "WHERE supply_point = {point:String} AND channel = {channel:String}",
            {"point": supply_point, "channel": channel},
        )

    def adjust(
        self, start_ms: int, delta_nano: int, *, end_ms: int | None = None, revision: int = 1, old_nano: int = 500 * NANO,
        quality: str = "ACTUAL", reason: str = "CORRECTED_READ", known_at_ms: int = 1_700_000_100_000, supply_point: str = "SP",
        channel: str = "E", unit: str = "Wh", is_within_frontier: bool = True,
    ) -> None:  # fmt: skip
        """One adjustment to a window."""
        self.curated_offset += 100
        self.store.insert(
            "adjustments",
            {
                "supply_point": [supply_point], "channel": [channel], "start_ms": [start_ms],
                "end_ms": [end_ms or start_ms + HALF_HOUR_MS], "revision": [revision], "unit": [unit], "old_nano": [old_nano],
                "new_nano": [old_nano + delta_nano], "delta_nano": [delta_nano], **self._standing(quality, 1), "reason": [reason],
                "corrects_revision": [revision - 1], "cause_partition": [0], "cause_offset": [self.curated_offset], "cause_sub": [0],
                "rule_version": [1], "config_version": [1], "known_at_ms": [known_at_ms], "curated_partition": [0],
                "curated_offset": [self.curated_offset],
            },
        )  # fmt: skip
        if is_within_frontier:
            self.frontier(known_at_ms)

    def frontier(self, known_at_ms: int = 1_700_000_000_000) -> None:
        """The fold's rows up to here are stored."""
        columns: dict[str, list[Any]] = {
            "kind": ["fold"],
            "partition": [0],
            "next_offset": [self.curated_offset + 1],
            "known_at_ms": [known_at_ms],
        }
        self.store.insert("frontier", columns)

    @staticmethod
    def _standing(quality: str, count: int) -> dict[str, list[Any]]:
        names = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")
        counts = {f"n_{name.lower()}": [int(name == quality)] * count for name in names}
        reason = "NO_REFERENCE" if quality == "MISSING" else ""
        return {**counts, "quality": [quality] * count, "methods": [[]] * count, "missing_reason": [reason] * count}


def tariff_version(
    version: str = "1", effective_from: str = "2023-01-01", bands: list[dict[str, Any]] | None = None, standing: str | None = None,
    tax: tuple[str, str] | None = None, channels: Sequence[str] = ("E",), unit: str = "kWh",
) -> dict[str, Any]:  # fmt: skip
    """A tariff version of the contract; `bands` None: flat at 0.30, []: no energy at all."""
    priced = FLAT if bands is None else bands
    return {
        "version": version, "effective_from": effective_from,
        "energy": [{"channel": name, "unit": unit, "bands": priced} for name in channels] if priced else [],
        "standing_per_day": standing, "tax": {"name": tax[0], "rate": tax[1]} if tax else None,
    }  # fmt: skip
