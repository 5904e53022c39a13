"""What goes into the store comes out again: every type of every table, in every form a column may be given in, and what is refused."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from connectors.clickhouse import Store
from connectors.clickhouse_columns import Column, Slices, ValueOutOfRange
from connectors.clickhouse_integers import NANO_LIMIT
from connectors.clickhouse_pieces import Pieces
from connectors.clickhouse_types import ColumnType, column_type
from state.outputs import Words
from tests.integration.tables import sampled, tables_made


@pytest.fixture
def store(store: Store) -> Iterator[Store]:
    with sampled(store) as found:
        yield found


TABLES = sorted(tables_made())
TEXTS = ("", "a", "ü", "€uro", "a" * 127, "b" * 128, "line\nfeed\t\x00", "日本" * 9_000)
DAY = date(1970, 1, 1)


def slices(texts: Sequence[str]) -> Slices:
    """Texts cut out of one buffer, with something between them."""
    parts = [text.encode() for text in texts]
    end = np.cumsum([len(part) + 1 for part in parts])
    return Slices(b"|" + b"|".join(parts), end - [len(part) for part in parts], end)


# -- every type of every table --------------------------------------------------------------------------------------------


def some(choice: random.Random, name: str, kind: ColumnType) -> Any:
    """A value that the column can hold, often at the edge of what it can."""
    if kind.element:
        return [some(choice, name, kind.element) for _ in range(choice.choice((0, 0, 1, 3)))]
    if kind.is_nullable and choice.random() < 0.3:
        return None
    if kind.bare == "String":
        return choice.choice(TEXTS[:-1] if kind.has_dictionary else TEXTS)
    if kind.bare == "Bool":
        return choice.random() < 0.5
    if kind.bare == "Date":
        return DAY + timedelta(choice.choice((0, 65_535, choice.randrange(65_536))))
    if kind.decimal:
        precision, places = kind.decimal
        units = choice.choice((0, 10**precision - 1, choice.randrange(10**precision), choice.randrange(10**6)))
        return Decimal((choice.randrange(2) if units else 0, tuple(map(int, str(units))), -places))
    least, most = int(np.iinfo(kind.bare.lower()).min), int(np.iinfo(kind.bare.lower()).max)
    if name.endswith("_nano"):
        least, most = 1 - NANO_LIMIT, NANO_LIMIT - 1
    return choice.choice((0, 1, least, most, choice.randint(least, most)))


def given(choice: random.Random, kind: ColumnType, values: list[Any]) -> Column:
    """The values in one of the forms that a column of the type may be given in."""
    as_words = Words(np.arange(len(values))[::-1].copy(), tuple(values[::-1]))
    forms: list[Column] = [values, tuple(values), as_words]
    if kind.bare.startswith(("Int", "UInt")):
        wide = np.uint64 if kind.bare == "UInt64" else np.int64
        is_null = [value is None for value in values]
        numbers = np.array([value or 0 for value in values], wide)
        forms.append(np.ma.masked_array(numbers, is_null) if kind.is_nullable else numbers)
        forms.append(np.ma.masked_array(numbers, is_null) if kind.is_nullable else numbers.astype(kind.bare.lower()))
    if kind.bare == "String" and None not in values:
        forms.append(slices(values))
    return choice.choice(forms)


@pytest.mark.parametrize("table", TABLES)
def test_every_type_of_every_table_comes_out_as_it_went_in(store: Store, table: str) -> None:
    kinds = {name: column_type(text) for name, text in store.column_types(table).items()}
    names = ", ".join(f"`{name}`" for name in kinds)
    for seed in range(4):
        choice = random.Random(f"{table} {seed}")
        blocks: list[Mapping[str, Column]] = []
        rows: Counter[str] = Counter()
        for number in (40, 0, 1, 25):
            columns = {name: [some(choice, name, kind) for _ in range(number)] for name, kind in kinds.items()}
            blocks.append({name: given(choice, kinds[name], values) for name, values in columns.items()})
            rows.update(map(repr, zip(*columns.values(), strict=True)))
        assert store.insert_blocks(table, blocks) == 66
        assert Counter(map(repr, store.query(f"SELECT {names} FROM {table}").rows)) == rows
        store.command(f"TRUNCATE TABLE {table}")


# -- blocks ---------------------------------------------------------------------------------------------------------------


def stored(store: Store, columns: str) -> list[tuple[Any, ...]]:
    """Some columns of the sample, by raw offset."""
    return store.query(f"SELECT {columns} FROM sample ORDER BY raw_offset").rows


def test_a_column_may_be_words_in_one_block_and_a_list_in_another(store: Store) -> None:
    blocks: list[Mapping[str, Column]] = [
        {
            "raw_offset": np.array([0, 1]),
            "device": Words(np.array([1, 0]), ("D", "ü")),
            "count": Words(np.array([0, 1]), (None, 7)),
            "checks_failed": Words(np.array([1, 0]), ((), ("spike", "ü"))),
        },
        {"raw_offset": [2, 3], "device": ["D", ""], "count": [8, None], "checks_failed": [["ü"], ()]},
        {"raw_offset": [], "device": [], "count": [], "checks_failed": []},
        {
            "checks_failed": np.empty((1, 0), object),
            "count": np.ma.masked_array([NANO_LIMIT], [True]),
            "raw_offset": np.array([4], np.uint8),
            "device": slices(["日本"]),
        },
    ]
    assert store.insert_blocks("sample", blocks) == 5
    assert stored(store, "device, count, checks_failed") == [
        ("ü", None, ["spike", "ü"]),
        ("D", 7, []),
        ("D", 8, ["ü"]),
        ("", None, []),
        ("日本", None, []),
    ]


def test_no_rows_are_no_insert(store: Store) -> None:
    nothing = Words(np.array([], np.int64), ())
    empty = np.array([], np.int64)
    blocks: list[Mapping[str, Column]] = [
        {"raw_offset": [], "device": nothing, "checks_failed": nothing, "count": np.array([])},
        {"raw_offset": empty, "device": Slices(b"", empty, empty), "checks_failed": [], "count": nothing},
    ]
    assert store.insert_blocks("sample", blocks) == 0
    assert store.insert_blocks("sample", []) == 0
    with pytest.raises(ValueError, match="not all of the columns raw_offset"):
        store.insert_blocks("sample", [{"raw_offset": [1]}, {"raw_offset": [1], "device": ["D"]}])


def test_a_column_left_out_has_its_default(store: Store) -> None:
    store.insert("sample", {"raw_offset": np.arange(2)})
    assert stored(store, "raw_partition, device, count, checks_failed, start_ms") == [(0, "", None, [], 0)] * 2


def test_of_rows_with_one_key_in_one_insert_the_last_stands(store: Store) -> None:
    """Inserts do not look for them, so FINAL must, within the one part that the insert made."""
    rows = 60_000
    key, amount = np.arange(rows) // 3, np.arange(rows)
    store.insert("sample", {"supply_point": ["SP"] * rows, "raw_offset": key, "quantity_nano": amount})
    assert store.query("SELECT count() FROM sample").rows == [(rows,)]
    assert store.query("SELECT count(), countIf(quantity_nano = 3 * raw_offset + 2) FROM sample FINAL").rows == [
        (rows // 3, rows // 3)
    ]


def test_parts_of_other_arrays_and_of_structures_are_read_rightly(store: Store) -> None:
    rows = np.zeros(3, [("at", np.int64), ("version", np.int32)])
    rows["at"], rows["version"] = [0, 1, 2], [-1, 5, 2**31 - 1]
    every_other = np.array([9, 0, 8, 0, 7, 0], ">i8")[::2]
    store.insert("sample", {"raw_offset": rows["at"], "version": rows["version"], "start_ms": every_other})
    assert stored(store, "version, start_ms") == [(-1, 9), (5, 8), (2**31 - 1, 7)]


# -- text -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 255, 256, 257, 65_536, 65_537])
def test_a_dictionary_of_any_size(store: Store, number: int) -> None:
    devices = tuple(f"D{at}" for at in range(number))
    store.insert("sample", {"raw_offset": np.arange(number), "device": Words(np.arange(number)[::-1].copy(), devices)})
    assert [device for (device,) in stored(store, "device")] == list(devices[::-1])


def test_slices_may_be_empty_overlap_and_come_from_any_buffer(store: Store) -> None:
    data = "xüy".encode()
    start, end = np.array([0, 1, 1, 4, 0]), np.array([4, 3, 1, 4, 0])
    for buffer in (data, memoryview(data), memoryview(bytearray(data))):
        store.insert("raw_records", {"raw_offset": np.arange(5), "payload": Slices(buffer, start, end)})
        found = store.query("SELECT payload FROM raw_records ORDER BY raw_offset").rows
        assert found == [("xüy",), ("ü",), ("",), ("",), ("",)]
        store.command("TRUNCATE TABLE raw_records")


def test_a_nullable_text_and_values_that_stand_twice(store: Store) -> None:
    reasons = Words(np.array([0, 1, 2, 3]), (None, "", "x", "x"))
    store.insert_blocks(
        "reference_objects",
        [
            {"id": ["0", "1", "2", "3"], "ended_reason": reasons},
            {"id": ["4", "5"], "ended_reason": ["ü", None]},
            {"id": ["6"], "ended_reason": slices(["y"])},
        ],
    )
    found = store.query("SELECT ended_reason FROM reference_objects ORDER BY id").rows
    assert [reason for (reason,) in found] == [None, "", "x", "x", "ü", None, "y"]


# -- refusals -------------------------------------------------------------------------------------------------------------

ONE = np.array([0])
REFUSED: dict[str, tuple[str, str, Any, type[Exception]]] = {
    "a large array": ("sample", "raw_partition", np.array([65_536]), ValueOutOfRange),
    "a negative array": ("sample", "raw_offset", np.array([-1]), ValueOutOfRange),
    "unsigned beyond signed": ("sample", "start_ms", np.array([2**63], np.uint64), ValueOutOfRange),
    "Words beyond": ("sample", "decimals", Words(ONE, (2**31,)), ValueOutOfRange),
    "a list beyond": ("bill_runs", "frontier_partitions", [[0, 65_536]], ValueOutOfRange),
    "a quantity as an array": ("adjustments", "new_nano", np.array([NANO_LIMIT]), ValueOutOfRange),
    "a quantity unmasked": ("sample", "quantity_nano", np.ma.array([-NANO_LIMIT]), ValueOutOfRange),
    "a quantity in Words": ("adjustments", "old_nano", Words(ONE, (NANO_LIMIT,)), ValueOutOfRange),
    "a difference": ("adjustments", "delta_nano", np.array([2 * NANO_LIMIT]), ValueOutOfRange),
    "NULL masked": ("sample", "raw_offset", np.ma.array([1], mask=[True]), ValueOutOfRange),
    "NULL in Words": ("adjustments", "new_nano", Words(ONE, (None,)), ValueOutOfRange),
    "NULL text": ("sample", "device", [None], ValueOutOfRange),
    "NULL text in Words": ("sample", "device", Words(ONE, (None, "x")), ValueOutOfRange),
    "NULL plain text": ("raw_records", "payload", [None], ValueOutOfRange),
    "NULL list": ("sample", "checks_failed", [None], ValueOutOfRange),
    "NULL in a list": ("sample", "checks_failed", [["x", None]], ValueOutOfRange),
    "a float": ("sample", "count", [1.0], TypeError),
    "a float in Words": ("sample", "count", Words(ONE, (1.5,)), TypeError),
    "masked floats": ("sample", "quantity_nano", np.ma.array([1.5]), TypeError),
    "a truth": ("sample", "count", [True], TypeError),
    "a number for a truth": ("reference_objects", "is_withdrawn", [1], TypeError),
    "text for a number": ("sample", "count", ["5"], TypeError),
    "a number for text": ("sample", "device", [5], TypeError),
    "a number for plain text": ("raw_records", "payload", np.array([5]), TypeError),
    "text for a list": ("sample", "checks_failed", ["spike"], TypeError),
    "a float for money": ("bill_lines", "amount", np.array([1.5]), TypeError),
    "a float list for money": ("bill_run_closed", "totals", [[1.5]], TypeError),
    "money that is none": ("bill_lines", "amount", ["much"], ValueOutOfRange),
    "an instant for a day": ("bill_lines", "period_from", [datetime(2026, 1, 1, 5)], TypeError),
    "a day before 1970": ("bill_lines", "period_from", [date(1969, 12, 31)], ValueOutOfRange),
    "a day after 2149": ("bill_lines", "period_from", [date(2149, 6, 7)], ValueOutOfRange),
    "Slices for numbers": ("sample", "count", Slices(b"5", ONE, ONE), TypeError),
    "a code too high": ("sample", "count", Words(np.array([1]), (5,)), IndexError),
    "a code below": ("sample", "device", Words(np.array([-1]), ("x",)), IndexError),
    "a code for no list": ("sample", "checks_failed", Words(np.array([1]), ((),)), IndexError),
    "codes of floats": ("sample", "device", Words(np.array([0.0]), ("x",)), TypeError),
    "a slice beyond": ("raw_records", "payload", Slices(b"abc", ONE, np.array([4])), IndexError),
    "a slice before": ("raw_records", "payload", Slices(b"abc", np.array([-1]), ONE), IndexError),
    "a slice backwards": ("raw_records", "payload", Slices(b"abc", np.array([2]), np.array([1])), IndexError),
    "surrogates": ("raw_records", "payload", ["\ud800"], UnicodeEncodeError),
}


def test_what_does_not_fit_its_column_is_refused_by_name_and_nothing_is_stored(store: Store) -> None:
    for what, (table, column, values, error) in REFUSED.items():
        with pytest.raises(error) as refusal:
            store.insert(table, {column: values})
        assert f"{table}.{column}" in str(refusal.value) or error is UnicodeEncodeError, what
    assert store.query("SELECT table FROM system.parts WHERE active AND table != 'schema_applied'").rows == []


def test_a_value_that_no_row_has_is_not_looked_at_for_null(store: Store) -> None:
    codes = np.array([1])
    store.insert("sample", {"raw_offset": Words(codes, (None, 5)), "device": Words(codes, (None, "x"))})
    assert stored(store, "raw_offset, device") == [(5, "x")]


# -- sending --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_pieces_are_read_like_one_file(size: int) -> None:
    body = Pieces([b"", b"ab", np.array([1, 2], "<u2"), np.arange(6, dtype=np.uint8)[::3], b""])
    read = list(iter(lambda: bytes(body.read(size)), b""))
    assert b"".join(read) == b"ab\x01\x00\x02\x00\x00\x03"
    assert all(len(piece) <= size for piece in read)
