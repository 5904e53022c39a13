"""What a box is set up from: the image, the unit and the lock fit the command line and each other."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "edge_collector" / "deploy"
HEAVY = {"bytewax", "chdb", "clickhouse-connect", "numba", "pandas", "pyarrow", "polars", "duckdb"}


def locked(name: str) -> dict[str, str]:
    """Package to version, of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \\;]+)", (ROOT / name).read_text(), re.MULTILINE))


def test_the_box_gets_no_engine_and_the_versions_that_are_tested() -> None:
    box, all_of_it = locked("requirements-edge.lock"), locked("requirements.lock")
    assert not HEAVY & set(box)
    assert {"pymodbus", "prometheus-client", "orjson", "confluent-kafka", "pyserial"} <= set(box)
    assert {name: version for name, version in box.items() if name in all_of_it and all_of_it[name] != version} == {}


def test_the_image_copies_what_is_there_and_starts_the_collector() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert copied and all((ROOT / path).exists() for path in copied)
    assert 'ENTRYPOINT ["meterfold"]' in text and 'CMD ["collect", "--config"' in text
    assert re.search(r"^USER meterfold$", text, re.MULTILINE)


def test_the_unit_restarts_reloads_and_is_well_formed(tmp_path: Path) -> None:
    path = DEPLOY / "meterfold-collect.service"
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(path)
    service = unit["Service"]
    assert service["ExecStart"].split()[1:] == ["collect", "--config", "/etc/meterfold/site.toml"]
    assert service["Restart"] == "always" and "HUP" in service["ExecReload"]
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit was only parsed")
    there = tmp_path / path.name
    there.write_text(path.read_text().replace("/opt/meterfold/bin/meterfold", "/bin/true"))
    said = subprocess.run(["systemd-analyze", "verify", str(there)], capture_output=True, text=True)
    assert said.returncode == 0 and not said.stderr, said.stderr
