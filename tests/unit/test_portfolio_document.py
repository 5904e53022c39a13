"""The YAML as text with lines: nothing becomes a float, a date or a number of minutes on the way."""

from typing import Any

import pytest

from meterfold.portfolio.document import Document, read_document


def tree(text: str) -> dict[str, Any]:
    document = read_document(text)
    assert isinstance(document, Document), document
    return document.data


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", "0.1"),
        ("0.10", "0.10"),
        ("1e3", "1e3"),
        ("0x1F", "0x1F"),
        ("06:00", "06:00"),
        ("10:07", "10:07"),
        ("2026-01-01", "2026-01-01"),
        ("2026-03-04 10:07", "2026-03-04 10:07"),
        ("0.30000000000000000001", "0.30000000000000000001"),
        ("yes", "yes"),
        ("NaN", "NaN"),
        ("'true'", "true"),
        ('"null"', "null"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_a_value_stays_the_text_that_was_written(written: str, value: Any) -> None:
    assert tree(f"key: {written}") == {"key": value}
    assert tree(f"key: {{ inner: {written} }}") == {"key": {"inner": value}}


def test_every_place_has_the_line_it_stands_on() -> None:
    document = read_document("a:\n  b:\n    - c: 1\n    - {d: 2,\n       e: 3}\n  # a comment\n  f: 4\n")
    assert isinstance(document, Document)
    assert document.place(("a", "b", 0, "c")) == ("a.b.0.c", 3)
    assert document.place(("a", "b", 1, "e")) == ("a.b.1.e", 5)
    assert document.place(("a", "f")) == ("a.f", 7)


def test_what_is_not_written_takes_the_line_of_what_holds_it() -> None:
    document = read_document("a:\n  b: {c: 1}\n")
    assert isinstance(document, Document)
    assert document.place(("a", "b", "missing", "deeper")) == ("a.b.missing.deeper", 2)
    assert document.place(("a", 0, "b", 0, "c")) == ("a.b.c", 2)  # written without its list
    assert document.place(("a", "b", "c", "bands", 0, "rate")) == ("a.b.c", 2)  # written as one value


def test_anchors_and_merge_keys_share_what_many_flats_have_in_common() -> None:
    data = tree(
        "x-flat: &flat {interval: 15, unit: kWh}\na: *flat\nb: {<<: *flat, unit: Wh}\nc: {<<: [{unit: J}, *flat]}\n"
    )
    assert data["a"] == {"interval": "15", "unit": "kWh"}
    assert data["b"] == {"interval": "15", "unit": "Wh"}
    assert data["c"] == {"interval": "15", "unit": "J"}


BILLION = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    ("text", "code", "line", "says"),
    [
        ("", "syntax", 1, "empty"),
        ("# only a comment\n", "syntax", 1, "empty"),
        ("- a\n- b\n", "syntax", 1, "not a mapping"),
        ("a: 1\n b: 2\n", "syntax", 2, "not YAML"),
        ("a: [1, 2\nb: 3\n", "syntax", 2, "not YAML"),
        ("a: 1\n---\nb: 2\n", "syntax", 2, "not YAML"),
        ("a: 1\nb:\n\tc: 2\n", "syntax", 3, "not YAML"),
        ("a: *nobody\n", "syntax", 1, "not YAML"),
        ("a: !!float 0.1\n", "syntax", 1, "tag"),
        ("a: !!python/object/apply:os.system ['true']\n", "syntax", 1, "tag"),
        ("? [a, b]\n: 1\n", "syntax", 1, "key"),
        ("a: &a\n  b: *a\n", "syntax", 1, "contains itself"),
        ("a: {<<: text}\n", "syntax", 1, "names no mapping"),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "duplicate_key", 4, "first on line 2"),
        ("a: 1\na: 2\n", "duplicate_key", 2, "first on line 1"),
        (BILLION, "syntax", 1, "more than 500,000 values"),
    ],
)
def test_a_broken_file_says_where(text: str, code: str, line: int, says: str) -> None:
    problems = read_document(text)
    assert isinstance(problems, list)
    assert [(problem.code, problem.line) for problem in problems][:1] == [(code, line)]
    assert says in problems[0].wrong


def test_bytes_that_are_no_text_are_a_problem_and_a_byte_order_mark_is_not() -> None:
    problems = read_document(b"a: \xff\xfe\n")
    assert isinstance(problems, list)
    assert "UTF-8" in problems[0].do
    assert read_document("\ufeffa: 1\n".encode()) == read_document("a: 1\n")
