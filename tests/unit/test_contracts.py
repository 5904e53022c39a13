"""The contracts hold: schemas, examples and code say the same, and the examples are one story that the code tells again.

The story is in `TAPE`: a smart meter in FLAT-A and a submeter in FLAT-B of one house, one raw partition and one curated one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connectors.clickhouse_native import native_column
from connectors.clickhouse_sink import Frontier
from connectors.clickhouse_types import column_type
from connectors.codec import EDIT_SHAPES, MAX_LEVELS, RAW_SHAPES, UnableToDecode, decode, decode_raw, encode
from connectors.file_log import Record
from dataflows.ingest_rows import IngestRows
from meterfold.billing import rows as billing
from meterfold.billing.shapes import SHAPES
from state.fold import Fold
from state.outputs import COLUMNS, Outputs
from tests.road import Road

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
LOGS = ("raw", "curated", "billing")
SCHEMAS = {name: json.loads((CONTRACTS / f"{name}.schema.json").read_text("utf-8")) for name in (*LOGS, "outputs")}
EXAMPLES: dict[str, dict[str, Any]] = {
    name: {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((CONTRACTS / "examples" / name).iterdir())}
    for name in SCHEMAS
}
OF_LOGS = [(log, name) for log in LOGS for name in EXAMPLES[log]]
RAW = EXAMPLES["raw"]

TAPE = {
    "register": "2026-01-05T07:30:02Z", "assignment": "2026-01-05T08:00Z", "configuration": "2026-01-05T08:00Z",
    "assignment_submeter": "2026-01-05T08:00Z", "configuration_submeter": "2026-01-05T08:00Z",
    "release": "2026-01-05T08:05Z", "register_next": "2026-01-05T08:30:02Z", "register_misread": "2026-01-05T09:00:02Z",
    "edit_refuse_read": "2026-01-05T09:40Z", "day": "2026-01-06T02:10Z", "heartbeat": "2026-01-06T02:10Z",
    "window": "2026-01-06T10:00:20Z", "status_clock": "2026-01-06T10:00:20Z", "status_communication": "2026-01-06T10:31Z",
    "edit_replace": "2026-01-06T14:12Z", "gate": "2026-01-17T06:00Z", "interval": "2026-01-18T09:15Z",
    "interval_beyond_horizon": "2026-01-18T11:00Z", "restatement": "2026-01-19T09:00Z",
    "register_reset": "2026-01-21T13:45Z", "assignment_exchanged": "2026-01-21T14:00Z",
    "configuration_exchanged": "2026-01-21T14:00Z", "dead_letter": "2026-01-22T08:00Z",
    "status_gap": "2026-01-22T09:00Z",
}  # fmt: skip
"""The raw examples in order, at offsets 0, 1, 2, …, with their time of receipt."""


def received_ms(name: str) -> int:
    return int(datetime.fromisoformat(TAPE[name]).timestamp() * 1000)


# -- what the schemas say ---------------------------------------------------------------------------------------------


def types_of(schema: str) -> list[str]:
    """The names of the record types or streams that a schema describes."""
    return [str(item["$ref"]).removeprefix("#/$defs/") for item in SCHEMAS[schema]["oneOf"]]


@cache
def judge(schema: str, kind: str = "") -> Draft202012Validator:
    """Of one type of record; by default of the schema as a whole."""
    whole = SCHEMAS[schema]
    return Draft202012Validator({"$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]} if kind else whole)


def complaint(schema: str, record: Any) -> str:
    """Why the schema refuses a record, "" if it does not."""
    kind = record.get("type") if isinstance(record, dict) else None
    known = kind if kind in types_of(schema) else ""
    return "; ".join(f"{error.json_path}: {error.message}" for error in judge(schema, known).iter_errors(record))


def refusal(record: Any) -> str:
    """Why `decode_raw` refuses a record, "" if it does not."""
    try:
        decode_raw(json.dumps(record).encode())
    except UnableToDecode as error:
        return str(error)
    return ""


def nodes(schema: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every named field of a schema, with its place."""
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            if path.split("/")[-1] not in ("if", "then"):
                yield f"{path}/{name}", field
        for name, inner in schema.items():
            yield from nodes(inner, f"{path}/{name}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_says_of_every_field_in_a_line_what_it_is(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    silent = [path for path, field in nodes(SCHEMAS[name]) if not field.get("description")]
    assert not silent
    described = [*SCHEMAS[name]["$defs"].values(), *(field for _, field in nodes(SCHEMAS[name]))]
    assert all("\n" not in field["description"] and len(field["description"]) <= 140 for field in described)


@pytest.mark.parametrize("name", LOGS)
def test_the_page_names_every_type_and_field(name: str) -> None:
    page = (CONTRACTS / "README.md").read_text("utf-8")
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", page))))
    assert set(types_of(name)) <= words
    if name == "raw":
        unnamed = {path.split("/")[-1] for path, _ in nodes(SCHEMAS[name])} - words
        assert not unnamed


def fields_on_the_page(section: str, within: str) -> dict[str, set[str]]:
    """What a table of the page says: the first cell's name to the fields in the last, with their question marks."""
    page = (CONTRACTS / "README.md").read_text("utf-8")
    part = page[page.index(f"\n## {section} ") :].split("\n## ")[1]
    [table] = [table for table in part.split("\n\n") if table.startswith(f"| {within} |")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {cells[0].strip("`"): set(re.findall(r"`([a-z_]\w*\??)`", cells[-1])) for cells in rows}


def test_the_page_says_what_may_be_absent() -> None:
    expected = {kind: set(shape) for kind, shape in RAW_SHAPES.items()}
    expected["edit"] |= {*EDIT_SHAPES["replace"], *EDIT_SHAPES["refuse_read"]}
    assert fields_on_the_page("reads.raw", "type") == expected
    inside = {
        "source": "source", "timing": "timing", "ranges": "range", "spans": "service", "registers": "register_span", "channels": "channel",
        "policy": "policy", "calendar": "calendar", "rows": "restated",
    }  # fmt: skip
    assert fields_on_the_page("reads.raw", "within") == {
        name: set(marked(SCHEMAS["raw"]["$defs"][definition])) for name, definition in inside.items()
    }
    assert fields_on_the_page("billing", "type") == {
        kind: set(shape) | ({"reason", "at?", "withdrawn?"} if kind == "reference" else set())
        for kind, shape in SHAPES.items()
    }


def marked(described: Mapping[str, Any]) -> Iterator[str]:
    """The fields of an object, those that may be absent with a question mark."""
    yield from (name if name in described.get("required", ()) else f"{name}?" for name in described["properties"])


def demanded_by(shape: Iterable[str]) -> set[str]:
    """The names that must be there; those with a question mark may be absent."""
    return {name for name in shape if not name.endswith("?")}


def test_the_raw_schema_demands_what_the_codec_demands() -> None:
    assert set(types_of("raw")) == set(RAW_SHAPES)
    for kind, shape in RAW_SHAPES.items():
        assert set(SCHEMAS["raw"]["$defs"][kind]["required"]) == {"v", "type", *demanded_by(shape)}, kind


# -- the examples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("log", "name"), OF_LOGS)
def test_an_example_of_a_log_is_of_its_type(log: str, name: str) -> None:
    record = EXAMPLES[log][name]
    assert not complaint(log, record)
    assert name.startswith(record["type"])
    judge(log).validate(record)
    assert decode(encode(record)) == record


@pytest.mark.parametrize("name", EXAMPLES["outputs"])
def test_an_example_of_a_row_is_of_its_stream_alone(name: str) -> None:
    row = EXAMPLES["outputs"][name]
    [kind] = [kind for kind in types_of("outputs") if judge("outputs", kind).is_valid(row)]
    assert name.startswith(kind)
    assert list(row) == list(SCHEMAS["outputs"]["$defs"][kind]["properties"])


def test_there_is_an_example_of_everything() -> None:
    for log in LOGS:
        assert {record["type"] for record in EXAMPLES[log].values()} == set(types_of(log))
    assert set(types_of("outputs")) <= set(EXAMPLES["outputs"])
    shown = {step for record in RAW.values() for path, _ in fields(record) for step in path}
    assert {path.split("/")[-1] for path, _ in nodes(SCHEMAS["raw"])} <= shown


@pytest.mark.parametrize("name", RAW)
def test_a_raw_example_is_decoded_and_comes_back(name: str) -> None:
    decoded = decode_raw(json.dumps(RAW[name]).encode())
    assert decoded == RAW[name]
    assert decode_raw(encode(decoded)) == decoded
    assert encode(decode_raw(encode(decoded))) == encode(RAW[name])


# -- schema and codec agree -------------------------------------------------------------------------------------------

Place = tuple[str | int, ...]
WORDS = ("", "word", "LOCAL_DAY", "ACTUAL", "check")
NUMBERS = (0, 86_400, 86_401, 10**18, -(10**18), 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, 1.5)
VALUES: tuple[Any, ...] = (None, True, *WORDS, *NUMBERS, [], [True], {})
"""Put into every demanded field in turn: some of it is right somewhere, and schema and codec must see that alike."""


def fields(record: Mapping[str, Any]) -> Iterator[tuple[Place, bool]]:
    """The place of each field and first element of a raw record, and whether it is demanded all the way there."""

    def walk(node: Mapping[str, Any], value: Any, at: Place, needed: bool) -> Iterator[tuple[Place, bool]]:
        if "$ref" in node:
            node = SCHEMAS["raw"]["$defs"][str(node["$ref"]).removeprefix("#/$defs/")]
        if isinstance(value, dict):
            for name in value:
                here = needed and name in node.get("required", ())
                yield (*at, name), here
                yield from walk(node["properties"][name], value[name], (*at, name), here)
        elif isinstance(value, list) and value:
            yield (*at, 0), needed
            yield from walk(node["items"] or node["prefixItems"][0], value[0], (*at, 0), needed)

    yield from walk({"$ref": f"#/$defs/{record['type']}"}, record, (), True)


def without(record: Any, path: Place) -> Any:
    changed = deepcopy(record)
    del holder(changed, path)[path[-1]]
    return changed


def having(record: Any, path: Place, value: Any) -> Any:
    changed = deepcopy(record)
    holder(changed, path)[path[-1]] = value
    return changed


def holder(record: Any, path: Place) -> Any:
    for step in path[:-1]:
        record = record[step]
    return record


@pytest.mark.parametrize("name", RAW)
def test_a_field_that_is_demanded_is_missed_by_both(name: str) -> None:
    for path, needed in fields(RAW[name]):
        if needed and isinstance(path[-1], str):
            record = without(RAW[name], path)
            assert complaint("raw", record) and refusal(record), path
    kind = RAW[name]["type"]
    demanded = {path[0] for path, needed in fields(RAW[name]) if needed}
    assert {"v", "type", *demanded_by(RAW_SHAPES[kind])} <= demanded


@pytest.mark.parametrize("name", RAW)
def test_a_field_that_is_optional_is_missed_by_neither(name: str) -> None:
    demanded = {(), *(path for path, needed in fields(RAW[name]) if needed)}
    for path, needed in fields(RAW[name]):
        if not needed and path[:-1] in demanded and isinstance(path[-1], str) and path[-1] not in ACTION_FIELDS:
            record = without(RAW[name], path)
            assert not complaint("raw", record) and not refusal(record), path


@pytest.mark.parametrize("name", RAW)
def test_a_field_that_is_demanded_is_judged_alike(name: str) -> None:
    judged: dict[bool, int] = {True: 0, False: 0}
    for path, needed in fields(RAW[name]):
        if not needed or path == ("type",):
            continue
        for value in VALUES:
            if (path, value) == (("v",), True) or (value == [] and path[-1] == 0 and path[-2] in PAIRS):
                continue  # known to differ: see LENIENT
            record = having(RAW[name], path, value)
            assert bool(complaint("raw", record)) == bool(refusal(record)), (path, value, refusal(record))
            judged[bool(refusal(record))] += 1
    assert judged[True] > judged[False] > 0


@pytest.mark.parametrize("name", RAW)
def test_what_is_unknown_is_tolerated_by_both_or_refused_by_both(name: str) -> None:
    record = RAW[name]
    kind = record["type"]
    inner = [path for path, _ in fields(record) if isinstance(value_at(record, path), dict)]
    for path in [(), *inner]:
        more = having(record, (*path, "added_later"), {"any": ["thing"]})
        assert not complaint("raw", more) and not refusal(more), path
    for version in (0, 2, "1", None, 1.5):
        newer = {**record, "v": version}
        assert complaint("raw", newer)
        assert refusal(newer) == f"unknown version {version!r} of {kind}"
    for other in (f"{kind}s", "", None, 1, [kind]):
        foreign = {**record, "type": other}
        assert complaint("raw", foreign)
        assert refusal(foreign) == f"unknown type {other!r}"


def value_at(record: Any, path: Place) -> Any:
    return holder(record, path)[path[-1]]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"1", b"null", b"\xff", b'{"v":1}'])
