"""A hand-over protocol, from the display to the bill: added once, judged like any other read, held against what was metered."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command

from meterfold.cli import app
from meterfold.following import run_command
from meterfold.session import Session, within
from meterfold.workspace import Workspace, create

PORTFOLIO = """
legal_entities: { LL: { name: Landlord Ltd, currency: EUR } }
sites: { SITE: { time_zone: Europe/Berlin, calendar_from_year: 2025 } }
supply_points: { FLAT: { channels: { E1: { interval: 60 } } } }
devices:
  M:
    assignments: { supply_point: FLAT, from: 2026-03-01 }
    registers:
      E1: E1
      1.8.0: { channel: E1, role: check, decimals: 1, digits: 7, max_per_hour: 15 }
accounts: { A-1: { party_id: P-1, billing_from: 2026-03-01 } }
tenancies: [{ account: A-1, supply_point: FLAT, from: 2026-03-01, to: 2026-04-01, tariff: HOME }]
tariffs: { HOME: { versions: { effective_from: 2026-01-01, energy: { E1: 0.30 } } } }
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """March 2026 in hours of half a kWh: 743 of them, as the clock was set forward."""
    root = tmp_path_factory.mktemp("witnessed")
    (root / "portfolio.yaml").write_text(PORTFOLIO)
    first = datetime(2026, 2, 28, 23, tzinfo=UTC)
    rows = (f"{first + timedelta(hours=hour):%Y-%m-%dT%H:%MZ},0.5\n" for hour in range(743))
    (root / "use.csv").write_text("start,quantity\n" + "".join(rows))
    with Workspace(create(root / "data")) as owned:
        said(owned, "portfolio", "load", str(root / "portfolio.yaml"))
        named = ("--device", "M", "--register", "E1", "--unit", "kWh", "--interval", "60")
        said(owned, "import", "csv-intervals", str(root / "use.csv"), *named)
        yield owned


def said(owned: Workspace, *words: str, code: int = 0) -> str:
    """What a command prints in the process that owns the directory."""
    text = StringIO()
    console = Console(file=text, width=140, highlight=False)
    with within(Session(out=console, err=console, directory=Path.cwd(), lent=owned, argv=list(words))):
        found = run_command(get_command(app), list(words), console)
    assert found == code, text.getvalue()
    return text.getvalue()


def add(
    owned: Workspace, at: str, total: str, *more: str, register: str = "1.8.0", device: str = "M", code: int = 0
) -> str:
    words = ("read", "add", device, register, "--at", at, "--total", total, "--by", "P-9", *more)
    return said(owned, *words, code=code)


def test_what_does_not_fit_the_register_is_refused(house: Workspace) -> None:
    refused = {
        "has 7 digits before the point, and M 1.8.0 has 6": add(house, "2026-03-01", "0001000.0", code=1),
        "has 2 decimals, and M 1.8.0 has 1": add(house, "2026-03-01", "001000.00", code=1),
        "is no total": add(house, "2026-03-01", "1,000", code=1),
        "delivers intervals, not totals": add(house, "2026-03-01", "1000", register="E1", code=1),
        "has no register 2.8.0; it has 1.8.0, E1": add(house, "2026-03-01", "1000", register="2.8.0", code=1),
        "no device N is in the portfolio": add(house, "2026-03-01", "1000", device="N", code=1),
        "is not assigned at 2026-02-27T23:00:00Z": add(house, "2026-02-28", "1000", code=1),
        "the clock was set forward over": add(house, "2026-03-29 02:30", "1000", code=1),
        "is still to come": add(house, "2045-01-01", "1000", code=1),
    }
    for words, text in refused.items():
        assert words in " ".join(text.split()), text
    assert house.store.query("SELECT count() FROM evidence WHERE kind = 'register'").rows == [(0,)]


@pytest.mark.long
def test_a_read_is_added_once_judged_and_stands_on_the_bill(house: Workspace) -> None:
    assert "M 1.8.0, FLAT/E1: added; accepted" in add(house, "2026-03-01", "001000.0", "--reason", "move_in")
    assert "was added before; accepted" in add(house, "2026-03-01 00:00", "001000.0", "--reason", "again")
    assert "conflicting: another total" in add(house, "2026-03-01", "001009.0")
    answer = json.loads(add(house, "2026-04-01", "001372.2", "--reason", "move_out", "--photo-ref", "scan-7", "--json"))
    assert answer["added"] and (answer["where"], answer["verdict"], answer["checks_failed"]) == (
        "FLAT/E1",
        "ACCEPTED",
        [],
    )
    payloads = house.store.query(
        "SELECT payload FROM raw_records WHERE device = 'M' AND type = 'register' ORDER BY raw_offset"
    ).rows
    assert [json.loads(row[0])["count"] for row in payloads] == [10000, 10090, 13722], "said twice, added once"
    last = json.loads(payloads[-1][0])
    assert last["flags"] == ["witnessed", "by:P-9", "reason:move_out", "photo:scan-7"] and last["source"] == {
        "file": "read add"
    }

    said(house, "gate", "--until", "2026-04-01")
    said(house, "bill", "run")
    text = " ".join(said(house, "bill", "show", "A-1").split())
    assert "001000.0 001372.2 372.2 kWh 371.5 kWh" in text and "01 Mar 2026 00:00 01 Apr 2026 00:00" in text
    assert "M 1.8.0: the register advanced by 0.7 kWh more than was metered (finding sum_register, 1 time)." in text
    ((document,)) = json.loads(said(house, "bill", "show", "A-1", "--json"))
    (pair,) = document["register_reads"]
    assert (pair["advance"], pair["metered"], pair["gap"]) == ("372.200000000", "371.500000000", "0.700000000")
    assert (pair["opening"], pair["closing"], pair["is_covered"], pair["disagreements"]) == (
        "001000.0",
        "001372.2",
        True,
        1,
    )

    add(house, "2026-04-01", "001371.5", "--version", "1")  # the display was misread
    again = json.loads(said(house, "bill", "show", "A-1", "--json"))
    assert again == [document], "a document shows what its run knew"
    said(house, "bill", "run")
    (now,) = json.loads(said(house, "bill", "show", "A-1", "--json"))
    assert (now["register_reads"][0]["closing"], now["register_reads"][0]["gap"]) == ("001371.5", None)
