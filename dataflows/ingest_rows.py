"""What ingest leaves in ClickHouse: the raw archive, dead letters, what it holds, and its ledger."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from connectors.clickhouse_columns import Column
from connectors.file_log import Record
from state.routing import Held

_ARCHIVE: Final = ("raw_partition", "raw_offset", "device", "type", "received_ms", "payload")
_DEAD: Final = (
    "raw_partition", "raw_offset", "raw_sub", "device", "reason", "detail", "file", "line", "import", "payload",
    "received_ms",
)  # fmt: skip
_HELD: Final = (
    "supply_point", "raw_partition", "raw_offset", "raw_sub", "channel", "device", "register", "kind", "start_ms",
    "end_ms", "reason", "origin_partition", "origin_offset", "origin_sub", "received_ms", "known_at_ms",
    "curated_partition", "curated_offset",
)  # fmt: skip
_LEDGER: Final = ("raw_partition", "outcome", "count", "raw_offset", "received_ms")
_COLUMNS: Final = {"raw_records": _ARCHIVE, "dead_letters": _DEAD, "quarantine": _HELD, "ingest_ledger": _LEDGER}


class IngestRows:
    """Rows of one batch, by table."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
        self._blocks: dict[str, list[dict[str, Column]]] = {table: [] for table in _COLUMNS}

    def archive(self, record: Record, kind: str) -> None:
        """Keep a raw record as received."""
        row = (record.partition, record.offset, _text(record.key), kind, record.append_ms, _text(record.payload))
        self._rows["raw_records"].append(row)

    def archive_columns(self, columns: Sequence[Column]) -> None:
        """Keep raw records as received, given as columns in the order of the table's; keys and payloads are UTF-8."""
        self._blocks["raw_records"].append(dict(zip(_ARCHIVE, columns, strict=True)))

    def dead_letter(self, record: Record, kind: str, error: Exception) -> None:
        """A raw record that is not one of the contract, or contradicts itself."""
        payload = _text(record.payload)
        reason = "contradiction" if kind else "undecodable"
        self._dead(record, (reason, str(error), "", 0, "", payload))

    def refused_by_connector(self, record: Record, decoded: Mapping[str, Any]) -> None:
        """Something that a file connector could not decode, with its place in the file."""
        source = decoded.get("source") or {}
        where = (str(source.get("file") or ""), int(source.get("line") or 0), str(source.get("import") or ""))
        self._dead(record, (str(decoded["reason"]), str(decoded["detail"]), *where, str(decoded["payload"])))

    def _dead(self, record: Record, what: tuple[str, str, str, int, str, str]) -> None:
        row = (record.partition, record.offset, 0, _text(record.key), *what, record.append_ms)
        self._rows["dead_letters"].append(row)

    def hold(self, held: Iterable[Held]) -> None:
        """What waits in quarantine for a release."""
        for item in held:
            own = (item.partition, item.offset, item.sub)
            self._rows["quarantine"].append(
                (
                    "", *own, "", item.device, item.register, item.kind, item.start_ms, item.end_ms, item.reason, *own,
                    item.received_ms, item.received_ms, 0, 0,
                )
            )  # fmt: skip

    def count(self, partition: int, ledger: Mapping[str, int], record: Record) -> None:
        """The cumulative counts of a raw partition through a record."""
        for outcome in sorted(ledger):
            self._rows["ingest_ledger"].append((partition, outcome, ledger[outcome], record.offset, record.append_ms))

    def tables(self) -> dict[str, list[dict[str, Column]]]:
        """Blocks of columns by table, the rows turned to one of them; empty tables left out."""
        found: dict[str, list[dict[str, Column]]] = {}
        for table, rows in self._rows.items():
            blocks = list(self._blocks[table])
            if rows:
                blocks.append(dict(zip(_COLUMNS[table], map(list, zip(*rows, strict=True)), strict=True)))
            if blocks:
                found[table] = blocks
        return found


def _text(data: bytes) -> str:
    """Bytes as text; what is not UTF-8 is kept legible as escapes."""
    return data.decode("utf-8", "backslashreplace")
