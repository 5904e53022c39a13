"""kill -9 of `bill run` and `bill issue` at random points, then again until done: every line billed once, no number skipped or taken twice.

A round takes one directory from reads to issued documents with several kills on the way. Half of them fall anywhere in the time that the
command takes undisturbed, half as soon as the billing log has grown, which is between two of its appends. What a killed process left
behind is told by the records whole in the log file, acknowledged or not.
"""

import json
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from connectors.file_log import Record
from connectors.file_log.frame import decode_frames
from meterfold.billing.rows import line_in_full
from meterfold.workspace import Paths
from tests.integration.command import command, meterfold
from tests.integration.tables import TABLES, rows_of
from tests.integration.test_sql_checks import CHECKS

SEED = 20261122
KILLS = 3
"""Of each command in one round that hit; by turns they wait for the log to grow and fall anywhere."""
FLATS = 4
DOCUMENTS = 2 * FLATS
"""Of January and February."""

PRICES: dict[str, Any] = {
    "effective_from": "2026-01-01",
    "standing_per_day": "0.45",
    "tax": {"name": "VAT", "rate": "0.05"},
}
BANDS = [{"name": "night", "from": "23:00", "to": "06:00", "rate": "0.129"}, {"name": "day", "rate": "0.2845"}]
PORTFOLIO = {
    "legal_entities": {"HOUSE": {"name": "House Ltd", "currency": "GBP", "invoice_series": "HH"}},
    "sites": {"SITE": {"time_zone": "Europe/London"}},
    "supply_points": {f"P{flat}": {"channels": {"E1": {"interval": 60}}} for flat in range(FLATS)},
    "devices": {"M0": {"assignments": {"supply_point": "P0", "from": "2026-01-01"}, "registers": {"E1": "E1"}}},
    "accounts": {f"A{flat}": {"party_id": f"P-{flat}", "billing_from": "2026-01-01"} for flat in range(FLATS)},
    "tenancies": [
        {"account": f"A{flat}", "supply_point": f"P{flat}", "from": "2026-01-01", "to": "2026-03-01", "tariff": tariff}
        for flat, tariff in enumerate(["METERED", *["STANDING"] * (FLATS - 1)])
    ],
    "tariffs": {
        "STANDING": {"versions": [PRICES]},
        "METERED": {"versions": [{**PRICES, "energy": {"E1": {"bands": BANDS}}}]},
    },
}
"""One flat with a meter, and some of which only a standing charge is known."""

FOLDED = {name: f"SELECT * FROM {name} FINAL" for name in TABLES if not name.startswith("bill_")}
BILLED = {
    "documents": "SELECT * EXCEPT (lines_sha256, issued_utc, issued_offset, run_offset) FROM bill_documents WHERE status != 'replaced'",
    "lines": "SELECT * EXCEPT (issued_ms, issued_on, accounting_period, tax_point, issued_offset, line_offset) FROM issued_lines",
    "runs that count": "SELECT run_id, legal_entity, account, rule_version, lines, currencies, totals, frontier_offsets "
    "FROM bill_runs_that_count WHERE lines > 0 ORDER BY billing_offset DESC LIMIT 1",
}
"""What the bills come to; when things happened, and the hash over names of runs, are left out."""

Records = list[dict[str, Any]]


def log_of(data: Path) -> list[Record]:
    """Every whole record in the billing log's file: what the next process that opens it will find."""
    content = (Paths(data).billing / "00000.log").read_bytes()
    return decode_frames(content, 0, 0, max_records=len(content))[0]


def records_of(data: Path, kind: str) -> Records:
    found = [json.loads(record.payload) for record in log_of(data)]
    return [record for record in found if record["type"] == kind]


def closed_run(data: Path) -> str:
    """The run that was closed last."""
    return str(records_of(data, "run_closed")[-1]["run_id"])


