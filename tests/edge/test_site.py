"""site.toml: what a good one becomes, and all that is wrong in a bad one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_collector.link import Timing
from edge_collector.reading import Priority
from edge_collector.site import Pace, PublishKind, Site
from edge_collector.site_load import UnableToLoadSite, load_site, read_site
from edge_collector.transport import Framing, Network, SerialLine, TlsFiles

ROOT = Path(__file__).parents[2]

HEAD = """
collector = "house"
[publish]
kind = "file-log"
data = "data"
"""
LINK = """
[[links]]
name = "riser"
transport = "tcp"
host = "192.0.2.1"
"""
UNIT = """
[[links.units]]
device = "M-1"
unit = 1
profile = "eastron_sdm630"
"""


def read(text: str, directory: Path = Path("/site")) -> Site:
    return read_site(text, directory)


def problems(text: str, directory: Path = Path("/site")) -> list[str]:
    with pytest.raises(UnableToLoadSite) as refused:
        read_site(text, directory)
    return refused.value.problems


def test_the_example_loads() -> None:
    site = load_site(ROOT / "examples" / "site.toml")
    assert [link.name for link in site.links] == ["riser-1", "main", "heat", "roof"]
    assert site.pace == Pace(900_000, 60_000, 300_000)
    assert isinstance(site.links[3].transport, SerialLine)
    heat = {unit.device: unit.plan.billing[0].address for unit in site.links[2].units}
    assert heat == {"HEAT-1": 0, "HEAT-2": 1600}
    pinned = {unit.device: unit.serial for _, unit in site.units() if unit.serial}
    assert pinned == {"SUB-2": "20114513"}


def test_the_least_that_a_site_must_say() -> None:
    site = read(HEAD + LINK + UNIT)
    assert (site.collector, site.pace, site.metrics_port) == ("house", Pace(), None)
    assert (site.publish.kind, site.publish.data) == (PublishKind.FILE_LOG, Path("/site/data"))
    assert site.outbox.path == Path("/site/outbox.db")
    (link,) = site.links
    assert (link.transport, link.timing) == (Network("192.0.2.1", 502, Framing.MBAP), Timing(1000, 200))
    (unit,) = link.units
    assert [spec.name for spec in unit.profile.billing] == ["active_import", "active_export"]
    assert unit.profile.telemetry


def test_the_same_file_makes_an_equal_site() -> None:
    assert read(HEAD + LINK + UNIT) == read(HEAD + LINK + UNIT)


def test_a_site_may_bill_other_registers_and_measure_nothing() -> None:
    (unit,) = read(HEAD + LINK + UNIT + 'registers = ["active_total"]\ntelemetry = false').links[0].units
    assert [(spec.name, spec.priority) for spec in unit.profile.registers] == [("active_total", Priority.BILLING)]
    assert unit.plan.telemetry == ()
    (unit,) = read(HEAD + LINK + UNIT + 'registers = ["active_total"]').links[0].units
    assert "active_import" not in {spec.name for spec in unit.profile.registers}


def test_transports(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not looked into before it is used")
    tls = LINK.replace('"tcp"', '"tls"') + 'authority = "ca.pem"\ncheck_name = false\n'
    assert read(HEAD + tls + UNIT, tmp_path).links[0].transport == Network(
        "192.0.2.1", 802, Framing.MBAP, TlsFiles(tmp_path / "ca.pem", check_name=False)
    )
    rtu = LINK.replace('"tcp"', '"rtu-over-tcp"') + "port = 4001\n"
    assert read(HEAD + rtu + UNIT).links[0].transport == Network("192.0.2.1", 4001, Framing.RTU)
    serial = '[[links]]\nname = "cable"\ntransport = "serial"\ndevice = "/dev/ttyS1"\nbaud = 38400\nstopbits = 2\n'
    assert read(HEAD + serial + UNIT).links[0].transport == SerialLine("/dev/ttyS1", 38400, "N", 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("collector =", ["not TOML"]),
        (HEAD + UNIT.replace("links.units", "link"), [r"link: means nothing here; write links", "links: is missing"]),
        (HEAD + LINK, [r"links\[1\].units: is missing"]),
        (HEAD.replace("house", "h@1") + LINK + UNIT, ["collector: 'h@1' holds @ or /"]),
        ("interval_s = 61\n" + HEAD + LINK + UNIT, ["interval_s: 61 does not divide a day; write one", "telemetry_s: 61"]),
        ("interval_s = 30\n" + HEAD + LINK + UNIT, ["interval_s: 30 is no integer from 60 to 3600"]),
        ("interval_s = 60\ntolerance_s = 60\n" + HEAD + LINK + UNIT, ["tolerance_s: 60 is no less than the interval"]),
        ("metrics_port = 70000\n" + HEAD + LINK + UNIT, ["metrics_port: 70000 is no integer from 1 to 65535"]),
        (HEAD.replace("file-log", "kafka") + LINK + UNIT, ["data: does not go with kind kafka", "bootstrap_servers: is missing"]),
        (HEAD.replace("file-log", "post") + LINK + UNIT, ["publish.kind: 'post' is not known; write one of file-log, kafka"]),
        (HEAD + LINK + "port = 0\n" + UNIT, [r"links\[1\].port: 0 is no integer from 1"]),
        (HEAD + LINK + "baud = 9600\n" + UNIT, [r"links\[1\].baud: does not go with transport tcp"]),
        (HEAD + LINK.replace('"tcp"', '"tls"') + UNIT, [r"links\[1\].authority: is missing"]),
        (HEAD + LINK.replace('"tcp"', '"tls"') + 'authority = "no.pem"\n' + UNIT, ["no.pem is no file"]),
        (HEAD + LINK.replace('"tcp"', '"rtu-over-tcp"') + UNIT, [r"links\[1\].port: is missing"]),
        (HEAD + LINK + "timeout_msec = 5\n" + UNIT, [r"timeout_msec: means nothing here; write timeout_ms"]),
        (HEAD + LINK + UNIT + 'telemetri = true', [r"links\[1\].units\[1\].telemetri: means nothing here; write telemetry"]),
        (HEAD + LINK + UNIT + 'telemetry = "yes"', ["'yes' is neither true nor false"]),
        (HEAD + LINK + UNIT + 'registers = ["activ"]', ["eastron_sdm630 has no activ; write some of active_export"]),
        (HEAD + LINK + UNIT + "block = 1", ["the meter stands for itself"]),
        (HEAD + LINK + UNIT.replace("eastron_sdm630", "meter_blocks"), ["block: meter_blocks: give the meter's index"]),
        (HEAD + LINK + UNIT.replace("eastron_sdm630", "nobodys"), [r"units\[1\].profile: nobodys: no profile of that name"]),
        (HEAD + LINK + UNIT.replace("unit = 1", "unit = 256"), [r"unit: 256 is no integer from 0 to 255"]),
        (HEAD + LINK + UNIT + UNIT, ["links.units.device: M-1 is there 2 times", "links.riser.units: unit 1, .* is there 2 times"]),
        (HEAD + LINK + UNIT + LINK + UNIT.replace("M-1", "M-2"), ["links.name: riser is there 2 times", "links: .* put all units"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(text: str, expected: list[str]) -> None:
    found = problems(text)
    assert len(found) == len(expected), found
    for problem, pattern in zip(found, expected, strict=True):
        assert re.search(pattern, problem), (pattern, problem)
        assert problem.startswith("site.toml: ")
        assert "; " in problem, "what to do"


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = (
        "interval_s = 7\n"
        + HEAD
        + LINK
        + "port = 0\ncolour = 1\n"
        + UNIT.replace("unit = 1", "unit = 999")
        + 'block = "x"'
    )
    assert len(problems(text)) == 5


def test_a_profile_with_faults_is_told_by_the_site(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "x"\n[registers]\n')
    found = problems(HEAD + LINK + UNIT.replace("eastron_sdm630", "own.toml"), tmp_path)
    assert len(found) > 1
    assert all("links[1].units[1].profile" in problem and "own.toml" in problem for problem in found)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnableToLoadSite, match=r"cannot be read.*name a UTF-8"):
        load_site(tmp_path / "site.toml")


def test_every_key_stands_in_the_documentation() -> None:
    documented = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "edge.md").read_text()))
    sources = "".join((ROOT / "edge_collector" / name).read_text() for name in ("site_load.py", "site_transport.py"))
    keys = set(
        re.findall(r'table\.(?:number|integer|text|name|switch|names|choice|section|sections|texts)\("(\w+)"', sources)
    )
    assert len(keys) > 20
    assert keys <= documented | {"links", "units", "outbox", "publish"}, keys - documented
