"""The commands as a newcomer types them: a simulated building, scanned, read, collected; on a box that has no engine."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.file_log import LogReader
from edge_collector.line_address import UnableToAddress, line_at
from edge_collector.simulate.fault_text import UnableToFault, fault_of
from edge_collector.transport import Framing, Network, SerialLine
from meterfold.workspace import RAW_PARTITIONS, Paths, create

ENVIRONMENT = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
WITHOUT_ENGINE = (
    "import importlib.util as u, sys\n"
    "absent = {'bytewax', 'chdb', 'clickhouse_connect', 'numba', 'pandas', 'yaml'}\n"
    "sys.modules.update(dict.fromkeys(absent))\n"
    "find = u.find_spec\n"
    "u.find_spec = lambda name, *more: None if name in absent else find(name, *more)\n"
    "from meterfold.cli import app\n"
    "app()\n"
)
"""The command line where only requirements-edge.lock is installed: importing what is not there fails."""


def run(*words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ENGINE, *words], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@contextmanager
def running(*words: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A command that goes on, once it has said something; ended by SIGTERM, or killed where that does nothing."""
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_ENGINE, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=ENVIRONMENT,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if until in line:
                break
        else:
            raise AssertionError(f"it never said {until!r}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A simulated building that is served, and an empty data directory."""
    create(tmp_path / "data")
    words = ("simulate", "--dir", str(tmp_path / "b"), "--data", str(tmp_path / "data"), "--meters", "3", "--port", "0")
    with running(*words, until="configured in"):
        yield tmp_path


def records(data: Path) -> list[dict[str, Any]]:
    found = []
    for partition in range(RAW_PARTITIONS):
        with LogReader(Paths(data).raw, partition) as reader:
            found += [json.loads(record.payload) for record in reader.read()]
    return found


def line_of(folder: Path, number: int) -> str:
    """The address of a line, from its site.toml."""
    import tomllib

    link = tomllib.loads((folder / "b" / "site.toml").read_text())["links"][number]
    return f"{'tcp' if link['transport'] == 'tcp' else 'rtu'}://{link['host']}:{link['port']}"


def test_a_building_is_scanned_read_and_collected(folder: Path) -> None:
    site = str(folder / "b" / "site.toml")
    (first, second) = (line_of(folder, 0), line_of(folder, 1))
    found = json.loads(run("scan", first, "--units", "1-3", "--timeout", "0.2", "--json"))
    assert [unit["unit"] for unit in found] == [1, 2]
    best = found[0]["guesses"][0]
    assert best["serial"] and 'profile = "' + found[1]["guesses"][0]["profile"] in run(
        "scan", first, "--units", "2", "--toml"
    )
    rows = json.loads(run("read", first, "1", "--profile", best["profile"], "--json"))
    assert {"serial", "active_import"} <= {row["register"] for row in rows}
    assert "exception 11" in run("read", second, "9", "--profile", "abb_b23", "--timeout", "0.1")

    assert "3 units on 2 lines" in run("collect", "--config", site, "--check")
    with running("collect", "--config", site, until="3 units on 2 lines") as collector:
        assert "1 registers read" in run("outbox", "read-now", "--config", site, "--device", "meter-0002")
        assert "refused" in run("outbox", "read-now", "--config", site, "--device", "nobody", code=1)
        collector.send_signal(signal.SIGHUP)
        until = time.monotonic() + 20
        while not [record for record in records(folder / "data") if record["type"] == "register"]:
            assert time.monotonic() < until, "nothing was published"
            time.sleep(0.05)
    assert collector.returncode == 0
    (read,) = [record for record in records(folder / "data") if record["type"] == "register"]
    assert read["device"] == "meter-0002" and "REREAD" in read["flags"] and read["words"]
    status = json.loads(run("outbox", "status", "--config", site, "--json"))
    assert status["depth"] == {} or not any(sum(kinds.values()) for kinds in status["depth"].values())
    assert status["delivered"] >= 1


def test_what_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('collector = "a/b"\ninterval_s = 7\nlinks = []\n[publish]\nkind = "post"\n')
    said = run("collect", "--config", str(site), code=1)
    assert all(word in said for word in ("collector", "interval_s", "kind", "errors"))
    assert "Traceback" not in said
    assert "give tcp://" in run("scan", "nowhere:1", code=1).replace("\n", " ")
    assert "needs --block" in run("read", "tcp://127.0.0.1:1", "1", "--profile", "meter_blocks", code=1)
    assert "no outbox here" in run("outbox", "status", "--config", str(_good_site(tmp_path)), code=1)
    assert "hexadecimal" in run("inspect", "xyz", code=1)
    assert "active_import = " in run(
        "inspect", "01 04 00 48 00 02 F1 DD 01 04 04 47 0A 49 8D 51 2F", "--profile", "eastron_sdm630"
    )


def _good_site(folder: Path) -> Path:
    path = folder / "good.toml"
    path.write_text(
        'collector = "c"\n[outbox]\npath = "o.db"\n[publish]\nkind = "file-log"\ndata = "d"\n'
        '[[links]]\nname = "l"\ntransport = "tcp"\nhost = "127.0.0.1"\n'
        '[[links.units]]\ndevice = "m"\nunit = 1\nprofile = "abb_b23"\n'
    )
    return path


def test_the_engine_is_not_there_and_nobody_misses_it() -> None:
    said = run("--help")
    assert "collect" in said and "simulate" in said
    assert "portfolio" not in said and "replay" not in said


def test_lines_and_faults_as_they_are_typed() -> None:
    assert line_at("tcp://10.0.0.7") == Network("10.0.0.7", 502, Framing.MBAP)
    assert line_at("rtu://gw:4001") == Network("gw", 4001, Framing.RTU)
    assert line_at("/dev/ttyUSB0?baud=19200&parity=E") == SerialLine("/dev/ttyUSB0", 19200, "E", 1)
    for wrong in ("gw:4001", "rtu://gw", "http://x", "/dev/x?speed=1", "tcp://x:99999"):
        with pytest.raises(UnableToAddress):
            line_at(wrong)
    fault = fault_of("dead_unit:3@1970-01-01T00:00:01Z/1970-01-01T00:00:02Z")
    assert (str(fault.kind), fault.every, fault.from_ms, fault.until_ms) == ("dead_unit", 3, 1000, 2000)
    for wrong in ("nonsense", "swapped_meter", "power_cut@2026-01-01T00:00Z", "busy@yesterday", "busy:0"):
        with pytest.raises(UnableToFault):
            fault_of(wrong)