@dataclass
class Undisturbed:
    """The same commands with nobody in the way: their times in seconds, and what they left."""

    prepared: Path
    run_s: float
    issue_s: float
    rows: dict[str, list[str]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    root = tmp_path_factory.mktemp("undisturbed")
    prepared, data = root / "prepared", root / "data"
    (root / "portfolio.yaml").write_text(json.dumps(PORTFOLIO))  # which is YAML
    starts = [
        datetime(2026, 1, 1) + timedelta(hours=hour) for hour in range(60 * 24)
    ]  # February hardens by the day after
    hours = [f"{at:%Y-%m-%dT%H:%MZ},{1 + at.hour % 7 / 10:.1f}" for at in starts]
    (root / "reads.csv").write_text("\n".join(["start,quantity", *hours]) + "\n")
    meterfold(prepared, "init")
    meterfold(prepared, "portfolio", "load", str(root / "portfolio.yaml"))
    columns = ("--device", "M0", "--register", "E1", "--unit", "kWh", "--interval", "60")
    meterfold(prepared, "import", "csv-intervals", str(root / "reads.csv"), *columns)
    shutil.copytree(prepared, data, symlinks=True)
    run_s = timed(lambda: meterfold(data, "bill", "run"))
    issue_s = timed(lambda: meterfold(data, "bill", "issue", closed_run(data)))
    return Undisturbed(prepared, run_s, issue_s, rows_with_names(data))


def timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


def rows_with_names(data: Path) -> dict[str, list[str]]:
    """Every table of rows, what the bills come to and what the checks say; the run that counts has one name, however many died first."""
    run_id = closed_run_with_lines(data)
    found = rows_of(data, {**FOLDED, **BILLED, **CHECKS})
    return {name: sorted(row.replace(run_id, "THE-RUN") for row in rows) for name, rows in found.items()}


def closed_run_with_lines(data: Path) -> str:
    return str([record for record in records_of(data, "run_closed") if record["lines"]][-1]["run_id"])


# -- killing ----------------------------------------------------------------------------------------------------------


def started(data: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(data, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_after(process: subprocess.Popen[bytes], delay_s: float) -> bool:
    """Kill it after a while; False if it had ended."""
    try:
        process.wait(delay_s)
    except subprocess.TimeoutExpired:
        return killed(process)
    return False


def kill_when_grown(process: subprocess.Popen[bytes], data: Path, times: int) -> bool:
    """Kill it as soon as the billing log's file has grown so many times; False if it ended before."""
    path = Paths(data).billing / "00000.log"
    size, grown = path.stat().st_size, 0
    while process.poll() is None:
        now = path.stat().st_size
        grown, size = grown + (now > size), now
        if grown == times:
            return killed(process)
        time.sleep(0.0005)
    return False


def killed(process: subprocess.Popen[bytes]) -> bool:
    process.kill()
    return process.wait() == -9


def kills(data: Path, words: tuple[str, ...], usual_s: float, rng: random.Random, most: int) -> Iterator[bool]:
    """Start the command and kill it, by turns after some of its appends and anywhere, until enough hit; whether each did."""
    hits = 0
    for turn in range(3 * KILLS):
        process = started(data, *words)
        if turn % 2:
            hit = kill_after(process, rng.uniform(0, usual_s))
        else:
            hit = kill_when_grown(process, data, rng.randint(1, most))
        yield hit
        hits += hit
        if hits == KILLS:
            return


# -- a round ----------------------------------------------------------------------------------------------------------


def disturbed_run(data: Path, usual_s: float, rng: random.Random) -> Iterator[str]:
    """Kill `bill run` several times, then let it end, or resume it; where each kill fell."""
    known = len(log_of(data))
    for hit in kills(data, ("bill", "run"), usual_s, rng, most=2):
        new = [json.loads(record.payload)["type"] for record in log_of(data)[known:]]
        known += len(new)
        if hit:
            yield "run: before" if not new else "run: after" if "run_closed" in new else "run: during"
    runs = [record for kind in ("run_opened", "run_closed") for record in records_of(data, kind)]
    is_open = len(runs) > 0 and [run["run_id"] for run in runs].count(records_of(data, "run_opened")[-1]["run_id"]) == 1
    meterfold(data, "bill", "run", *["--resume"] * is_open)


def disturbed_issue(data: Path, usual_s: float, rng: random.Random) -> Iterator[str]:
    """Kill `bill issue` several times, then let it end; where each kill fell."""
    run_id, known = closed_run(data), 0
    for hit in kills(data, ("bill", "issue", run_id), usual_s, rng, most=DOCUMENTS // KILLS):
        issued = records_of(data, "issued")
        numbered_without_gap(issued)
        done = len(issued) == DOCUMENTS
        if hit:
            yield "issue: before" if len(issued) == known else "issue: after" if done else "issue: during"
        known = len(issued)
        if done:
            break
    else:
        meterfold(data, "bill", "issue", run_id)
    assert "no open draft" in meterfold(data, "bill", "issue", run_id, code=1)


def numbered_without_gap(issued: Records) -> None:
    assert [record["number"] for record in issued] == list(range(1, len(issued) + 1)), "in the order of the log"
    assert len({record["document_id"] for record in issued}) == len(issued)


def billed_once(data: Path) -> None:
    """Every line of the run is on one issued document, whose hash and total are of just these lines."""
    issued = records_of(data, "issued")
    assert len(issued) == DOCUMENTS
    numbered_without_gap(issued)
    frozen = {record["document_id"]: record for record in issued}
    lines: dict[str, list[bytes]] = {document_id: [] for document_id in frozen}
    charged: Counter[tuple[str, ...]] = Counter()
    for stored in log_of(data):
        record = json.loads(stored.payload)
        if record["type"] == "line" and (document_id := line_in_full(record)["document_id"]) in frozen:
            lines[document_id].append(stored.payload)
            charged[record["account"], record["period_from"], record["element"], record["currency"]] += 1
    assert set(charged.values()) == {1}
    assert {name: sha256(b"\n".join(of)).hexdigest() for name, of in lines.items()} == {
        name: record["lines_sha256"] for name, record in frozen.items()
    }


def adds_nothing(data: Path) -> None:
    meterfold(data, "bill", "run")
    assert records_of(data, "run_closed")[-1] | {"run_id": ""} == {
        "v": 1, "type": "run_closed", "run_id": "", "lines": 0, "total": {},
    }  # fmt: skip
    assert len(records_of(data, "issued")) == DOCUMENTS


def disturbed_round(usual: Undisturbed, data: Path, rng: random.Random) -> Counter[str]:
    """From reads to issued documents with kills on the way; asserts all that must hold, and says where the kills fell."""
    shutil.copytree(usual.prepared, data, symlinks=True)
    fell = Counter(disturbed_run(data, usual.run_s, rng))
    fell.update(disturbed_issue(data, usual.issue_s, rng))
    billed_once(data)
    adds_nothing(data)
    opened = [record["run_id"] for record in records_of(data, "run_opened")]
    assert opened == [f"HOUSE-R{at}" for at in range(1, len(opened) + 1)], "a run is named by its place in the log"
    rows = rows_with_names(data)
    for name, expected in usual.rows.items():
        assert rows[name] == expected, name
    assert {name: rows[name] for name in CHECKS if rows[name]} == {}
    return fell


@pytest.mark.long
def test_no_number_is_skipped_or_taken_twice_and_every_line_is_billed_once_however_issuing_is_killed(
    undisturbed: Undisturbed, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    fell = disturbed_round(undisturbed, tmp_path / "data", random.Random(SEED))
    tell(f"kills of bill run and bill issue: {dict(fell)}")
    assert fell.total() >= 6 and fell["run: during"] >= 1 and fell["issue: during"] >= 1


@pytest.mark.long
def test_the_same_after_twenty_five_kills(
    undisturbed: Undisturbed, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    fell: Counter[str] = Counter()
    for number in range(8):
        fell += disturbed_round(undisturbed, tmp_path / f"data{number}", random.Random(SEED + 1 + number))
        if fell.total() >= 25:
            break
    tell(f"kills of bill run and bill issue: {dict(fell)}")
    assert fell.total() >= 25 and fell["run: during"] >= 3 and fell["issue: during"] >= 3


@pytest.mark.long
def test_of_two_bill_runs_started_at_once_the_second_waits_or_is_refused(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(undisturbed.prepared, data, symlinks=True)
    both = [started(data, "bill", "run") for _ in range(2)]
    codes = sorted(process.wait() for process in both)
    assert codes in ([0, 0], [0, 1])
    kinds = [json.loads(record.payload)["type"] for record in log_of(data)]
    runs = [kind for kind in kinds if kind.startswith("run_")]
    assert runs == ["run_opened", "run_closed"] * codes.count(0), "never one within the other"
    meterfold(data, "bill", "issue", closed_run(data))
    billed_once(data)
