"""Extracts of a month for finance: files of documents, lines, journal, payments and determinants, whose columns never change their meaning.

A month's extract has what is booked into it, in the order of the log. Once it is closed nothing can join it, so its CSV is byte-identical
for ever; Parquet is for one version of ClickHouse, which writes its name into the file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from connectors.clickhouse import Store

Format = Literal["csv", "parquet"]

ORDERS: Final[dict[str, str]] = {
    "documents_v1": "booked_offset, document_id",
    "lines_v1": "booked_offset, position, line_id",
    "journal_v1": "booked_offset, posting_id, leg",
    "payments_v1": "booked_offset, payment_id",
    "determinants_v1": "curated_partition, curated_offset, supply_point, channel, start_utc, end_utc, revision",
}
"""Extracts by name and version, and their order: each ends in a unique key. The view of each is `extract_` and its name."""

_FORMATS: Final[dict[str, str]] = {"csv": "CSVWithNames", "parquet": "Parquet"}
_SETTINGS: Final[Mapping[str, Any]] = {
    "output_format_decimal_trailing_zeros": 1,
    "date_time_output_format": "'iso'",
    "format_csv_null_representation": "''",
    "output_format_parquet_string_as_string": 1,
    "output_format_parquet_compression_method": "'zstd'",
    "output_format_parquet_row_group_size": 100_000,
    "output_format_parquet_parallel_encoding": 0,
    "max_block_size": 65_536,
    "max_bytes_before_external_sort": 1_000_000_000,
}
"""All that the bytes of a file depend on beside its rows, and a bound for sorting them."""


class UnknownExtract(LookupError):
    """There is no extract of that name."""


class UnableToExtract(RuntimeError):
    """A file cannot be written. The message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class BookPins:
    """What an open month's determinants extract may see: the frontier of the fold, and the billing log below an offset."""

    frontier: tuple[tuple[int, int, int], ...]
    known_billing_offset: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """A file that was written: its rows, and the SHA-256 of its bytes in lower-case hex."""

    name: str
    rows: int
    sha256: str


def named(name: str) -> str:
    """The full name of an extract given with or without its version: `lines` is the latest. Raises UnknownExtract."""
    found = [full for full in ORDERS if name in (full, full.rpartition("_")[0])]
    if not found:
        raise UnknownExtract(f"there is no extract {name}; there are {', '.join(ORDERS)}")
    return found[-1]


def write_extract(
    store: Store,
    name: str,
    legal_entity: str,
    period: str,
    path: Path,
    format: Format = "csv",
    pins: BookPins | None = None,
) -> Extracted:
    """Write one extract of a month to a file, in place of what is there. A closed month brings its own pins; without any, an open one
    is as now. Rows are not held in memory. Raises UnableToExtract, UnableToQuery."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        _write(store, name, legal_entity, period, beside, format, pins)
        written = Extracted(name, _rows(beside, format), _sha256(beside))
        beside.replace(path)
    except OSError as error:
        raise UnableToExtract(
            f"{path} cannot be written: {error.strerror or error}; give another file with --out"
        ) from error
    finally:
        beside.unlink(missing_ok=True)
    return written


def fingerprints(store: Store, legal_entity: str, period: str, pins: BookPins | None = None) -> tuple[Extracted, ...]:
    """Rows and hash of the CSV of every extract of a month, by way of files that are gone afterwards."""
    with TemporaryDirectory(prefix="extracts-", dir=store.path.parent) as folder:
        return tuple(
            write_extract(store, name, legal_entity, period, Path(folder) / name, "csv", pins) for name in ORDERS
        )


def together(extracts: tuple[Extracted, ...]) -> str:
    """One hash over those of several extracts, in their order."""
    return hashlib.sha256("\n".join(item.sha256 for item in extracts).encode()).hexdigest()


def _write(
    store: Store, name: str, legal_entity: str, period: str, path: Path, format: Format, pins: BookPins | None
) -> None:
    params: dict[str, Any] = {"legal_entity": legal_entity, "period": period}
    if name.startswith("determinants"):
        params |= {
            "partitions": [row[0] for row in pins.frontier] if pins else [],
            "next_offsets": [row[1] for row in pins.frontier] if pins else [],
            "known_billing_offset": pins.known_billing_offset if pins else 0,
        }
        source = (
            f"extract_{name}(legal_entity = {{legal_entity:String}}, period = {{period:String}}, "
            "partitions = {partitions:Array(UInt16)}, next_offsets = {next_offsets:Array(UInt64)}, "
            "known_billing_offset = {known_billing_offset:UInt64})"
        )
    else:
        source = (
            f"extract_{name} WHERE legal_entity = {{legal_entity:String}} AND accounting_period = {{period:String}}"
        )
    place = str(path).replace("\\", "\\\\").replace("'", "\\'")
    settings = ", ".join(f"{setting} = {value}" for setting, value in _SETTINGS.items())
    store.command(
        f"SELECT * FROM {source} ORDER BY {ORDERS[name]} INTO OUTFILE '{place}' FORMAT {_FORMATS[format]} SETTINGS {settings}",
        params,
    )


def _rows(path: Path, format: Format) -> int:
    """Rows of a file; a line feed inside quotes ends none."""
    if format == "parquet":
        from pyarrow.parquet import read_metadata  # only who asks for Parquet waits for it

        return int(read_metadata(path).num_rows)
    ends = quotes = 0
    with path.open("rb") as file:
        for line in file:
            quotes += line.count(b'"')
            ends += quotes % 2 == 0
    return ends - 1


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