def test_what_is_no_record_is_refused(payload: bytes) -> None:
    with pytest.raises(UnableToDecode):
        decode_raw(payload)


# -- what the contract does not allow is refused by both ------------------------------------------------------------------

ACTION_FIELDS = ("start_ms", "quantity_nano", "replaces_version", "register", "at_ms")
PAIRS = ("utc_offsets", "coordinates")


def of_optional_fields() -> Iterator[Any]:
    for record in RAW.values():
        for path, needed in fields(record):
            if not needed:
                yield having(record, path, [True])


def of_actions() -> Iterator[Any]:
    for name in ("edit_replace", "edit_refuse_read"):
        for path in {(field,) for field in ACTION_FIELDS} & {path for path, _ in fields(RAW[name])}:
            yield without(RAW[name], path)


def of_pairs() -> Iterator[Any]:
    for pair in ([], [1], [1, 2, 3]):
        yield having(RAW["release"], ("coordinates", 0), pair)
        yield having(RAW["configuration"], ("calendar", "utc_offsets", 0), pair)


def of_version_true() -> Iterator[Any]:
    yield {**RAW["gate"], "v": True}


def of_scopes() -> Iterator[Any]:
    for scope in (
        "ALL",
        "all ",
        "site",
        "site:",
        "HARBOUR-HOUSE",
        "supply_point:FLAT-A",
        "sites:HARBOUR-HOUSE",
        " all",
    ):
        yield {**RAW["gate"], "scope": scope}


