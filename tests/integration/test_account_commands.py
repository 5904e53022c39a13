"""`meterfold account` and the life of a bill as a person types it, on a directory of its own."""

import json
from pathlib import Path

import pytest

from tests.integration.command import meterfold

PORTFOLIO = """
legal_entities: { ME: { name: My House Ltd, currency: EUR, holds: { amount: 30 } } }
sites: { HOME: { time_zone: Europe/Berlin } }
supply_points: { FLAT: { channels: { E1: { interval: 30 } } } }
accounts: { A-1: { party_id: P-1, billing_from: 2026-01-01, opening_position: 10 } }
tenancies: [ { account: A-1, supply_point: FLAT, from: 2026-01-01, to: 2026-02-01, tariff: PLAIN } ]
tariffs: { PLAIN: { versions: { effective_from: 2026-01-01, standing_per_day: 1.00 } } }
"""


@pytest.mark.long
def test_a_bill_is_held_released_issued_and_paid(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (tmp_path / "portfolio.yaml").write_text(PORTFOLIO)
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(tmp_path / "portfolio.yaml"))
    said = meterfold(data, "bill", "run", "A-1", "--preview")
    assert "would be drafted" in said and "INVOICE preview" in said
    assert "no open draft" in meterfold(data, "bill", "issue", "A-1", code=1)
    assert "AMOUNT" in meterfold(data, "bill", "run")
    assert "held by AMOUNT: the total is 31.00 EUR, beyond 30.00" in meterfold(data, "bill", "issue", "ME-R1")
    assert "bill release A-1 --reason WHY" in meterfold(data, "bill", "issue", "A-1", code=1)
    assert [row["kind"] for row in json.loads(meterfold(data, "bill", "work", "--json"))["work"]] == ["HELD_DRAFT"]
    meterfold(data, "bill", "release", "A-1", "--reason", "as agreed", "--person", "clerk-7")
    assert "issued ME-000001" in meterfold(data, "bill", "issue", "A-1")
    assert "1 line, all come out the same" in meterfold(data, "bill", "reproduce", "ME-R1")
    pay = ("account", "pay", "A-1", "20", "--on", "2026-03-01")
    assert "booked P-" in meterfold(data, *pay)
    assert "is booked already" in meterfold(data, *pay)
    assert "no amount of EUR" in meterfold(data, "account", "pay", "A-1", "0.001", code=1)
    assert "balance 21.00 EUR, owed" in meterfold(data, "account", "show", "A-1")
    (statement,) = json.loads(meterfold(data, "account", "show", "A-1", "--json"))
    assert (statement["balance"], statement["open"], statement["unallocated"]) == ("21.00", "21.00", "0.00")
    assert [(item["reference"], item["status"], item["paid"], item["open"]) for item in statement["open_items"]] == [
        ("ME-000001", "paid in part", "10.00", "21.00")
    ]
    assert "ok  balances_add_up" in meterfold(data, "check")
