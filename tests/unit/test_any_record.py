"""Whatever stands in reads.raw becomes rows or a dead letter: no bytes and no value that the codec lets through may stop the road.

A tape of the contract's examples is sent with some records spoiled; each record goes through ingest, what comes of it through the fold, and
every row into the types of its table. What the codec should refuse and does not shows here as an exception of somebody else.
"""

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.clickhouse_native import native_block
from connectors.clickhouse_sink import Block
from connectors.codec import encode
from connectors.file_log import Frames, LogWriter, Record, create_topic, merged_read
from connectors.file_log.frame import decode_frames, encode_frame
from dataflows.billing_determinants import FoldLogic
from dataflows.ingest import IngestWiring, RoutedBatch, RouteLogic
from state.routing import Again
from tests.unit.test_contracts import RAW, TAPE, Place, having, received_ms, types_in_sql, value_at, without

ORDER = list(TAPE)
FEW = settings(max_examples=20, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))

INTEGERS = (
    0, 1, -1, 2, 17, 18, 59, 60, 61, 1800, 3600, 86_399, 86_400, 65_536, 2**31 - 1, 2**31, 2**32, -(2**31), 10**12, 10**15, -(10**15),
    10**15 + 1, 10**18 - 1, 10**18, -(10**18), 2**62, -(2**62), 2**63 - 1, -(2**63), 2**63, 2**64, 10**30,
)  # fmt: skip
WORDS = (
    "", "x", "\u0000é\n", "LOCAL_DAY", "ACTUAL", "MISSING", "all", "site:", "site:X", "2026-02-30", "20260101", "spans", "totals", "check",
    "intervals", "refuse_read", "SM-17", "SUB-4", "E1", "FLAT-A", "FLAT-B", "kWh",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(INTEGERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


# -- the road -----------------------------------------------------------------------------------------------------------


class InMemory(RouteLogic):
    """Ingest of one raw partition whose log is a list; an offset is a place in it."""

    def __init__(self, tape: list[Record], wiring: IngestWiring) -> None:
        super().__init__(None, wiring)
        self._tape = tape

    def _refuse_wrong_places(self, coordinates: Any, release: Record) -> None:
        pass  # every offset in a list is a record's; see the test with a file below

    def _read_again(self, partition: int, request: Again) -> Iterator[Record]:
        if request.coordinates:
            return (self._tape[offset] for _, offset in request.coordinates if offset >= 0)
        return (record for record in self._tape[request.first_offset : request.before_offset])


@pytest.fixture(scope="module")
def wiring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IngestWiring]:
    """Of a directory with two curated partitions; there is no store."""
    root = tmp_path_factory.mktemp("logs")
    create_topic(root / "raw", 1)
    create_topic(root / "curated", 2)
    with LogWriter(root / "curated") as curated:
        yield IngestWiring(root / "raw", curated, None, lambda: 0)  # type: ignore[arg-type]


def send(payloads: list[tuple[bytes, int, bytes]], wiring: IngestWiring) -> Counter[str]:
    """Everything through ingest and fold, and both through their snapshots; how many rows each table was given."""
    tape = [Record(0, at, at + 1, received, key, payload) for at, (payload, received, key) in enumerate(payloads)]
    logic, folds, given_to = InMemory(tape, wiring), {0: FoldLogic(None), 1: FoldLogic(None)}, Counter[int]()
    rows: Counter[str] = Counter()
    for record in tape:
        batch = logic.route_records([record])
        rows += taken(batch.block)
        rows += sum((folded(batch, partition, folds, given_to, record.append_ms) for partition in folds), Counter())
    RouteLogic(logic.snapshot(), wiring)
    for partition, fold in folds.items():
        if given_to[partition]:
            FoldLogic(fold.snapshot())
    return rows


def folded(
    batch: RoutedBatch, partition: int, folds: dict[int, FoldLogic], given_to: Counter[int], at_ms: int
) -> Counter[str]:
    rows: Counter[str] = Counter()
    for place, key, payload in batch.entries:
        if place == partition:
            offset = given_to[partition]
            given_to[partition] += 1
            frame = encode_frame(at_ms, key, payload)
            records, _ = decode_frames(frame, partition, offset, 1)
            rows += taken(folds[partition]._apply(Frames.of_records(partition, frame, offset, records)))
    return rows


def taken(block: Block) -> Counter[str]:
    """The rows of a block by table, each value put into the type of its column."""
    rows: Counter[str] = Counter()
    for table, blocks in block.tables.items():
        for columns in blocks:
            rows[table] += native_block(table, types_in_sql(table), [columns])[0]
    return rows


def a_tape(spoiled: dict[str, bytes]) -> list[tuple[bytes, int, bytes]]:
    """The contract's examples in order, some of them spoiled."""
    keys = {name: str(RAW[name].get("device", "")).encode() for name in ORDER}
    return [(spoiled.get(name, encode(RAW[name])), received_ms(name), keys[name]) for name in ORDER]


# -- spoiling -----------------------------------------------------------------------------------------------------------


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Every field and element of a record."""
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield (*at, name)
        yield from places(inner, (*at, name))


@st.composite
def altered(draw: st.DrawFn, record: dict[str, Any]) -> dict[str, Any]:
    """A record with one field left out, made longer or shorter, or given something else."""
    path = draw(st.sampled_from([path for path in places(record) if path != ("type",)]))
    value = value_at(record, path)
    how = draw(st.sampled_from(["leave out", "same kind", "same kind", "same kind", "anything"]))
    if how == "leave out":
        return dict(without(record, path))
    if how == "anything":
        return dict(having(record, path, draw(ANYTHING)))
    return dict(having(record, path, draw(alike(value))))


def alike(value: Any) -> st.SearchStrategy[Any]:
    """Another value of the kind of one."""
    match value:
        case bool():
            return st.just(not value)
        case int():
            near = st.sampled_from(
                (1, -1, 1_000, 1_800_000, -86_400_000, 40 * 86_400_000, -400 * 86_400_000, 10**12, -(10**12))
            )
            return st.sampled_from(INTEGERS) | near.map(lambda step: value + step)
        case str():
            return st.sampled_from(WORDS)
        case list():
            return st.sampled_from([[], value[:1], [*value, *deepcopy(value)], value[::-1], [*value, None]])
        case dict():
            return st.sampled_from([{}, {**value, "": None}, *({key: value[key]} for key in value)])
    return st.sampled_from([*INTEGERS, *WORDS, [], {}])


@st.composite
def spoiled_tapes(draw: st.DrawFn) -> dict[str, bytes]:
    """One to three records of the tape, altered once or twice."""
    spoiled = {}
    for name in draw(st.lists(st.sampled_from(ORDER), min_size=1, max_size=3, unique=True)):
        record = draw(altered(RAW[name]))
        if draw(st.booleans()) and list(places(record)) != [("type",)]:
            record = draw(altered(record))
        spoiled[name] = json.dumps(record).encode()
    return spoiled


def test_the_tape_itself_fills_every_table(wiring: IngestWiring) -> None:
    tables = {
        "raw_records",
        "curated_records",
        "dead_letters",
        "quarantine",
        "ingest_ledger",
        "evidence_stretches",
        "determinant_stretches",
        "adjustments",
        "findings",
        "ledger",
    }
    rows = send(a_tape({}), wiring)
    assert set(rows) == tables and rows["dead_letters"] == 1


@FEW
@given(spoiled=spoiled_tapes())
def test_a_spoiled_record_becomes_rows_or_a_dead_letter(wiring: IngestWiring, spoiled: dict[str, bytes]) -> None:
    assert send(a_tape(spoiled), wiring)["raw_records"] == len(ORDER)


@pytest.mark.long
@MANY
@given(spoiled=spoiled_tapes())
def test_any_spoiled_record_becomes_rows_or_a_dead_letter(wiring: IngestWiring, spoiled: dict[str, bytes]) -> None:
    assert send(a_tape(spoiled), wiring)["raw_records"] == len(ORDER)


NO_RECORDS = [
    b"", b"{", b"null", b"[]", b"1e999", b"\xff\xfe{}", b"[" * 5_000, b'{"a":' * 900 + b"1" + b"}" * 900,
    b'{"v":1,"type":"gate","scope":NaN}', b'{"v":1,"type":"gate","type":"gate","v":1}', b'{"v":1,"type":"\\ud800"}',
    b'{"v":1.0,"type":"gate"}',
    b'{"v":99999999999999999999,"type":"gate"}', b'{"v":1,"type":{}}', b'{"v":1,"type":"__class__"}', b'{"v":1,"type":"reading"}',
    b'{"v":1,"type":"dead_letter","reason":"x","detail":1}',
]  # fmt: skip


@pytest.mark.parametrize("payload", NO_RECORDS, ids=range(len(NO_RECORDS)))
def test_bytes_that_are_no_record_are_a_dead_letter(wiring: IngestWiring, payload: bytes) -> None:
    rows = send([(payload, 0, b"\xff")], wiring)
    assert (rows["raw_records"], rows["dead_letters"]) == (1, 1)


@settings(deadline=None, derandomize=True)
@given(payload=st.binary(max_size=40) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_dead_letter(wiring: IngestWiring, payload: bytes) -> None:
    assert send([(payload, 0, payload[:10])], wiring)["dead_letters"] == 1


@settings(FEW, max_examples=12)
@given(name=st.sampled_from(ORDER), more=st.dictionaries(st.text(min_size=1, max_size=4), ANYTHING, max_size=3))
def test_unknown_fields_are_ignored_whatever_they_hold(wiring: IngestWiring, name: str, more: dict[str, Any]) -> None:
    record = {**more, **RAW[name]}
    assert send(a_tape({name: json.dumps(record).encode()}), wiring)["dead_letters"] == 1


def test_of_a_field_that_stands_twice_the_last_counts(wiring: IngestWiring) -> None:
    twice = encode(RAW["gate"])[:-1] + b',"scope":"nowhere"}'
    assert send(a_tape({"gate": twice}), wiring)["dead_letters"] == 2


def test_a_release_that_names_no_record_is_a_dead_letter_whole(tmp_path: Path) -> None:
    create_topic(tmp_path / "raw", 1)
    create_topic(tmp_path / "curated", 1)
    with LogWriter(tmp_path / "raw") as raw, LogWriter(tmp_path / "curated") as curated:
        first = raw.append(0, b"SM-17", encode(RAW["register"]), 1)
        for wrong in (first + 1, -1, 2**40):
            release = {**RAW["release"], "coordinates": [[0, first], [0, wrong], [1, 0], [70_000, 3]]}
            raw.append(0, b"SM-17", encode(release), 2)
            raw.flush()
        logic = RouteLogic(None, IngestWiring(tmp_path / "raw", curated, None, lambda: 0))  # type: ignore[arg-type]
        rows = Counter[str]()
        for batch in merged_read(tmp_path / "raw", (0,)):
            rows += taken(logic.route_records(batch.records).block)
    # what is not written yet is nobody's, as is what stands in another partition
    assert rows["dead_letters"] == 2