def of_bounds() -> Iterator[Any]:
    for line in (-1, 2**32):
        yield having(RAW["dead_letter"], ("source", "line"), line)
    for word in (-1, 65_536):
        yield having(RAW["register"], ("words",), [word])
    for offset in (86_400, -86_400):
        yield having(RAW["configuration"], ("calendar", "utc_offsets"), [[0, offset]])
    for day in ("20260101", "2026-1-1", "New Year"):
        yield having(RAW["configuration"], ("calendar", "holidays"), [day])


LENIENT = [of_optional_fields, of_actions, of_pairs, of_version_true, of_scopes, of_bounds]


@pytest.mark.parametrize("records", LENIENT)
def test_the_schema_refuses_what_the_contract_does_not_allow(records: Callable[[], Iterator[Any]]) -> None:
    assert all(complaint("raw", record) for record in records())


@pytest.mark.parametrize("records", LENIENT)
def test_decode_raw_refuses_what_the_contract_does_not_allow(records: Callable[[], Iterator[Any]]) -> None:
    assert all(refusal(record) for record in records())


def test_only_the_codec_can_tell_a_float_without_fraction_from_an_integer() -> None:
    record = {**RAW["interval"], "start_ms": float(RAW["interval"]["start_ms"])}
    assert not complaint("raw", record)
    assert refusal(record)


