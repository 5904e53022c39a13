"""XML that means harm, or is no Green Button feed: refused by name, with the place and what to do, and without the memory it asks for."""

import gzip
import io
import tracemalloc
import zipfile
import zlib
from pathlib import Path
from typing import Any, cast

import pytest

from connectors import green_button_feed, xml_stream
from connectors.dead_letter import Problem
from connectors.green_button import read_green_button
from tests.unit.green_button_xml import block, channel, feed, parts, readings

SOUND = feed(channel(), block(readings(1)))
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


def refused(source: str | bytes | Path) -> Problem:
    records, problems = parts(source)
    assert not records and problems[-1].refuses_file and problems[-1].remedy
    return problems[-1]


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE feed>\n",
        f'<!DOCTYPE feed [<!ENTITY l0 "lol">{LAUGHS}]>\n',
        '<!DOCTYPE feed [<!ENTITY passwd SYSTEM "file:///etc/passwd">]>\n',
        '<!DOCTYPE feed SYSTEM "http://127.0.0.1:9/x.dtd">\n',
        '<!DOCTYPE feed [<!ENTITY % remote SYSTEM "http://127.0.0.1:9/x.dtd"> %remote;]>\n',
        '<!DOCTYPE feed [<!ATTLIST feed version CDATA "1">]>\n',
    ],
)
def test_a_document_type_is_refused_where_it_begins(doctype: str) -> None:
    problem = refused(feed(channel(), block(readings(1)), head=doctype))
    assert (problem.reason, problem.line) == ("doctype", 2)
    assert str(problem).startswith("<stream>, line 2, column ")


def test_an_entity_that_nobody_declared_breaks_the_file_off() -> None:
    records, problems = parts(SOUND.replace("<title/>", "<title>&l9;</title>", 1))
    assert not records and problems[0].reason == "broken_xml"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("100,NEM12,200405011135,MDA1,Ret1\n", "The XML is broken"),
        ('<rss xmlns="http://www.w3.org/2005/Atom"/>', "<rss>"),
        (SOUND.replace("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"), "purl.org"),
        (SOUND.replace("http://naesb.org/espi", "http://naesb.org/espi/customer"), "no IntervalReading of namespace"),
        (SOUND.replace(' xmlns="http://naesb.org/espi"', ""), "no IntervalReading of namespace"),
        (feed(channel()), "no IntervalReading"),
        (feed(channel(), block("")), "no IntervalReading"),
        (feed(), "no IntervalReading"),
    ],
)
def test_what_is_no_feed_of_readings_is_refused(text: str, says: str) -> None:
    refused(text)
    assert any(says in str(problem) for problem in parts(text)[1])


def test_depth_is_bounded() -> None:
    deep = "<a>" * 100_000 + "</a>" * 100_000
    problem = refused(feed(channel(), deep, block(readings(1))))
    assert problem.reason == "too_deep" and problem.line > 2


def test_the_text_of_an_element_is_bounded() -> None:
    assert refused(SOUND.replace("<title/>", f"<title>{'x' * 100_000}</title>", 1)).reason == "text_too_long"
    assert (
        refused(SOUND.replace("<title/>", f"<title><![CDATA[{'x' * 100_000}]]></title>", 1)).reason == "text_too_long"
    )


@pytest.mark.parametrize("wrapping", ["<x a='{}'/>", "<{}/>", "<!--{}-->", "<?pi {}?>"])
def test_tags_and_comments_are_bounded(wrapping: str) -> None:
    long = wrapping.format("x" * (xml_stream.MAX_TAG + 3 * xml_stream.CHUNK))
    assert refused(SOUND.replace("<title/>", long, 1)).reason == "tag_too_long"


def test_names_are_bounded() -> None:
    names = "".join(f"<n{n}/>" for n in range(3_000))
    prefixes = "".join(f"<x xmlns:p{n}='u'/>" for n in range(3_000))
    attributes = "".join(f"<x a{n}=''/>" for n in range(3_000))
    for many in (names, prefixes, attributes):
        assert refused(SOUND.replace("<title/>", many, 1)).reason == "too_many_names"


def test_channels_and_links_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(green_button_feed, "MAX_CHANNELS", 50)
    many = "".join(block(readings(1), ident=f"{n}") for n in range(60))
    assert refused(feed(channel(), many)).reason == "too_many_channels"
    links = '<link rel="related" href="x"/>' * 60
    assert refused(SOUND.replace("<title/>", links, 1)).reason == "too_many_channels"
    assert refused(SOUND.replace("<title/>", f'<link rel="up" href="{"x" * 3_000}"/>', 1)).reason == "link_too_long"


