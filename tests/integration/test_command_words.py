"""What commands say: versions, refusals, what is held, and the same as JSON."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

import pytest

from meterfold.bill_text import quantity
from meterfold.billing.rating import Blocked
from meterfold.commands.bills import _lacking, _periods
from meterfold.render import cell_text
from tests.integration.command import meterfold

LINES = "".join(
    f"2026-01-0{day}T{hour:02}:{minute}Z,0.123456789\n"
    for day in (5, 6)
    for hour in range(24)
    for minute in ("00", "30")
)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that holds two days of a device that nobody knows."""
    root = tmp_path_factory.mktemp("words")
    (root / "use.csv").write_text("start,quantity\n" + LINES)
    data = root / "data"
    meterfold(data, "init")
    options = ("--device", "X-1", "--register", "E1", "--unit", "kWh", "--interval", "30")
    meterfold(data, "import", "csv-intervals", str(root / "use.csv"), *options)
    return data


def test_run_as_json_has_what_the_table_has(held: Path) -> None:
    found = json.loads(meterfold(held, "run", "--json"))
    assert found["tables"]["quarantine"] == {"new": 2, "total": 2} and found["odd"] == []
    assert "leave out --follow" in meterfold(held, "run", "--json", "--follow", code=1)


def test_what_is_held_is_shown_as_received(held: Path) -> None:
    meterfold(held, "run")
    assert "2026-01-05 00:00Z" in meterfold(held, "quarantine", "list")
    said = meterfold(held, "quarantine", "show", "X-1")
    assert "as received, from use.csv, line 2:" in said and '"quantities_nano":[123456789,' in said
    found = json.loads(meterfold(held, "quarantine", "show", "X-1", "--json"))
    assert [(row["file"], row["line"]) for row in found] == [("use.csv", 2), ("use.csv", 50)]
    assert [len(json.loads(row["payload"])["quantities_nano"]) for row in found] == [48, 48]
    said = meterfold(held, "quarantine", "release", "X-1", "--reason", "a try")
    assert "X-1 is still unknown; add it to the portfolio" in said


def test_a_misspelt_statement_says_which_are_taken(held: Path) -> None:
    said = meterfold(held, "sql", "SELCT 1", code=1)
    assert "'SELCT' is none of SELECT, WITH, SHOW, DESCRIBE" in said
    assert "is none of SELECT" in meterfold(held, "sql", " ", code=1)


def test_what_blocks_says_how_long_and_what_to_do() -> None:
    at, until = datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC)
    block = Blocked("A", date(2026, 4, 1), date(2026, 11, 1), "NOT_HARDENED", "SP", "E", at, until, 0, "why", "do", 7)
    assert _periods(block).split() == "2026-04-01 7 periods, to 2026-10-31".split()
    assert _lacking(block) == "SP/E from 2026-03-31 22:00Z to 2026-10-31 23:00Z: why\ndo"
    assert cell_text(at) == "2026-03-31 22:00Z"


def test_days_are_counted() -> None:
    assert [quantity(Decimal(n), "day") for n in ("31", "1", "-1")] == ["31 days", "1 day", "-1 day"]
    assert quantity(Decimal("1.50"), "kWh") == "1.5 kWh"


def test_the_version_is_said() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "meterfold.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout == f"meterfold {version('meterfold')}\n"