@pytest.mark.parametrize("scope", ["all", "site:HARBOUR-HOUSE", "site:any: thing"])
def test_a_gate_is_for_all_or_for_a_site(scope: str) -> None:
    assert not complaint("raw", {**RAW["gate"], "scope": scope}) and not refusal({**RAW["gate"], "scope": scope})


def test_only_the_codec_can_tell_days_that_are_none_and_clocks_that_run_backwards() -> None:
    offsets = [[1_000, 3600], [0, 0]]
    for place, value in ((("calendar", "holidays"), ["2026-02-30"]), (("calendar", "utc_offsets"), offsets)):
        record = having(RAW["configuration"], place, value)
        assert not complaint("raw", record)
        assert "calendar" in refusal(record)


def test_a_record_that_could_not_be_written_again_is_refused() -> None:
    def nested(levels: int) -> bytes:
        return encode(RAW["gate"])[:-1] + b',"added_later":' + b"[" * levels + b"]" * levels + b"}"

    decode_raw(nested(MAX_LEVELS - 1))
    for levels in (MAX_LEVELS, 255, 1_000):  # the encoder goes down to 254, the decoder to 1024
        with pytest.raises(UnableToDecode, match=f"more than {MAX_LEVELS} levels of objects and lists"):
            decode_raw(nested(levels))
    with pytest.raises(UnableToDecode, match="not JSON"):
        decode_raw(nested(1_100))


