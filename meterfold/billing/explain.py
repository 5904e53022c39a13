"""Why this amount: one line traced to rate, band, determinants, adjustments, reads and configuration, as its run saw them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from connectors.clickhouse import Session, Store
from meterfold.billing.documents import UnknownBill
from meterfold.billing.rating import Pins, staged
from meterfold.store import sql_folder


@dataclass(frozen=True, slots=True)
class Window:
    """One determinant (or a local day's share of a read-to-read span) in the line. Quantities in `unit`, that of `channel`.

    `role`: counted; or taken off or compared with, of the channels that the line's quantity is less or beyond. `quantity` is what the line
    counts: the determinant and `revision` adjustments to it. `quantity_hardened` is the determinant alone, of the whole window from
    `window_start_utc` to `window_end_utc`. `price`: of the series that the line is at, None without one. `of_windows` is 0; but where the
    window was estimated for the bill, for want of a hardened quantity, its estimate is the mean of so many windows, by `methods`, and
    `quantity_hardened` is None unless it hardened as MISSING.
    """

    start_utc: datetime
    end_utc: datetime
    window_start_utc: datetime
    window_end_utc: datetime
    local_date: date
    unit: str
    quantity: Decimal
    quantity_hardened: Decimal | None
    revision: int
    quality: str
    methods: list[str]
    hardened_by: str
    rule_version: int
    config_version: int
    channel: str
    role: str
    price: Decimal | None
    of_windows: int


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One signed change to a window of the line. `is_new`: it came after the run behind the last issued document for the period."""

    start_utc: datetime
    end_utc: datetime
    revision: int
    delta: Decimal
    unit: str
    reason: str
    quality: str
    cause_partition: int
    cause_offset: int
    cause_sub: int
    rule_version: int
    config_version: int
    known_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """One accepted read. A register read has `count` (its last digit stands `decimals` places after the point) instead of `quantity`.

    `raw_*` are its coordinates in the raw log, `origin_*` where it was first received; `file` and `line` (0: none) where it came from;
    `words` the raw register words as JSON, "" if none. `is_in_force`: no later read replaced it.
    """

    start_utc: datetime
    end_utc: datetime
    kind: str
    quantity: Decimal | None
    count: int | None
    decimals: int | None
    quality: str
    version: int
    verdict: str
    is_in_force: bool
    device: str
    register: str
    raw_partition: int
    raw_offset: int
    raw_sub: int
    origin_partition: int
    origin_offset: int
    origin_sub: int
    received_utc: datetime
    file: str
    line: int
    import_id: str
    words: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration in force, as it stands in the raw log (`payload`: its JSON)."""

    device: str
    version: int
    raw_partition: int
    raw_offset: int
    received_utc: datetime
    payload: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An object of the portfolio in the edition that was used, and its record in the billing log."""

    kind: str
    id: str
    version: int
    billing_offset: int


@dataclass(frozen=True, slots=True)
class EarlierLine:
    """What an issued document charged for the same element before."""

    document_number: str
    line_id: str
    quantity: Decimal
    amount: Decimal
    rate: Decimal
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of the line's charge that was reached, for the days from `service_from` until before `service_to`: the bounds hold for them.

    `quantity` lies above `above`, up to `up_to` (None: without bound); where a whole quantity takes one price, all of it.
    """

    service_from: date
    service_to: date
    tier: str
    above: Decimal
    up_to: Decimal | None
    quantity: Decimal
    unit: str
    rate: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class Demand:
    """What is billed as demand for the days from `service_from` until before `service_to`, `days` of the `of_days` of the period, and why.

    `billed` is the greatest of `measured`, `minimum` and `ratchet_share` of `highest_before`, which was billed for the period from
    `highest_period_from` on (None: nothing was in the months that the ratchet looks back on).
    """

    service_from: date
    service_to: date
    days: int
    of_days: int
    measured: Decimal
    minimum: Decimal
    ratchet_share: Decimal
    highest_before: Decimal | None
    highest_period_from: date | None
    billed: Decimal


@dataclass(frozen=True, slots=True)
class TaxedCharge:
    """A charge that a tax, percentage, minimum or maximum is on; a tax may be on another tax."""

    kind: str
    supply_point: str
    channel: str
    tariff: str
    tariff_version: str
    band: str
    quantity: Decimal
    unit: str
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line and everything it rests on. `line`: the columns of `bill_lines`, and `minor_digits`; `number` is "" for a draft.

    `rule_version` is billing's; those of the fold stand at windows and adjustments. Lines of a use have windows (of a demand those that
    made its peak), adjustments, evidence and configurations; taxes, percentages, minimums and maximums have `taxed_charges`; a standing
    charge has its quantity in days and the tenancy among the references. `tax_divisors`: 1 for a tax beside the price; one that prices
    contain, or that is a share of the gross, is its rate of the base divided by this: 1 more or less the rates worked out with it.
    """

    line: dict[str, Any]
    number: str
    run_id: str
    rule_version: str
    pins: Pins
    windows: tuple[Window, ...]
    adjustments: tuple[Adjustment, ...]
    evidence: tuple[Evidence, ...]
    configurations: tuple[Configuration, ...]
    references: tuple[Reference, ...]
    earlier_lines: tuple[EarlierLine, ...]
    taxed_charges: tuple[TaxedCharge, ...]
    tiers: tuple[Tier, ...]
    demands: tuple[Demand, ...]
    tax_divisors: tuple[Decimal, ...]

    @property
    def sources(self) -> tuple[tuple[str, int], ...]:
        """(file, line) of the reads in force, each once, sorted."""
        return tuple(sorted({(item.file, item.line) for item in self.evidence if item.file and item.is_in_force}))


def explain_line(store: Store, line: str) -> Explanation:
    """Trace a line, as its run saw the world: the same answer for ever.

    `line` is its id, or the printed number of its document, a slash and its position: INV-000003/1. Raises UnknownBill.
    """
    found = store.query(_sql("line"), {"line": line}).dicts()
    if not found:
        raise UnknownBill(f"there is no line {line!r}; name it by document and position, such as INV-000003/1")
    head = found[0]
    pins = _pins(head)
    with staged(store, pins, [head["account"]], exact=True) as session:
        params = {**head, **pins.params(), "account": head["account"], "tariff": _price_list(session, head)}
        session.command(_sql("explained_windows"), params)
        windows = tuple(Window(*row) for row in _rows(session, "windows", params))
        evidence = tuple(Evidence(*row) for row in _rows(session, "evidence", params))
        explanation = Explanation(
            line={key: head[key] for key in head if key not in _PINNED},
            number=head["number"],
            run_id=head["run_id"],
            rule_version=head["rule_version"],
            pins=pins,
            windows=windows,
            adjustments=tuple(Adjustment(*row) for row in _rows(session, "adjustments", params)),
            evidence=evidence,
            configurations=_configurations(session, windows, evidence),
            references=tuple(Reference(*row) for row in _rows(session, "references", params)),
            earlier_lines=tuple(EarlierLine(*row) for row in _rows(session, "earlier_lines", params)),
            taxed_charges=tuple(TaxedCharge(*row) for row in _rows(session, "taxed_charges", params)),
            tiers=tuple(Tier(*row) for row in _rows(session, "tiers", params)),
            demands=tuple(Demand(*row) for row in _rows(session, "demands", params)),
            tax_divisors=tuple(row[0] for row in _rows(session, "tax_divisors", params)),
        )
        session.command("DROP TEMPORARY TABLE explained_windows")
        return explanation


def _price_list(session: Session, head: dict[str, Any]) -> str:
    """The edition that rated the line, TARIFF#EDITION, or the tariff of the portfolio."""
    found = session.query(
        "SELECT max(tariff) FROM rating_segments WHERE meterfold_tariff(tariff) = {tariff:String} AND period_from = {period_from:Date} "
        "AND supply_point = {supply_point:String} AND tariff_version = {tariff_version:String}",
        head,
    ).rows
    return found[0][0] or str(head["tariff"])


_PINNED = frozenset(
    ("charge", "part", "number", "run_id", "scope_account", "rule_version", "frontier_partitions", "frontier_offsets",
     "frontier_known_at_ms", "known_billing_offset", "as_of_ms")
)  # fmt: skip


def _pins(head: dict[str, Any]) -> Pins:
    frontier = zip(head["frontier_partitions"], head["frontier_offsets"], head["frontier_known_at_ms"], strict=True)
    return Pins(
        head["legal_entity"], head["scope_account"], tuple(frontier), head["known_billing_offset"], head["as_of_ms"]
    )


def _configurations(
    session: Session, windows: tuple[Window, ...], evidence: tuple[Evidence, ...]
) -> tuple[Configuration, ...]:
    params = {
        "devices": sorted({item.device for item in evidence}),
        "versions": sorted({item.config_version for item in windows}),
    }
    return tuple(Configuration(*row) for row in _rows(session, "configurations", params))


def _rows(session: Session, name: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    return session.query(_sql(name), params).rows


@cache
def _sql(name: str) -> str:
    return (sql_folder() / "explain" / f"{name}.sql").read_text(encoding="utf-8")
