"""The totals that a bill's use lies between: per register the reads nearest to its beginning and its end, held against what was metered.

Nothing of it stands in the document. It is asked anew each time, within the frontier of the document's run, so the answer stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from connectors.clickhouse import Store
from meterfold.billing.documents import Document
from meterfold.store import sql_folder


@dataclass(frozen=True, slots=True)
class ReadPair:
    """A register between two accepted totals.

    `role`: totals or spans (the channel is metered by it), or check (it reconciles what is metered otherwise).
    `service_from` to `service_to`: the days that the document bills there. `opening` and `closing` are as the
    display shows them, `opening_at` and `closing_at` by the site's clock (without a zone), `*_utc` the same
    instants. In `unit`: `advance` of the register (None: it fell, and no rollover is known), `metered` between
    these instants, and `gap`, their difference where it is more than the last digit (None: they agree, or cannot be
    compared). `is_covered`: all of that time was metered. `disagreements`: how many findings `sum_register` lie in
    it.
    """

    supply_point: str
    channel: str
    device: str
    register: str
    role: str
    unit: str
    service_from: date
    service_to: date
    opening_at: datetime
    opening_utc: datetime
    opening: str
    closing_at: datetime
    closing_utc: datetime
    closing: str
    advance: Decimal | None
    metered: Decimal
    gap: Decimal | None
    is_covered: bool
    disagreements: int


def read_pairs(store: Store, document: Document) -> tuple[ReadPair, ...]:
    """By supply point, channel and time. Empty where nothing is read as a total, or fewer than two totals are known."""
    pins = store.query(
        "SELECT frontier_partitions, frontier_offsets, known_billing_offset FROM bill_runs FINAL WHERE run_id = {run_id:String}",
        {"run_id": document.run_id},
    ).rows
    if not pins:
        return ()
    partitions, next_offsets, known_billing_offset = pins[0]
    found = store.query(
        (sql_folder() / "explain" / "register_reads.sql").read_text("utf-8"),
        {
            "document_id": document.document_id,
            "partitions": list(partitions) or [0],
            "next_offsets": list(next_offsets) or [0],
            "known_billing_offset": known_billing_offset,
        },
    )
    return tuple(_pair(row) for row in found.dicts())


def _pair(row: dict[str, object]) -> ReadPair:
    advance_nano, metered_nano, step = (
        row["advance_nano"],
        int(str(row["metered_nano"])),
        int(str(row["nano_per_count"])),
    )
    off = None if advance_nano is None else int(str(advance_nano)) - metered_nano
    faces = [
        _face(int(str(row[name])), int(str(row["decimals"])), row["digits"])
        for name in ("opening_count", "closing_count")
    ]
    same = (
        "supply_point",
        "channel",
        "device",
        "register",
        "role",
        "unit",
        "service_from",
        "service_to",
        "opening_utc",
        "closing_utc",
    )
    return ReadPair(
        **{name: row[name] for name in same},  # type: ignore[arg-type]
        opening_at=_naive(row["opening_local"]),
        opening=faces[0],
        closing_at=_naive(row["closing_local"]),
        closing=faces[1],
        advance=None if advance_nano is None else _quantity(int(str(advance_nano))),
        metered=_quantity(metered_nano),
        gap=_quantity(off) if off is not None and abs(off) >= step else None,
        is_covered=bool(row["is_covered"]),
        disagreements=int(str(row["disagreements"])),
    )


def _naive(stamp: object) -> datetime:
    assert isinstance(stamp, datetime)
    return stamp.replace(tzinfo=None)


def _quantity(nano: int) -> Decimal:
    return Decimal(nano).scaleb(-9)


def _face(count: int, decimals: int, digits: object) -> str:
    """A total as its display shows it, with leading zeros where the number of digits is known."""
    text = str(count).rjust(int(str(digits)) if digits else decimals + 1, "0")
    return f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text
