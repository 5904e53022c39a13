"""Evidence older than the horizon: held, found by replay, applied by a restatement that a person promotes, billed."""

import json
from pathlib import Path
from typing import Any

import pytest

from meterfold.demo.house import write_files
from tests.integration.command import meterfold

LATE = "device,register,start,quantity,unit,interval_minutes\nSM-17,E1,2026-01-05T18:00Z,7.250,kWh,30\n"


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which January was billed, closed through February, and then corrected for one half-hour."""
    root = tmp_path_factory.mktemp("replay")
    data, files = root / "data", write_files(root / "files")
    (root / "late.csv").write_text(LATE)
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(files.portfolio))
    meterfold(data, "import", "csv-intervals", str(files.january_a))
    meterfold(data, "import", "csv-registers", str(files.january_b))
    meterfold(data, "gate", "--until", "2026-02-01")
    meterfold(data, "bill", "run")
    meterfold(data, "bill", "issue", "ACC-A")
    meterfold(data, "gate", "--until", "2026-03-01")
    meterfold(data, "import", "csv-intervals", str(root / "late.csv"))
    meterfold(data, "run")
    return data


def rows(data: Path, *words: str) -> list[dict[str, Any]]:
    """What a command prints as JSON."""
    return json.loads(meterfold(data, *words, "--json"))


@pytest.mark.long
def test_a_read_beyond_the_horizon_is_held_replayed_and_promoted(late: Path) -> None:
    (held,) = rows(late, "sql", "SELECT reason, device FROM open_quarantine")
    assert held == {"reason": "beyond_horizon", "device": "SM-17"}

    (found,) = rows(late, "replay")
    assert (found["supply point"], found["start"], found["promotable"]) == ("FLAT-A", "2026-01-05 18:00Z", "yes")
    assert found["replay gives"] == "7.250000000"
    assert "--reason" in meterfold(late, "replay", "--promote", code=1)

    assert "promoted 1 windows" in meterfold(
        late, "replay", "--promote", "--reason", "the operator's letter of 2 April"
    )
    (adjusted,) = rows(
        late, "sql", "SELECT reason, revision, new_nano FROM adjustments FINAL WHERE start_ms < 1768000000000"
    )
    assert adjusted["reason"] == "CORRECTED_READ" and int(adjusted["revision"]) == 1
    assert int(adjusted["new_nano"]) == 7_250_000_000
    assert rows(late, "sql", "SELECT * FROM open_quarantine") == []
    assert rows(late, "replay") == []
    assert "fails" not in meterfold(late, "check")  # exit 0: every check is silent


@pytest.mark.long
def test_what_was_promoted_is_billed_as_a_difference(late: Path) -> None:
    meterfold(late, "bill", "run")
    (line,) = rows(
        late,
        "sql",
        "SELECT sum(quantity) > 0 AS charges_more, any(quantity_was) > 0 AS after_the_bill FROM bill_lines FINAL "
        "WHERE account = 'ACC-A' AND period_from = '2026-01-01' AND band = 'day' AND quantity_was != 0",
    )
    assert line == {"charges_more": 1, "after_the_bill": 1}
