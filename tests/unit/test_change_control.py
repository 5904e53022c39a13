"""Prices that change by editions alone: what a load may say about them, and what becomes an edition."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from meterfold.portfolio import Plan, Portfolio, load_text, plan
from meterfold.portfolio.problem import Problem
from meterfold.portfolio.records_tariffs import Body
from meterfold.tariffs.drafting import edition_body

EXAMPLE = (Path(__file__).parents[2] / "examples" / "portfolio.yaml").read_text(encoding="utf-8")
CONTROLLED = EXAMPLE.replace("    currency: EUR\n", "    currency: EUR\n    change_control: true\n", 1)
DEARER = CONTROLLED.replace("E1: 0.2845", "E1: 0.30", 1)
Record = dict[str, Any]


def planned(text: str, log: list[Record]) -> Plan:
    portfolio = load_text(text)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    return plan(portfolio, log)


def logged(records: list[Record]) -> list[Record]:
    """As the command line reads them back."""
    return [orjson.loads(orjson.dumps(record)) for record in records]


def change(action: str, edition: int = 1, **rest: Any) -> Record:
    return {"type": "tariff_change", "tariff": "HOME", "edition": edition, "action": action, **rest}


def body(text: str, log: list[Record]) -> Body:
    found = edition_body(text, "HOME", log)
    assert isinstance(found, dict), [str(problem) for problem in found]
    return found


@pytest.fixture(scope="module")
def log() -> list[Record]:
    assert CONTROLLED != EXAMPLE and DEARER != CONTROLLED
    return logged(planned(CONTROLLED, []).reference_records())


def test_a_file_with_other_prices_is_refused_and_names_the_command_that_drafts_them(log: list[Record]) -> None:
    assert planned(CONTROLLED, log).is_empty and not planned(CONTROLLED, log).problems
    [problem] = planned(DEARER, log).problems
    assert (problem.code, problem.path) == ("change_control", "tariffs.HOME") and problem.line
    assert "legal entity" in problem.wrong and "meterfold tariff draft FILE HOME" in problem.do
    # neither switching it on nor off in the same file gets around it
    off = DEARER.replace("    change_control: true\n", "", 1)
    assert [item.code for item in planned(off, log).problems] == ["change_control"]
    before = logged(planned(EXAMPLE, []).reference_records())
    assert [item.code for item in planned(DEARER, before).problems] == ["change_control"]
    assert not planned(off, before).problems


def test_a_new_tariff_and_everything_else_may_change(log: list[Record]) -> None:
    other = CONTROLLED.replace(
        "tariffs:\n", "tariffs:\n  NEW: { versions: { effective_from: 2026-01-01, energy: { E1: 1 } } }\n", 1
    )
    assert [item.id for item in planned(other, log).added] == ["NEW"]
    assert not planned(other, log).problems


def test_the_file_may_catch_up_with_the_edition_in_effect_and_no_further(log: list[Record]) -> None:
    dearer = body(DEARER, log)
    drafted = [*log, change("drafted", body=dearer)]
    assert planned(DEARER, drafted).problems, "a draft is no price"
    effective = [*drafted, change("approved"), change("effective")]
    assert planned(DEARER, effective).is_empty and not planned(DEARER, effective).problems
    assert planned(CONTROLLED, effective).is_empty, "or stay behind"
    dearest = DEARER.replace("E1: 0.30", "E1: 0.31", 1)
    [problem] = planned(dearest, effective).problems
    assert "editions rate this tariff (HOME#1)" in problem.wrong
    assert planned(DEARER, [*effective, change("withdrawn")]).problems, "rolled back, so the file is ahead again"


def test_an_edition_that_rates_somebody_guards_its_tariff_without_change_control_too() -> None:
    log = logged(planned(EXAMPLE, []).reference_records())
    dearer = EXAMPLE.replace("E1: 0.2845", "E1: 0.30", 1)
    log.append(change("drafted", body=body(DEARER, log)))
    assert not planned(dearer, log).problems
    assert planned(dearer, [*log, change("staged")]).problems


def test_an_edition_is_what_the_loader_makes_of_the_same_text(log: list[Record]) -> None:
    loaded = {record["id"]: record["body"] for record in log if record["kind"] == "tariff"}
    for tariff, expected in loaded.items():
        assert edition_body(CONTROLLED, tariff, log) == expected
    charges = "energy: { E1: 0.2 }, charges: { Fee: { kind: standing, rate: 1, per: month } }"
    alone = f"tariffs:\n  HOME:\n    versions: {{ effective_from: 2026-01-01, {charges} }}\n"
    [version] = body(alone, log)["versions"]
    assert [charge["name"] for charge in version["charges"]] == ["Fee"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("tariffs: { HOMES: {} }", ["line 1: tariffs: the file defines no tariff HOME; did you mean HOMES"]),
        ("sites: {}", ["line 1: tariffs: the file defines no tariff HOME; it has no `tariffs:` at all"]),
        ("tariffs: { HOME", ["not YAML"]),
        ("tariffs: { HOME: { withdrawn: { reason: no } } }", ["neither ends nor is it withdrawn"]),
        (
            "tariffs:\n  HOME:\n    versions: { effective_from: 2026-07-01, energy: { E1: { unit: m3, rate: 1 } } }",
            ["tenancies.", "begins on 2026-07-01", "line 3: tariffs.HOME.versions.energy.E1.unit: m3, but channel E1"],
        ),
        (
            "tariffs:\n  HOME:\n    currency: GBP\n    versions: { effective_from: 2026-01-01, energy: { X: 1 } }",
            ["GBP, but no legal entity bills in it", "prices channel X, which supply point FLAT-1 does not have"],
        ),
    ],
)  # fmt: skip
def test_everything_wrong_with_an_edition_is_said_at_once(log: list[Record], text: str, wrong: list[str]) -> None:
    found = edition_body(text, "HOME", log)
    assert isinstance(found, list) and all(isinstance(problem, Problem) for problem in found)
    said = "\n".join(map(str, found))
    assert all(part in said for part in wrong), said


def test_an_edition_is_of_a_tariff_in_force(log: list[Record]) -> None:
    found = edition_body("tariffs: { NEW: { versions: { effective_from: 2026-01-01 } } }", "NEW", log)
    assert isinstance(found, list) and [problem.code for problem in found] == ["not_in_force"]


def test_no_tariff_is_named_like_an_edition() -> None:
    found = load_text(EXAMPLE.replace("  HOME:\n", "  HOME#2:\n", 1).replace("tariff: HOME", "tariff: HOME#2"))
    assert isinstance(found, list) and "reserved_id" in {problem.code for problem in found}
