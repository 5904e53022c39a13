"""`meterfold tariff` as a person types it."""

import json
from pathlib import Path

import pytest

from tests.integration.command import meterfold

PORTFOLIO = """
legal_entities: { ME: { name: My House Ltd, currency: EUR, change_control: true } }
sites: { HOME: { time_zone: Europe/Berlin } }
supply_points: { FLAT: { channels: { E1: { interval: 30 } } } }
accounts: { A-1: { party_id: P-1, billing_from: 2026-01-01 } }
tenancies: [ { account: A-1, supply_point: FLAT, from: 2026-01-01, tariff: PLAIN } ]
tariffs: { PLAIN: { versions: { effective_from: 2026-01-01, energy: { E1: 0.30 } } } }
"""


@pytest.mark.long
def test_an_edition_goes_its_way_and_says_so(tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "portfolio.yaml"
    file.write_text(PORTFOLIO)
    meterfold(data, "init")
    meterfold(data, "portfolio", "load", str(file))
    file.write_text(PORTFOLIO.replace("0.30", "0.25"))
    refused = meterfold(data, "portfolio", "load", str(file), code=1)
    assert "ME has change control" in refused and "`meterfold tariff draft FILE PLAIN`" in refused

    ann = ("--person", "ann", "--reason", "cheaper")
    said = meterfold(data, "tariff", "draft", str(file), "PLAIN", *ann)
    assert "PLAIN#1 drafted by ann, as claimed" in said and "bands[flat].rate: 0.3 -> 0.25" in said
    assert "meterfold tariff propose PLAIN#1" in meterfold(data, "tariff", "approve", "PLAIN#1", *ann, code=1)
    meterfold(data, "tariff", "propose", "PLAIN#1", *ann)
    [found] = json.loads(meterfold(data, "tariff", "list", "--json"))
    assert (found["name"], found["state"], found["rates"]) == ("PLAIN#1", "proposed", "nobody")
