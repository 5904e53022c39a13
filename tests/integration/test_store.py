"""The store: exact inserts, refusals, one owner, and a client that is thrown away after any error."""

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import clickhouse_connect
import numpy as np
import pytest

from connectors.clickhouse import Store, StoreIsOwned, UnableToQuery, UnknownTable
from connectors.clickhouse_columns import ValueOutOfRange
from connectors.clickhouse_schema import UnableToMigrate, apply_migrations, apply_models, ordered, statements
from meterfold.store import migrate, sql_folder
from tests.integration.tables import sampled, tables_made


@pytest.fixture
def store(store: Store) -> Iterator[Store]:
    with sampled(store) as found:
        yield found


FAILS_IN_MID_STREAM = "SELECT number, throwIf(number = 200000) FROM numbers(300000) SETTINGS max_block_size = 1000"


def sample(**columns: Any) -> dict[str, Any]:
    count = len(next(iter(columns.values())))
    return {"supply_point": ["SP"] * count, "raw_offset": list(range(count)), **columns}


# -- exact numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nano", [0, 1, -1, 999_999_999, 10**18 - 1, 1 - 10**18])
@pytest.mark.parametrize("form", [list, np.array], ids=["list", "numpy"])
def test_a_nano_integer_is_stored_as_the_same_decimal(store: Store, nano: int, form: Any) -> None:
    store.insert("sample", sample(quantity_nano=form([nano])))
    ((stored, quantity, kind),) = store.query("SELECT quantity_nano, quantity, toTypeName(quantity) FROM sample").rows
    assert stored == nano
    assert quantity == Decimal(nano).scaleb(-9)
    assert kind == "Nullable(Decimal(18, 9))"


@pytest.mark.parametrize("nano", [10**18, -(10**18), 5 * 10**18, 10**30])
def test_a_quantity_out_of_range_is_refused_and_nothing_is_stored(store: Store, nano: int) -> None:
    with pytest.raises(ValueOutOfRange, match=r"sample\.quantity_nano"):
        store.insert("sample", sample(quantity_nano=[1, nano]))
    assert store.query("SELECT count() FROM sample").rows == [(0,)]


def test_clickhouse_itself_refuses_a_quantity_out_of_range(store: Store) -> None:
    with pytest.raises(UnableToQuery, match="old_in_range"):
        store.command("INSERT INTO adjustments (supply_point, old_nano) VALUES ('SP', 5000000000000000000)")


def test_a_difference_may_reach_twice_the_bound(store: Store) -> None:
    delta = 2 * (10**18 - 1)
    store.insert("adjustments", {"supply_point": ["SP"], "delta_nano": [delta]})
    assert store.query("SELECT delta FROM adjustments").rows == [(Decimal(delta).scaleb(-9),)]


def test_null_is_none_or_masked_and_only_where_the_column_may_be_null(store: Store) -> None:
    store.insert("sample", sample(quantity_nano=[None, 5], count=np.ma.array([7, 8], mask=[False, True])))
    assert store.query("SELECT quantity_nano, count FROM sample ORDER BY raw_offset").rows == [(None, 7), (5, None)]
    with pytest.raises(ValueOutOfRange, match="may not be NULL"):
        store.insert("adjustments", {"supply_point": ["SP"], "old_nano": [None]})


def test_milliseconds_become_the_same_instant(store: Store) -> None:
    store.insert("adjustments", {"supply_point": ["SP"], "start_ms": np.array([1_711_846_799_999]), "old_nano": [0]})
    ((instant, back),) = store.query("SELECT start_utc, toUnixTimestamp64Milli(start_utc) FROM adjustments").rows
    assert instant.isoformat() == "2024-03-31T00:59:59.999000+00:00"
    assert back == 1_711_846_799_999


def test_an_absurd_instant_in_a_read_is_stored_and_can_be_read(store: Store) -> None:
    store.insert("sample", sample(start_ms=[2**62, -(2**62)]))
    rows = store.query("SELECT start_ms, toYear(start_utc) FROM sample ORDER BY raw_offset").rows
    assert rows == [(2**62, 2299), (-(2**62), 1900)]