def test_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(green_button_feed, "MAX_ENTRIES", 50)
    assert refused(feed(channel(), *(block(readings(1), number=n) for n in range(60)))).reason == "too_many_channels"


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Valid XML of 40 MB, in some 40 kB of gzip."""
    packer = zlib.compressobj(9, wbits=31)
    head, _, tail = feed(channel(), "<!-- -->", block(readings(1))).partition("<!-- -->")
    pieces = [packer.compress(head.encode())]
    pieces += [packer.compress(b"<!--" + b" " * 40_000 + b"-->\n") for _ in range(1_000)]
    return b"".join([*pieces, packer.compress(tail.encode()), packer.flush()])


def test_what_unpacks_without_measure_is_refused_early(bomb: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bomb.xml.gz"
    path.write_bytes(bomb)
    tracemalloc.start()
    try:
        problem = refused(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert problem.reason == "unpacks_too_far" and problem.line and peak < 1 << 22
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", SOUND)
        archive.writestr("bomb.xml", gzip.decompress(bomb))
    problem = refused(tmp_path / "bomb.zip")
    assert (problem.reason, problem.file) == ("unpacks_too_far", "bomb.zip/bomb.xml")


def test_archives_that_break_off_are_refused(tmp_path: Path) -> None:
    packed = gzip.compress(feed(channel(), block(readings(*range(2_000)))).encode())
    problem = refused(packed[: len(packed) // 2])
    assert problem.reason == "cannot_read" and problem.line
    damaged = bytearray(packed)
    damaged[len(damaged) // 2] ^= 0xFF
    assert refused(bytes(damaged)).refuses_file
    assert "No such file" in str(refused(tmp_path / "not-there.xml"))


def test_a_source_that_cannot_be_read_twice_is_refused() -> None:
    class Pipe(io.RawIOBase):
        """Bytes that come once."""

        def __init__(self) -> None:
            self._rest = SOUND.encode()

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            n = min(len(buffer), len(self._rest))
            buffer[:n], self._rest = self._rest[:n], self._rest[n:]
            return n

    [problem] = list(read_green_button(cast(Any, Pipe()), "i"))
    assert isinstance(problem, Problem) and problem.reason == "cannot_read" and problem.refuses_file


def test_many_codes_of_quality_do_not_fill_memory() -> None:
    said = "".join(f"<ReadingQuality><quality>{'q' * 60_000}{n}</quality></ReadingQuality>" for n in range(300))
    text = feed(channel(), block(readings(1).replace("<timePeriod>", f"{said}<timePeriod>")))
    source = io.BytesIO(text.encode())
    tracemalloc.start()
    try:
        [problem] = [item for item in read_green_button(source, "i") if isinstance(item, Problem)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert problem.reason == "unknown_quality" and peak < 1 << 21


@pytest.mark.parametrize("shape", [
    "<entry><entry>{}</entry></entry>", "<content>{}</content>", "{}", "<entry><content><Other xmlns='http://naesb.org/espi'/>{}</content></entry>",
])  # fmt: skip
def test_blocks_in_strange_places_give_nothing_and_break_nothing(shape: str) -> None:
    inner = f'<IntervalBlock xmlns="http://naesb.org/espi">{readings(1)}</IntervalBlock>'
    records, problems = parts(feed(shape.format(inner), channel(), block(readings(2)), shape.format(inner)))
    assert [record["quantities_nano"] for record in records] == [[2_000_000]]
    assert [problem.reason for problem in problems] == ["no_meter_reading"] * 2


@pytest.mark.parametrize("encoding", ["TF-8", "utf-7", "punycode", "shift_jis", "zip"])
def test_encodings_are_those_that_meter_data_uses(encoding: str) -> None:
    assert refused(SOUND.replace('encoding="UTF-8"', f'encoding="{encoding}"')).reason == "unknown_encoding"


def test_a_western_encoding_is_read() -> None:
    text = SOUND.replace('encoding="UTF-8"', 'encoding="windows-1252"').replace("<title/>", "<title>Zähler €</title>")
    assert len(parts(text.encode("cp1252"))[0]) == 1
