"""docs/formats.md tells the truth: its codes and its bounds are those of the code, and it is about every import there is."""

import re
from pathlib import Path

from connectors import green_button, green_button_feed, xml_stream
from connectors.green_button_blocks import MOST
from connectors.green_button_types import quality_of, reading_type_of
from meterfold.commands import imports

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def row(name: str) -> list[str]:
    [found] = re.findall(rf"^\| {name} \|(.*)\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in found.split("|")]


def test_the_units_are_those_of_the_code() -> None:
    codes, units = row("uom"), row("unit")
    assert [reading_type_of({"uom": code}).unit for code in codes] == units and len(codes) == 8


def test_every_quality_is_listed() -> None:
    section = PAGE[PAGE.index("| QualityOfReading |") : PAGE.index("Of several codes")]
    listed = {
        code: line.split("|")[2].strip() for line in section.splitlines() for code in re.findall(r"\b\d+\b", line)
    }
    assert len(listed) == 14
    for code, quality in listed.items():
        assert quality_of(code) == quality


def test_the_bounds_are_those_of_the_code() -> None:
    said = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", PAGE)}
    bounds = {
        xml_stream.MAX_DEPTH, xml_stream.MAX_TEXT, xml_stream.MAX_NAMES, xml_stream.MAX_RATIO, xml_stream.MAX_TAG >> 20,
        xml_stream.FREE_BYTES >> 20, green_button_feed.MAX_CHANNELS, green_button_feed.MAX_ENTRIES,
        green_button_feed.MAX_HREF, green_button.MAX_PROBLEMS, MOST,
    }  # fmt: skip
    assert bounds <= said, bounds - said


def test_every_import_is_named() -> None:
    names = {
        command.name or command.callback.__name__ for command in imports.app.registered_commands if command.callback
    }
    assert all(re.search(rf"`?\b{name}\b", PAGE.splitlines()[2]) for name in names) and len(names) == 5
