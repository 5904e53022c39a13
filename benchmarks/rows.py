"""What is measured of a shape, in order, and what must be true before a figure counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.own_process import RowFailed, run
from benchmarks.road import TABLES
from benchmarks.sizes import Size

Found = dict[str, Any]
Say = Callable[[str], None]


@dataclass(slots=True)
class Row:
    """One line of the table: a figure, or the word why there is none."""

    name: str
    title: str
    found: Found = field(default_factory=dict)
    instead: str = ""


@dataclass(slots=True)
class Shape:
    """All that was found of one shape."""

    size: Size
    rows: list[Row]
    components: Found
    checked: list[str]

    @property
    def is_sound(self) -> bool:
        return not any(row.instead.startswith(_DISAGREES) for row in self.rows)


_DISAGREES: Final = "no figure: "
_MISSING: Final = "not installed: pip install -e '.[bench]', or make bench"
_TITLES: Final = {
    "road": "the road: log to chDB, recovery on",
    "batch": "the fold in batches",
    "scalar": "the scalar step (sample)",
    "bytewax": "Bytewax fold_window",
    "duckdb": "DuckDB, batch SQL",
    "polars": "Polars, batch",
}
FIRST_POINTS: Final = 1_000
"""Supply points of the run before the others: enough for everything to be worth compiling (`state.compiling.Worth`)."""
PEERS: Final = {"bytewax": "Bytewax", "duckdb": "DuckDB", "polars": "Polars"}


def measure(size: Size, root: Path, say: Say) -> Shape:
    """Measure one shape, every row in a process of its own; the logs that the road leaves are what the others read."""
    rows = {name: Row(name, title) for name, title in _TITLES.items()}
    say(f"{size.shape}: a small run first, in which is compiled what never was here")
    with TemporaryDirectory(dir=root) as small:
        run("road", replace(size, points=min(size.points, FIRST_POINTS)), Path(small))
    for name in ("road", "lines", "batch", "scalar", "oracle", *PEERS, "components"):
        if name in PEERS and find_spec(name) is None:
            rows[name].instead = _MISSING
            continue
        say(f"{size.shape}: {name}")
        try:
            found = run(name, size, root)
        except RowFailed as error:
            if name not in PEERS:
                raise
            rows[name].instead = f"{_DISAGREES}{str(error).splitlines()[-1]:.60}"
            continue
        if name in rows:
            rows[name].found = found
        else:
            rows.setdefault(name, Row(name, "", found))
    say(f"{size.shape}: checking")
    parts = {name: rows.pop(name).found for name in ("lines", "oracle", "components")}
    for name in PEERS:
        rows[name].found["reads"] = rows["batch"].found["reads"]
    checked = list(_checks(rows, parts["oracle"], root))
    return Shape(size, list(rows.values()), parts["components"], checked)


def _checks(rows: dict[str, Row], oracle: Found, root: Path) -> Iterator[str]:
    """Say what was compared; a row that disagrees loses its figure."""
    wrong = oracle["difference"]
    yield _judge(rows["scalar"], wrong, f"every row of the scalar step is the independent oracle's, {_rows(oracle)}")
    batch, road = rows["batch"].found, rows["road"].found
    if wrong:
        rows["batch"].instead = rows["road"].instead = rows["scalar"].instead
    wrong = differences_of(root)
    yield _judge(
        rows["batch"], wrong, f"every row of the batch fold is the scalar step's, {_rows(rows['scalar'].found)}"
    )
    if wrong:
        rows["scalar"].instead = rows["batch"].instead
    counts = {table: batch["rows"].get(table, 0) for table in TABLES}
    wrong = "" if road["rows"] == counts else f"{road['rows']} stored, {counts} folded"
    wrong = wrong or ("" if counts["evidence"] == road["reads"] else f"{counts['evidence']} verdicts")
    yield _judge(rows["road"], wrong, f"the road stored what the fold emits, {_rows(batch)}, a verdict for each read")
    for name, title in PEERS.items():
        if rows[name].instead:
            continue
        found = rows[name].found
        kind = "current" if "current" in found else "first"
        sums: dict[str, list[int]] = found[kind]
        wrong = _first_difference(sums, batch[kind])
        what = "what stands now" if kind == "current" else "what hardened first (late reads are dropped there)"
        text = f"{title}: number and exact sum of half-hours with a believed read, {len(sums):,} channels; {what}"
        yield _judge(rows[name], wrong, text)


def differences_of(root: Path) -> str:
    """As `folds.differences`, imported late: this process starts the others and stays small."""
    from benchmarks.folds import differences

    return differences(root)


def _judge(row: Row, wrong: str, what: str) -> str:
    if wrong:
        row.instead = f"{_DISAGREES}{wrong}"
    return f"{'WRONG' if wrong else 'equal'}  {what}{': ' + wrong if wrong else ''}"


def _first_difference(theirs: dict[str, list[int]], ours: dict[str, list[int]]) -> str:
    for key in sorted(theirs.keys() | ours.keys()):
        if theirs.get(key) != ours.get(key):
            return f"{key}: {theirs.get(key)}, ours {ours.get(key)}"
    return ""


def _rows(found: Found) -> str:
    return f"{found['rows']['determinants']:,} determinants and {found['rows'].get('adjustments', 0):,} adjustments"
