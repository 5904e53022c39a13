"""Every folder beside this file is a scenario: given a portfolio, when a tape arrives, then these rows and no others."""

from pathlib import Path

import pytest

from tests.scenarios.tape import play
from tests.scenarios.then import ALWAYS, check_books, compare, expected, readable

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent.parent for path in HERE.glob("*/given/portfolio.yaml"))
NO_EVIDENCE = "Evidence is left out:"
"""A line of a scenario's README that begins so says why `then/evidence.csv` is not there."""


def _case(folder: Path) -> object:
    reason = folder / "xfail.txt"
    marks = [pytest.mark.xfail(strict=True, reason=reason.read_text(encoding="utf-8"))] if reason.exists() else []
    return pytest.param(folder, id=folder.name, marks=marks)


@pytest.mark.parametrize("folder", [_case(folder) for folder in FOLDERS])
def test_scenario(folder: Path) -> None:
    played = play(folder)
    got = readable(played)
    told = (folder / "README.md").read_text(encoding="utf-8")
    differences = []
    for stream in ALWAYS:
        columns, wanted = expected(folder / "then" / f"{stream}.csv")
        if stream == "evidence" and not columns and NO_EVIDENCE in told:
            continue
        differences.append(compare(stream, columns, wanted, got[stream]))
    if any(differences):
        pytest.fail("\n\n".join(filter(None, [folder.name, *differences])), pytrace=False)
    check_books(played)


def test_every_scenario_is_told() -> None:
    """What it shows, by which rule, with a timeline; and nothing in then/ that nobody reads."""
    for folder in FOLDERS:
        told = (folder / "README.md").read_text(encoding="utf-8")
        assert told.startswith("# ") and "\nRule" in told, f"{folder.name}: a title, and the rules it shows"
        assert told.count("```") == 2, f"{folder.name}: the timeline is drawn in a fenced block"
        assert {path.stem for path in (folder / "then").glob("*")} <= set(ALWAYS), folder.name


def test_every_folder_is_a_scenario() -> None:
    folders = {path for path in HERE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(FOLDERS)