# -- the story: from raw examples to the curated ones, and from those to the rows --------------------------------------


class RecordingFold(Fold):
    """A fold that remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(curated_partition=0)
        self.given: list[dict[str, Any]] = []

    def apply(self, record: Mapping[str, Any], curated_offset: int, append_ms: int, out: Outputs) -> None:
        self.given.append(json.loads(encode(record)))
        super().apply(record, curated_offset, append_ms, out)


@pytest.fixture(scope="module")
def told() -> Road:
    """The road after the tape; a dead letter is ingest's alone."""
    road = Road()
    road.fold = RecordingFold()
    for name in TAPE:
        if name != "dead_letter":
            road.received_ms = received_ms(name)
            road.send([RAW[name]])
    road.fold.ledger_rows(road.out)
    return road


def given(road: Road) -> list[dict[str, Any]]:
    assert isinstance(road.fold, RecordingFold)
    return road.fold.given


def test_the_tape_holds_every_raw_example_and_the_router_takes_them(told: Road) -> None:
    assert set(TAPE) == set(RAW)
    assert not told.dead
    outcomes = {name: count for name, count in told.router.ledger.items() if not name.startswith("intervals_")}
    assert outcomes == {"forwarded": 21, "quarantined": 2}


def test_routing_the_raw_examples_gives_the_curated_ones(told: Road) -> None:
    strangers = [name for name, record in EXAMPLES["curated"].items() if record not in given(told)]
    assert not strangers
    assert not [why for record in given(told) if (why := complaint("curated", record))]


def test_the_fold_takes_the_curated_examples() -> None:
    fold, out = Fold(0), Outputs()
    records = sorted(EXAMPLES["curated"].values(), key=lambda record: (record["raw"], record["sub"]))
    assert records[0]["type"] == "configuration"
    for offset, record in enumerate(records):
        fold.apply(record, offset, record["received_ms"], out)
    assert not [row for row in out.findings if row[COLUMNS["findings"].index("severity")] == "error"]
    controls = {record["type"] for record in records} - {"intervals", "register", "edit"}
    assert {f"control:{kind}" for kind in controls} <= set(fold.ledger)


def test_the_fold_gives_the_rows_of_the_examples(told: Road) -> None:
    assert not [row for row in told.rows("findings") if row["severity"] == "error"]
    for stream in COLUMNS:
        rows = json.loads(json.dumps(told.rows(stream)))
        assert rows and not [row for row in rows if not judge("outputs", stream).is_valid(row)]
        key = SCHEMAS["outputs"]["$defs"][stream]["x-natural-key"]
        for name, row in EXAMPLES["outputs"].items():
            if name.startswith(stream) and not name.endswith("_by_ingest"):
                assert [other for other in rows if all(other[part] == row[part] for part in key)] == [row], name


