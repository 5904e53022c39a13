"""`meterfold import nem13` and `import green-button`, from file to determinants and dead letters, as a person runs them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command import meterfold
from tests.unit.green_button_xml import START, block, channel, feed, reading, readings
from tests.unit.test_nem13 import accumulation, nem13

PORTFOLIO = """
legal_entities: { ME: { name: My House Ltd, currency: AUD } }
sites: { HOME: { time_zone: Etc/GMT-10 } }
supply_points:
  GRID: { channels: { E1: { kind: spans } } }
  ROOF: { channels: { B1: { unit: Wh, interval: 15, direction: export } } }
devices:
  NMI1/S1:
    assignments: { supply_point: GRID, from: 2025-01-01 }
    registers: { "11": { channel: E1, decimals: 1, digits: 6, max_per_hour: 20 } }
  C1/P1:
    assignments: { supply_point: ROOF, from: 2025-01-01 10:00 }
    registers: { 01/export: B1 }
"""
"""Ten hours ahead of UTC all year, as the market's clock is."""


def sql(data: Path, query: str) -> Any:
    return json.loads(meterfold(data, "sql", query, "--json"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    meterfold(folder, "init")
    (tmp_path / "portfolio.yaml").write_text(PORTFOLIO)
    meterfold(folder, "portfolio", "load", str(tmp_path / "portfolio.yaml"))
    return folder


def test_nem13(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "reads.csv"
    path.write_bytes(
        nem13(
            accumulation("99990.0", "00010.0", "20.0"),
            accumulation("00010.0", "00040.5", "30.5", previous="20250401101500,A,,", current="20250701101500,A,,"),
            accumulation("00010.0", "00040.0", "77", nmi="OTHER"),
        ).getvalue()
    )
    assert "Import it with `meterfold import nem13`" in meterfold(data, "import", "nem12", str(path), code=1)
    [answer] = json.loads(meterfold(data, "import", "nem13", str(path), "--json"))
    assert set(answer) == {"file", "import", "refused", "records", "readings", "problems"}
    assert (answer["refused"], answer["records"], answer["readings"]) == (False, 5, 4)
    [problem] = answer["problems"]
    assert problem.startswith("reads.csv, line 4: The quantity is 77")
    bad = tmp_path / "bad.csv"
    bad.write_bytes(nem13(accumulation("00980.0", "00970.0", "-10.0", nmi="BACKWARDS")).getvalue())
    assert "0 readings in 1 records, 1 dead letters" in meterfold(data, "import", "nem13", str(bad))
    assert "imported already" in meterfold(
        data, "import", "nem13", str(path), code=1
    )  # nothing has been interpreted yet
    meterfold(data, "run")
    assert "imported already" in meterfold(data, "import", "nem13", str(bad), code=1)
    assert "imported already" in meterfold(data, "import", "nem13", str(path), code=1)
    quantities = sql(data, "SELECT toFloat64(quantity) AS kwh FROM determinants FINAL ORDER BY start_utc")
    assert [row["kwh"] for row in quantities] == [20, 30.5]
    letters = sql(data, "SELECT reason, payload, file, line FROM dead_letters ORDER BY reason")
    assert [letter["reason"] for letter in letters] == ["negative_quantity", "quantity_mismatch"]
    assert [(letter["file"], letter["line"]) for letter in letters] == [("bad.csv", 2), ("reads.csv", 4)]
    assert "BACKWARDS" in letters[0]["payload"] and "OTHER" in letters[1]["payload"]


def test_green_button(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "week.xml.gz"
    inner = readings(1, 2) + reading(START + 1800, "x") + readings(*[4] * 5, start=START + 2700)
    path.write_bytes(gzip.compress(feed(channel(flowDirection=19), block(inner)).encode()))
    said = meterfold(data, "import", "green-button", str(path))
    assert "7 readings in 3 records, 1 dead letters" in said and "week.xml.gz, line " in said
    hostile = tmp_path / "hostile.xml"
    hostile.write_text(feed(channel(), block(readings(1)), head="<!DOCTYPE feed>"))
    [answer] = json.loads(meterfold(data, "import", "green-button", str(hostile), "--json", code=1))
    assert answer["refused"] and answer["records"] == 0 and "document type" in answer["problems"][0]
    meterfold(data, "run")
    meterfold(data, "gate", "--until", "2025-01-01T12:00:00+10:00")
    [row] = sql(data, "SELECT toFloat64(sum(quantity)) AS wh, sum(n_actual) AS actual FROM determinants FINAL")
    assert row["wh"] == pytest.approx(0.026) and row["actual"] == 7  # 1 + 2 + 3 (interpolated) + 5 × 4, in 10⁻³
    assert [r["reason"] for r in sql(data, "SELECT reason FROM dead_letters")] == ["not_an_integer"]