def test_lists_text_bytes_and_money(store: Store) -> None:
    store.insert("sample", sample(checks_failed=[("spike",), []]))
    assert store.query("SELECT checks_failed FROM sample ORDER BY raw_offset").rows == [(["spike"],), ([],)]
    store.insert("raw_records", {"raw_offset": [1], "payload": [b"\xff\x00x"]})
    assert store.query("SELECT hex(payload) FROM raw_records").rows == [("FF0078",)]
    store.insert("bill_lines", {"line_id": ["L"], "amount": ["-12.3400"], "quantity": [Decimal("0.000000000001")]})
    assert store.query("SELECT amount, quantity FROM bill_lines").rows == [
        (Decimal("-12.34"), Decimal("0.000000000001"))
    ]


@pytest.mark.parametrize(
    ("amount", "error"),
    [("0.12345", ValueOutOfRange), (0.1, TypeError), (Decimal("NaN"), ValueOutOfRange), ("1e35", ValueOutOfRange)],
)
def test_money_that_does_not_fit_is_refused(store: Store, amount: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        store.insert("bill_lines", {"line_id": ["L"], "amount": [amount]})


def test_what_does_not_fit_the_table_is_refused(store: Store) -> None:
    with pytest.raises(UnknownTable, match="has no column nonsense"):
        store.insert("sample", {"nonsense": [1]})
    with pytest.raises(UnknownTable, match="no table nowhere"):
        store.insert("nowhere", {"a": [1]})
    with pytest.raises(ValueError, match="differ in length"):
        store.insert("sample", {"supply_point": ["SP"], "raw_offset": [1, 2]})
    with pytest.raises(ValueOutOfRange):
        store.insert("sample", sample(raw_partition=[70_000]))
    with pytest.raises(ValueOutOfRange):
        store.insert("sample", {"supply_point": ["SP"], "raw_offset": [-1]})
    with pytest.raises(TypeError, match="floats"):
        store.insert("sample", sample(quantity_nano=np.array([1.5])))
    assert store.insert("sample", {"supply_point": [], "raw_offset": []}) == 0


# -- one client, one owner ----------------------------------------------------------------------------------------------


def test_a_client_that_failed_in_mid_stream_answers_the_next_query_wrongly(store: Store) -> None:
    """The hazard itself, without the wrapper. When this fails, chDB has mended it, and the wrapper may keep its client."""
    store.close()
    client = clickhouse_connect.get_client(interface="chdb", path=str(store.path))
    try:
        with pytest.raises(clickhouse_connect.driver.exceptions.Error):
            client.query(FAILS_IN_MID_STREAM)
        try:
            answer = client.query("SELECT 42").result_rows
        except clickhouse_connect.driver.exceptions.Error:
            answer = []
        assert answer != [(42,)]
    finally:
        client.close()


def test_the_store_answers_rightly_after_an_error_in_mid_stream(store: Store) -> None:
    for _ in range(3):
        with pytest.raises(UnableToQuery, match="throwIf"):
            store.query(FAILS_IN_MID_STREAM)
        assert store.query("SELECT 42").rows == [(42,)]
    with pytest.raises(ZeroDivisionError), store.session() as session:
        session.command("CREATE TEMPORARY TABLE scratch AS SELECT 1 AS a")
        raise ZeroDivisionError
    with pytest.raises(UnableToQuery, match="scratch"):
        store.query("SELECT * FROM scratch")


def test_a_client_beside_has_tables_and_errors_of_its_own(store: Store) -> None:
    scratch = "CREATE TEMPORARY TABLE scratch AS SELECT {a:Int32} AS a"
    with store.session() as session, store.beside() as other:
        session.command(scratch, {"a": 1})
        other.command(scratch, {"a": 2})
        assert session.query("SELECT a FROM scratch").rows == [(1,)]
        assert other.query("SELECT a FROM scratch").rows == [(2,)]
        with pytest.raises(UnableToQuery, match="throwIf"), store.beside() as third:
            third.query(FAILS_IN_MID_STREAM)
        with pytest.raises(UnableToQuery, match="scratch"), store.beside() as third:
            third.query("SELECT a FROM scratch")
        assert session.query("SELECT a FROM scratch").rows == [(1,)]
        assert other.query("SELECT a FROM scratch").rows == [(2,)]


def test_a_list_of_any_length_is_a_table(store: Store) -> None:
    texts = ["", "it's", "a\tb\n", "\\N", "é" * 300_000, *map(str, range(200_000))]
    with store.session() as session:
        for listed in (texts, []):
            with session.listed("wanted", listed):
                assert session.query("SELECT value FROM wanted").rows == [(text,) for text in listed]
        with pytest.raises(ZeroDivisionError), session.listed("wanted", texts):
            raise ZeroDivisionError
        with session.listed("wanted", ["again"]):
            assert session.query("SELECT value FROM wanted").rows == [("again",)]


def test_texts_come_as_they_are_without_an_object_each(store: Store) -> None:
    lengths = [0, 1, 127, 128, 16_383, 16_384, 2_097_152, 7] * 3
    sql = (
        "SELECT toUInt32(length(text)), text FROM (SELECT repeat('éé', intDiv(length, 4)) || repeat('x', length % 4) AS text "
        "FROM (SELECT arrayJoin({lengths:Array(UInt32)}) AS length)) SETTINGS max_block_size = 5"
    )
    with store.session() as session:
        texts = session.texts(sql, {"lengths": lengths})
        assert list(map(len, texts)) == lengths and texts.size == sum(lengths)
        assert {text.decode() for text in texts} == {"éé" * (length // 4) + "x" * (length % 4) for length in lengths}
        assert texts[-1] == "éé".encode() + b"xxx" and list(texts[8:10]) == [b"", b"x"]
        assert list(session.texts(sql, {"lengths": []})) == []
        with pytest.raises(ValueError, match="UInt32 and String belong"):
            session.texts("SELECT toUInt32(1), 2")


def test_a_second_process_is_told_who_owns_the_store(store: Store) -> None:
    store.query("SELECT 1")
    code = (
        "import sys\nfrom connectors.clickhouse import Store, StoreIsOwned\n"
        "try:\n    Store(sys.argv[1])\nexcept StoreIsOwned as error:\n    print(error)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "is open in another process" in told.stdout


def test_a_second_directory_in_one_process_is_refused_until_the_first_is_closed(store: Store, tmp_path: Path) -> None:
    store.query("SELECT 1")
    with pytest.raises(StoreIsOwned):
        Store(tmp_path)
    store.close()
    with Store(tmp_path) as other:
        assert other.query("SELECT 1").rows == [(1,)]
    assert store.query("SELECT 1").rows == [(1,)]


def test_threads_share_a_store(store: Store) -> None:
    def write(thread: int) -> None:
        for batch in range(5):
            offsets = [thread * 1000 + batch * 10 + at for at in range(10)]
            store.insert("raw_records", {"raw_offset": offsets, "payload": ["x"] * 10})
            store.query("SELECT count() FROM raw_records")

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.query("SELECT uniqExact(raw_offset) FROM raw_records").rows == [(200,)]


def test_an_empty_answer_still_has_its_column_names(store: Store) -> None:
    assert store.query(
        "SELECT supply_point, start_utc FROM determinants WHERE supply_point = {sp:String}", {"sp": "x"}
    ).columns == (
        "supply_point",
        "start_utc",
    )


def test_a_percent_sign_is_not_a_parameter(store: Store) -> None:
    assert store.query("SELECT 7 % 4, 'a%sb'", {"unused": 1}).rows == [(3, "a%sb")]


# -- schema -------------------------------------------------------------------------------------------------------------


def test_every_table_replaces_by_its_key_and_explains_its_columns(store: Store) -> None:
    tables = store.query(
        "SELECT name, engine, partition_key, sorting_key, comment FROM system.tables "
        "WHERE database = currentDatabase() AND engine NOT LIKE '%View' AND name != 'sample' ORDER BY name"
    ).rows
    assert {name for name, *_ in tables} == {*tables_made(), "schema_applied"}
    for name, engine, partition_key, sorting_key, comment in tables:
        assert engine == "ReplacingMergeTree", name
        assert partition_key == "", "a replay cannot land in another partition"
        assert sorting_key and "ms" not in sorting_key.replace("start_ms", "").replace("end_ms", ""), name
        assert "Natural key" in comment, name
    mute = store.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = '' AND default_kind = '' "
        "AND table != 'sample' "
        "AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"
    ).rows
    assert mute == []


def test_a_row_inserted_again_is_one_row(store: Store) -> None:
    for _ in range(2):
        store.insert(
            "adjustments",
            {"supply_point": ["SP"], "channel": ["E"], "start_ms": [0], "end_ms": [1], "old_nano": [5]},
        )
    assert store.query("SELECT count() FROM adjustments FINAL").rows == [(1,)]


def test_the_ledger_and_the_frontier_keep_what_is_furthest(store: Store) -> None:
    for offset, count in ((10, 5), (20, 9), (10, 5)):
        store.insert(
            "ledger", {"curated_partition": [0], "outcome": ["ACCEPTED"], "count": [count], "curated_offset": [offset]}
        )
        store.insert("frontier", {"kind": ["fold"], "partition": [0], "next_offset": [offset], "known_at_ms": [offset]})
    assert store.query("SELECT count, curated_offset FROM ledger FINAL").rows == [(9, 20)]
    assert store.query("SELECT next_offset FROM frontier FINAL").rows == [(20,)]


def test_migrating_twice_changes_nothing(store: Store) -> None:
    assert migrate(store) == []


def test_a_migration_that_changed_or_vanished_is_refused(store: Store, tmp_path: Path) -> None:
    for source in (sql_folder() / "schema").glob("*.sql"):
        (tmp_path / source.name).write_text(source.read_text())
    changed = tmp_path / "0001_raw_records.sql"
    original = changed.read_text()
    changed.write_text(original + "\n-- a word more\n")
    with pytest.raises(UnableToMigrate, match=r"0001_raw_records\.sql was changed"):
        apply_migrations(store, tmp_path)
    changed.unlink()
    with pytest.raises(UnableToMigrate, match="newer version"):
        apply_migrations(store, tmp_path)


def test_a_migration_that_died_before_it_was_recorded_is_finished(store: Store, tmp_path: Path) -> None:
    for source in (sql_folder() / "schema").glob("*.sql"):
        (tmp_path / source.name).write_text(source.read_text())
    (tmp_path / "0099_two_tables.sql").write_text(
        "CREATE TABLE half_a (a UInt8) ENGINE = ReplacingMergeTree ORDER BY a;\n\nCREATE TABLE half_b (a UInt8) ENGINE = Memory;\n"
    )
    store.command("CREATE TABLE half_a (a UInt8) ENGINE = ReplacingMergeTree ORDER BY a")
    try:
        assert apply_migrations(store, tmp_path) == ["0099_two_tables"]
        assert apply_migrations(store, tmp_path) == []
    finally:
        store.command("DROP TABLE half_a")
        store.command("DROP TABLE half_b")
        store.command("ALTER TABLE schema_applied DELETE WHERE name = '0099_two_tables' SETTINGS mutations_sync = 2")


def test_views_are_made_after_what_they_name_and_again_when_it_changes(store: Store, tmp_path: Path) -> None:
    (tmp_path / "a_top.sql").write_text("-- x\nCREATE OR REPLACE VIEW a_top AS SELECT * FROM z_base\n")
    (tmp_path / "z_base.sql").write_text("-- x\nCREATE OR REPLACE VIEW z_base AS SELECT 1 AS a\n")
    try:
        assert apply_models(store, tmp_path) == ["z_base", "a_top"]
        assert apply_models(store, tmp_path) == []
        (tmp_path / "z_base.sql").write_text("-- x\nCREATE OR REPLACE VIEW z_base AS SELECT 1 AS a, 2 AS b\n")
        assert apply_models(store, tmp_path) == ["z_base", "a_top"]
        assert store.query("SELECT * FROM a_top").rows == [(1, 2)]
    finally:
        for name in ("a_top", "z_base"):
            store.command(f"DROP VIEW {name}")
            store.command(f"ALTER TABLE schema_applied DELETE WHERE name = '{name}' SETTINGS mutations_sync = 2")


def test_views_in_a_circle_are_refused() -> None:
    with pytest.raises(UnableToMigrate, match="circle: a, b"):
        ordered({"a": "SELECT * FROM b", "b": "SELECT * FROM a", "c": "SELECT 1"})


def test_a_statement_ends_at_the_end_of_a_line() -> None:
    assert statements("-- only words;\n\nSELECT ';' AS a;\nSELECT 2") == ["SELECT ';' AS a", "SELECT 2"]


def test_every_sql_file_says_its_grain_on_line_one() -> None:
    for path in sorted(sql_folder().rglob("*.sql")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- "), path.name
        adds = "\nALTER TABLE" in path.read_text(encoding="utf-8")  # to a table whose grain its first migration says
        if path.parent.name in ("models", "billing", "explain", "schema") and not adds:
            says = (
                "-- " if path.name.startswith("meterfold_") else "-- One row"
            )  # a function has no grain: it says what it gives
            assert first.startswith(says), path.name
