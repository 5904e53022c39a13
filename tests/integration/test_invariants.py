"""Invariants that need the whole road: lineage down to a line of a file, and tables that the logs give again.

Both look at the demonstration's house, two months of reads with bills and a correction, issued to the last draft.
"""

import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.clickhouse import Store
from connectors.file_log import LogReader, open_topic, read_at
from meterfold.billing.explain import Evidence, Explanation, explain_line
from tests.integration.command import meterfold
from tests.integration.tables import assert_same, dump


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demonstration: `data/` and, in `files/`, what was imported. Nothing is left to be billed."""
    folder = tmp_path_factory.mktemp("house")
    meterfold(folder, "demo")
    meterfold(folder / "data", "bill", "issue", "ACC-B")
    return folder


def records(data: Path, topic: str) -> Iterator[dict[str, Any]]:
    """Every record of a log, decoded."""
    folder = data / "logs" / topic
    for partition in range(open_topic(folder).partitions):
        with LogReader(folder, partition) as reader:
            while batch := reader.read():
                yield from (orjson.loads(record.payload) for record in batch)


# -- 7: lineage ---------------------------------------------------------------------------------------------------------


LINES = {"HH-000001/4": "standing", "HH-000001/5": "tax", "HH-000002/1": "energy", "HH-000003/1": "energy"}
"""Of a bill of intervals, one of register reads, and a correction: what each line charges."""


def test_invariant_7_lineage(house: Path) -> None:
    """Of a line, by one query: rate and tariff, determinants and adjustments, and the reads they rest on, file and line."""
    with Store(house / "data" / "clickhouse") as store:
        explained = {line: explain_line(store, line) for line in LINES}
    assert {line: item.line["kind"] for line, item in explained.items()} == LINES
    for item in explained.values():
        _require_references(house, item)
        if item.line["kind"] == "energy":
            _require_quantities(item)
            _require_reads(house, item)
    assert explained["HH-000003/1"].adjustments and explained["HH-000003/1"].earlier_lines
    assert {item.kind for item in explained["HH-000002/1"].evidence} == {"register"}
    assert {item.kind for item in explained["HH-000001/5"].taxed_charges} == {"energy", "standing"}


def _require_references(house: Path, explained: Explanation) -> None:
    """The portfolio's objects, each in the edition whose record stands in the billing log."""
    assert explained.rule_version
    for item in explained.references:
        record = orjson.loads(read_at(house / "data" / "logs" / "billing", 0, item.billing_offset).payload)
        assert (record["kind"], record["id"], record["version"]) == (item.kind, item.id, item.version)
    if explained.line["tariff"]:
        assert {"account", "tariff", "tenancy"} <= {item.kind for item in explained.references}
        assert explained.line["tariff_version"]


def _require_quantities(explained: Explanation) -> None:
    """The line is the sum of its windows; a window is what hardened and every adjustment to it."""
    assert sum(item.quantity for item in explained.windows) == explained.line["quantity_should"]
    changes: dict[Any, Decimal] = defaultdict(Decimal)
    for item in explained.adjustments:
        assert item.reason and item.rule_version
        changes[item.start_utc] += item.delta
    for window in explained.windows:
        assert window.quantity_hardened is not None
        assert window.quantity == window.quantity_hardened + changes[window.start_utc]
        assert window.rule_version and window.config_version