def test_ingest_gives_the_rows_of_the_examples(told: Road) -> None:
    rows = IngestRows()
    rows.hold(told.held[1:])
    record, at_ms = RAW["dead_letter"], received_ms("dead_letter")
    key = str(record["source"]["file"]).encode()
    rows.refused_by_connector(Record(0, list(TAPE).index("dead_letter"), 0, at_ms, key, encode(record)), record)
    found = {
        table: {name: values[0] for name, values in columns.items()} for table, (columns,) in rows.tables().items()
    }
    assert found["quarantine"] == EXAMPLES["outputs"]["quarantine_by_ingest"]
    assert found["dead_letters"] == EXAMPLES["outputs"]["dead_letters"]
    frontier = Frontier("fold", 0, len(given(told)), told.fold.known_at_ms)
    assert asdict(frontier) == EXAMPLES["outputs"]["frontier"]


# -- columns ----------------------------------------------------------------------------------------------------------


@cache
def migrations_of(table: str) -> str:
    """The migration that makes a table, and the columns of those that add some to it, each in a line as the first ones."""
    schema = ROOT / "sql" / "schema"
    [made] = schema.glob(f"????_{table}.sql")
    texts = [path.read_text("utf-8") for path in sorted(schema.glob("*.sql"))]
    more = [re.sub("ADD COLUMN IF NOT EXISTS ", "", text) for text in texts if f"\nALTER TABLE {table}\n" in text]
    return "\n".join([made.read_text("utf-8"), *more])


def columns_in_sql(table: str) -> tuple[list[str], list[str]]:
    """The stored columns of a table and its sorting key, from its migration."""
    text = migrations_of(table)
    lines = re.findall(r"^    ([a-z]\w*) .*", text, re.MULTILINE)
    derived = re.findall(r"^    ([a-z]\w*) .* ALIAS ", text, re.MULTILINE)
    [key] = re.findall(r"^ORDER BY \(?([^)\n]+)\)?$", text, re.MULTILINE)
    return [name for name in lines if name not in derived], key.split(", ")


@cache
def types_in_sql(table: str) -> dict[str, str]:
    """The ClickHouse type of every column of a table, from its migration."""
    found = re.findall(r"^    ([a-z]\w*) +((?:\w+\()*\w+(?:, \d+)?\)*)", migrations_of(table), re.MULTILINE)
    return {str(name): str(kind) for name, kind in found}


def test_the_folds_columns_are_the_schemas() -> None:
    for stream, columns in COLUMNS.items():
        described = SCHEMAS["outputs"]["$defs"][stream]
        assert list(described["properties"]) == described["required"] == list(columns), stream


@pytest.mark.parametrize("stream", types_of("outputs"))
def test_the_tables_columns_are_the_schemas(stream: str) -> None:
    described = SCHEMAS["outputs"]["$defs"][stream]
    columns, key = columns_in_sql(stream)
    stored = {column for column in columns if not column.endswith("_utc")}  # those are aliases for people
    assert stored == set(described["properties"]) == set(described["required"])
    assert set(key) == set(described["x-natural-key"])


# -- billing ----------------------------------------------------------------------------------------------------------

BILLING = EXAMPLES["billing"]


def projected(record: Any) -> billing.Row:
    return billing.row_of(billing.Place(4_711, received_ms("dead_letter"), json.dumps(record).encode()))


@pytest.mark.parametrize("name", BILLING)
def test_a_billing_example_becomes_a_row_of_its_table(name: str) -> None:
    table, row = projected(BILLING[name])
    assert set(row) == set(columns_in_sql(table)[0])
    projected({**BILLING[name], "added_later": 1})
    assert not complaint("billing", {**BILLING[name], "added_later": 1})


