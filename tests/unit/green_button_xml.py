"""Green Button feeds made for tests: one usage point, and meter readings with their types and blocks."""

import io
from collections.abc import Iterable
from typing import Any

from connectors.dead_letter import Problem
from connectors.green_button import read_green_button

BASE = "https://custodian.example/espi/1_1/resource"
POINT = f"{BASE}/RetailCustomer/C1/UsagePoint/P1"
START = 1_735_689_600  # 2025-01-01T00:00Z
UPDATED = "2025-02-01T08:00:00Z"
UPDATED_MS = 1_738_396_800_000


def parts(source: Any, **options: Any) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Records and problems of a feed (text, bytes, an open file or a path); the problems must come first."""
    if isinstance(source, str):
        source = source.encode()
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    found = list(read_green_button(source, "import-1", **options))
    problems = [item for item in found if isinstance(item, Problem)]
    assert found[: len(problems)] == problems, "a problem after a record"
    return [item for item in found if not isinstance(item, Problem)], problems


def entry(self_href: str, up: str, related: Iterable[str], content: str, updated: str = UPDATED) -> str:
    links = [("self", self_href), ("up", up), *(("related", href) for href in related)]
    lines = [f'<link rel="{rel}" href="{href}"/>' for rel, href in links if href]
    stamp = f"<updated>{updated}</updated>" if updated else ""
    return "\n".join(["<entry>", *lines, "<title/>", f"<content>{content}</content>", stamp, "</entry>", ""])


def usage_point(href: str = POINT) -> str:
    return entry(href, href.rpartition("/")[0], [f"{href}/MeterReading"], '<UsagePoint xmlns="http://naesb.org/espi"/>')


def meter_reading(ident: str = "01", kind: str = "07", point: str = POINT) -> str:
    own = f"{point}/MeterReading/{ident}"
    related = [f"{own}/IntervalBlock", f"{BASE}/ReadingType/{kind}"]
    return entry(own, f"{point}/MeterReading", related, '<MeterReading xmlns="http://naesb.org/espi"/>')


def reading_type(ident: str = "07", /, **fields: object) -> str:
    stated = {"flowDirection": 1, "powerOfTenMultiplier": -3, "uom": 72} | fields
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in stated.items() if value is not None)
    content = f'<ReadingType xmlns="http://naesb.org/espi">{inner}</ReadingType>'
    return entry(f"{BASE}/ReadingType/{ident}", f"{BASE}/ReadingType", [], content)


def reading(start: object, value: object, duration: object = 900, quality: object = None) -> str:
    said = "" if quality is None else f"<ReadingQuality><quality>{quality}</quality></ReadingQuality>"
    period = f"<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod>"
    return f"<IntervalReading><cost>907</cost>{said}{period}<value>{value}</value><tou>1</tou></IntervalReading>\n"


def readings(*values: object, start: int = START, duration: int = 900) -> str:
    return "".join(reading(start + n * duration, value, duration) for n, value in enumerate(values))


def block(inner: str, ident: str = "01", point: str = POINT, updated: str = UPDATED, number: int = 1) -> str:
    up = f"{point}/MeterReading/{ident}/IntervalBlock"
    content = f'<IntervalBlock xmlns="http://naesb.org/espi"><interval/>\n{inner}</IntervalBlock>'
    return entry(f"{up}/{number}", up, [], content, updated)


def feed(*entries: str, updated: str = "2025-02-02T00:00:00Z", head: str = "") -> str:
    stamp = f"<updated>{updated}</updated>" if updated else ""
    start = f'<feed xmlns="http://www.w3.org/2005/Atom">{stamp}\n'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{start}{"".join(entries)}</feed>\n'


def channel(**fields: object) -> str:
    """A usage point with one meter reading, and its type."""
    return usage_point() + meter_reading() + reading_type(**fields)