def _require_reads(house: Path, explained: Explanation) -> None:
    """Each read stands in the raw log at its coordinates, and in its file on its line or as its words; so does what adjusted it."""
    raw = cache(partial(read_at, house / "data" / "logs" / "reads.raw"))
    written = {path.name: path.read_text().splitlines() for path in (house / "files").glob("*.csv")}
    assert explained.evidence and explained.configurations
    for read in explained.evidence:
        payload = raw(read.raw_partition, read.raw_offset).payload
        assert read.device.encode() in payload
        if read.file:
            _require_line(read, written[read.file][read.line - 1].split(","))
        else:
            _require_words(read, orjson.loads(raw(read.origin_partition, read.origin_offset).payload))
    for change in explained.adjustments:
        assert orjson.loads(raw(change.cause_partition, change.cause_offset).payload)["v"] == 1
    for item in explained.configurations:
        assert raw(item.raw_partition, item.raw_offset).payload == item.payload.encode()
    if explained.line["supply_point"] == "FLAT-A":  # of intervals every metered window has its own read
        read_at_starts = {read.start_utc for read in explained.evidence if read.is_in_force}
        assert {window.start_utc for window in explained.windows if window.quality == "ACTUAL"} <= read_at_starts


def _require_line(read: Evidence, cells: list[str]) -> None:
    at, value = f"{read.start_utc:%Y-%m-%dT%H:%MZ}", Decimal(cells[3])
    assert (cells[0], cells[1], cells[2]) == (read.device, read.register, at)
    if read.count is not None:
        assert value == Decimal(read.count).scaleb(-(read.decimals or 0))
    else:
        assert value == read.quantity


def _require_words(read: Evidence, record: dict[str, Any]) -> None:
    """A read from a meter: the words as they came over Modbus, big-endian here, are its count."""
    assert (record["device"], record["register"], record["count"]) == (read.device, read.register, read.count)
    assert int("".join(f"{word:04x}" for word in record["words"]), 16) == read.count
    assert orjson.loads(read.words) == record["words"]


# -- 9: rebuildable, and nobody's name ------------------------------------------------------------------------------------


@pytest.mark.long
def test_invariant_9_rebuildable(house: Path, tmp_path: Path) -> None:
    """ClickHouse is thrown away; the logs give the same rows again, and there is nothing that was not billed."""
    data = tmp_path / "data"
    shutil.copytree(house / "data", data, symlinks=True)
    before = dump(data)
    shutil.rmtree(data / "clickhouse")
    rebuilt = json.loads(meterfold(data, "rebuild", "--json"))
    assert rebuilt["rebuilt"] and rebuilt["tables"]["determinants"] == len(before["determinants"])
    assert_same(dump(data), before)
    kept = sum(record["type"] == "line" for record in records(data, "billing"))
    assert kept == len(before["bill_lines"])
    assert json.loads(meterfold(data, "bill", "run", "--json"))["documents"] == []
    assert sum(record["type"] == "line" for record in records(data, "billing")) == kept


PERSONAL = {
    "name": "Erika Mustermann",
    "address": "Harbour Lane 7",
    "email": "erika@example.org",
    "phone": "+49 30 901820",
}


def test_invariant_9_no_personal_data_in_any_log(house: Path, tmp_path: Path) -> None:
    """An account is who by a party id alone: whatever else would say it is refused, and leaves no trace."""
    data = tmp_path / "data"
    shutil.copytree(house / "data", data, symlinks=True)
    portfolio = (house / "files" / "portfolio.yaml").read_text()
    said = ", ".join(f"{key}: {value}" for key, value in PERSONAL.items())
    told = portfolio.replace("party_id: P-101,", f"party_id: P-101, {said},")
    assert told != portfolio
    (tmp_path / "told.yaml").write_text(told)
    refused = meterfold(data, "portfolio", "load", str(tmp_path / "told.yaml"), code=1)
    assert refused.count("personal_data") >= len(PERSONAL) or refused.count("party store") >= len(PERSONAL), refused
    for path in (path for path in (data / "logs").rglob("*") if path.is_file()):
        held = path.read_bytes()
        assert not [value for value in PERSONAL.values() if value.encode() in held], path
    for body in (record["body"] for record in records(data, "billing") if record.get("kind") == "account"):
        assert set(body) == ACCOUNT, "a new key of an account: can it be about a person?"


ACCOUNT = {"legal_entity", "party_id", "currency", "billing_from", "calendar", "opening_position"}