@pytest.mark.parametrize("name", BILLING)
def test_a_billing_record_lacks_a_field_for_both_or_for_neither(name: str) -> None:
    record = BILLING[name]
    inner = [("ended", field) for field in record.get("ended") or ()]
    for path in [(field,) for field in record] + inner:
        lacking = without(record, path)
        if complaint("billing", lacking):
            with pytest.raises(billing.UnableToProject):
                projected(lacking)
        else:
            projected(lacking)
    for other in ({**record, "v": 2}, {**record, "type": "lines"}):
        assert complaint("billing", other)
        with pytest.raises(billing.UnableToProject, match=r"version 2|type 'lines'"):
            projected(other)


@pytest.mark.parametrize("name", BILLING)
def test_a_billing_record_with_anything_else_in_a_field_is_refused_or_a_row_that_its_table_takes(name: str) -> None:
    refused = 0
    for path in [(field,) for field in BILLING[name]] + [("total", "GBP")] * (name == "run_closed"):
        for value in (
            *VALUES,
            "1e3",
            "NaN",
            "0.00001",
            "9" * 40,
            "2026-02-30",
            "0001-01-01",
            [[0]],
            [[0, -1, 0]],
            {"GBP": 1},
        ):
            record = having(BILLING[name], path, value)
            try:
                table, row = projected(record)
            except billing.UnableToProject as error:
                assert "the billing record at 4711 " in str(error)
                refused += 1
                continue
            for column, found in row.items():
                native_column(f"{table}.{column}", column_type(types_in_sql(table)[column]), [[found]])
            assert value == BILLING[name][path[0]] or not complaint("billing", record), (path, value)
    assert refused > 10


@pytest.mark.parametrize(
    ("kind", "body"),
    [("account", {}), ("account", {"billing_from": "soon"}), ("tenancy", {"from": None}), ("tariff", {}),
     ("tariff", {"versions": [{"effective_from": 2026}]}), ("site", {"holidays": ["2026-13-01"]})],
)  # fmt: skip
def test_a_reference_whose_days_no_view_can_read_is_refused(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(billing.UnableToProject, match=kind):
        projected({**BILLING["reference_account"], "kind": kind, "body": body})


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff", b'{"v":1}', b"[" * 2000, b'{"v":1,"type":[]}'])
def test_bytes_that_are_no_billing_record_are_refused(payload: bytes) -> None:
    with pytest.raises(billing.UnableToProject, match="the billing record at 5 "):
        billing.row_of(billing.Place(5, 0, payload))


def test_the_billing_examples_are_one_bill() -> None:
    closed, issued = BILLING["run_closed"], BILLING["issued"]
    full = {name: billing.line_in_full(record) for name, record in BILLING.items() if record["type"] == "line"}
    of = [name for name, line in full.items() if line["document_id"] == issued["document_id"]]
    lines = [BILLING[name] for name in of]
    assert [full[name]["line_id"] for name in of] == [f"{issued['document_id']}/{at}" for at in (1, 2, 3)]
    assert len({record["run_id"] for record in (*lines, closed, issued, BILLING["run_opened"])}) == 1
    assert sum(Decimal(line["amount"]) for line in lines) == Decimal(issued["total"]) == Decimal(closed["total"]["GBP"])
    assert all(round(Decimal(line["rate"]) * Decimal(line["quantity"]), 2) == Decimal(line["amount"]) for line in lines)
    assert sha256(b"\n".join(map(billing.encode, lines))).hexdigest() == issued["lines_sha256"]
    assert closed["lines"] == len(lines)


@pytest.mark.parametrize("name", [name for name, record in BILLING.items() if record["type"] == "line"])
def test_a_line_says_the_same_with_what_follows_from_the_rest_and_without(name: str) -> None:
    short, full = BILLING[name], billing.line_in_full(BILLING[name])
    assert set(SHAPES["line"]) - {"tax_point?", "withheld?"} <= {*full, *(f"{field}?" for field in full)}
    rows = [{**projected(record)[1], "payload": b""} for record in (short, full)]
    assert rows[0] == rows[1]
