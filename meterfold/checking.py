"""Running sql/checks: each is a query that returns no rows on a healthy store."""

from dataclasses import dataclass
from typing import Any

from meterfold.store import sql_folder
from meterfold.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found; no rows is a pass. `says` is the first line of its file."""

    name: str
    says: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def run_checks(workspace: Workspace) -> list[CheckResult]:
    """All checks, by name."""
    results = []
    for path in sorted((sql_folder() / "checks").glob("*.sql")):
        text = path.read_text()
        found = workspace.store.query(text)
        says = text.splitlines()[0].removeprefix("--").strip()
        results.append(CheckResult(path.stem, says, found.columns, found.rows))
    return results
