"""`meterfold books` as a person types it: a month end, and what a closed month stays through."""

import csv
import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.command import meterfold

PORTFOLIO = """\
legal_entities: { LE: { name: Landlord Ltd, currency: EUR, ledger: { receivable: 1400 } } }
sites: { S: { time_zone: Europe/Berlin } }
supply_points: { SP-1: { channels: { E1: { interval: 15 } } } }
devices: { M-1: { assignments: { supply_point: SP-1, from: 2026-01-01 }, registers: { E1: E1 } } }
accounts: { A-1: { party_id: P-1, billing_from: 2026-01-01, opening_position: -12.40 } }
tenancies: [ { account: A-1, supply_point: SP-1, from: 2026-01-01, tariff: T } ]
tariffs: { T: { versions: [ { effective_from: 2026-01-01, standing_per_day: 1.00 } ] } }
"""


@pytest.mark.long
def test_a_month_end(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "journal.csv"
    (tmp_path / "portfolio.yaml").write_text(PORTFOLIO)
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(tmp_path / "portfolio.yaml"))
    said = meterfold(data, "books", "accrue", "LE", "2026-01", "--person", "finance")
    assert "A-1" in said and "together 31 EUR, tax 0" in said
    shown = meterfold(data, "books", "show", "LE", "2026-01")
    assert "1400" in shown and "-12.40" in shown and "accrued_income" in shown
    assert "nobody is not in the portfolio; it has LE" in meterfold(data, "books", "months", "nobody", code=1)
    closed = json.loads(meterfold(data, "books", "close", "LE", "2026-01", "--person", "finance", "--json"))
    written = json.loads(meterfold(data, "books", "extract", "journal", "LE", "2026-01", "--out", str(out), "--json"))
    assert (written["rows"], written["sha256"]) == (4, hashlib.sha256(out.read_bytes()).hexdigest())
    assert written["sha256"] == {item["name"]: item["sha256"] for item in closed["extracts"]}["journal_v1"]
    with out.open(newline="") as file:
        assert [(row["ledger_account"], row["debit"], row["credit"]) for row in csv.DictReader(file)] == [
            ("1400", "0.0000", "12.4000"), ("opening", "12.4000", "0.0000"),
            ("accrued_income", "31.0000", "0.0000"), ("accrued_revenue", "0.0000", "31.0000"),
        ]  # fmt: skip
    assert "NO" not in meterfold(data, "books", "verify", "LE").split()
    assert "is closed already" in meterfold(data, "books", "close", "LE", "2026-01", "--person", "finance", code=1)


METERED = """\
legal_entities: { LE: { name: Landlord Ltd, currency: EUR } }
sites: { S: { time_zone: Europe/Berlin } }
supply_points: { SP-1: { channels: { E1: { interval: 60 } } } }
devices: { M-1: { assignments: { supply_point: SP-1, from: 2026-01-01 }, registers: { E1: E1 } } }
accounts: { A-1: { party_id: P-1, billing_from: 2026-01-01 } }
tenancies: [ { account: A-1, supply_point: SP-1, from: 2026-01-01, tariff: T } ]
tariffs:
  T: { versions: { effective_from: 2026-01-01, standing_per_day: 1.00, energy: { E1: 0.25 }, tax: { name: VAT, rate: 0.19 } } }
"""
EXTRACTS = ("documents", "lines", "journal", "payments", "determinants")


def imported(data: Path, file: Path, hours: dict[str, str]) -> None:
    """Hours in kWh are read from a file, and become determinants."""
    file.write_text("start,quantity\n" + "".join(f"{start},{kwh}\n" for start, kwh in hours.items()))
    columns = ("--device", "M-1", "--register", "E1", "--unit", "kWh", "--interval", "60")
    meterfold(data, "import", "csv-intervals", str(file), *columns)
    meterfold(data, "run")


def extracts(data: Path, folder: Path, month: str) -> dict[str, bytes]:
    for name in EXTRACTS:
        meterfold(data, "books", "extract", name, "LE", month, "--out", str(folder / name))
    return {name: (folder / name).read_bytes() for name in EXTRACTS}


@pytest.mark.long
def test_a_closed_month_with_reads_is_the_same_bytes_after_a_rebuild_and_after_a_correction(tmp_path: Path) -> None:
    """January is read, billed, issued and closed; the tables are dropped and made again; then an hour of January is corrected."""
    data, out = tmp_path / "data", tmp_path
    (tmp_path / "portfolio.yaml").write_text(METERED)
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(tmp_path / "portfolio.yaml"))
    first = datetime(2025, 12, 31, 23)
    hours = {f"{first + timedelta(hours=at):%Y-%m-%dT%H:%MZ}": f"{1 + at % 5 / 10}" for at in range(31 * 24)}
    imported(data, tmp_path / "january.csv", hours)
    meterfold(data, "gate", "--until", "2026-02-01")
    meterfold(data, "bill", "run")
    meterfold(data, "bill", "issue", "A-1")
    meterfold(data, "books", "close", "LE", "2026-01", "--person", "finance")
    closed = extracts(data, out, "2026-01")
    assert closed["determinants"].count(b"\n") == 1 + 31 * 24
    meterfold(data, "rebuild")
    assert extracts(data, out, "2026-01") == closed
    imported(data, tmp_path / "corrected.csv", {"2026-01-10T12:00Z": "9.9"})
    assert extracts(data, out, "2026-01") == closed
    meterfold(data, "rebuild")
    assert extracts(data, out, "2026-01") == closed
    assert "NO" not in meterfold(data, "books", "verify", "LE").split()
    [correction] = list(csv.DictReader(extracts(data, out, "2026-02")["determinants"].decode().splitlines()))
    assert (correction["start_utc"], correction["revision"]) == ("2026-01-10T12:00:00.000Z", "1")
