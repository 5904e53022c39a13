"""What came out, as the rows that an analyst writes down in `then/`."""

import csv
import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.scenarios.tape import Played

Row = dict[str, str]
_QUALITIES = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")
_NUMBERS = frozenset(("quantity", "old", "new", "delta", "value"))

ALWAYS = {
    "determinants": ("start", "end", "quantity", "parts", "hardened_by"),
    "adjustments": ("start", "end", "revision", "old", "new", "delta", "parts", "reason", "cause"),
    "findings": ("check_id", "severity", "start", "end", "cause"),
    "evidence": ("start", "value", "verdict"),
    "quarantine": ("start", "reason"),
    "dead_letters": ("reason",),
}
"""Columns that a file of `then/` must have."""

DEFAULTS = {
    "methods": "", "missing_reason": "", "windows": "1", "reads": "1", "end": "", "quality": "ACTUAL", "version": "0",
    "failed": "",
}  # fmt: skip
"""Columns that may be left out when every row holds this."""

NAMES = ("supply_point", "channel", "kind")
"""Columns that may be left out when all rows say the same."""

ON_REQUEST = ("device", "register", "cause", "detail", "not_run")
"""Columns that are compared only where a file has them."""


def readable(played: Played) -> dict[str, list[Row]]:
    """Every stream in text: times on the site's clock, quantities in units, causes by their labels."""
    held = [held._asdict() for held in played.road.held]
    for row in held:
        row |= {"origin_offset": row["offset"], "raw_offset": row["offset"], "raw_sub": row["sub"], "supply_point": ""}
    rows = {stream: played.road.rows(stream) for stream in ALWAYS if stream not in ("dead_letters", "quarantine")}
    rows["quarantine"] = held + played.road.rows("quarantine")
    found = {
        stream: [_ROW[stream](row, played) for row in sorted(some, key=_ORDER[stream])] for stream, some in rows.items()
    }
    return {**found, "dead_letters": [{"reason": reason} for reason in played.road.dead]}


def expected(path: Path) -> tuple[list[str], list[Row]]:
    """The columns and rows of a file of `then/`; no file: nothing."""
    if not path.exists():
        return [], []
    columns, *lines = [[cell.strip() for cell in line] for line in csv.reader(path.open(encoding="utf-8")) if line]
    for line in lines:
        assert len(line) == len(columns), f"{path}: {', '.join(line)}: {len(line)} cells, not {len(columns)}"
    rows = [dict(zip(columns, line, strict=True)) for line in lines]
    return columns, [{name: _plain(name, cell) for name, cell in row.items()} for row in rows]


def compare(stream: str, columns: list[str], wanted: list[Row], got: list[Row]) -> str:
    """What differs, as a diff of aligned lines; empty when nothing does."""
    if not columns:
        columns = [name for name in got[0] if name not in ON_REQUEST] if got else []
        return _diff(stream, columns, wanted, got)
    known = {*ALWAYS[stream], *DEFAULTS, *NAMES, *ON_REQUEST}
    complaints = [f"{stream}: needs the column {name}" for name in ALWAYS[stream] if name not in columns]
    complaints += [f"{stream}: has no column {name}" for name in columns if name not in known]
    for name in (DEFAULTS.keys() | set(NAMES)) - set(columns):
        values = {row[name] for row in got if name in row}
        if (len(values) > 1) if name in NAMES else values - {DEFAULTS[name]}:
            complaints.append(f"{stream}: needs the column {name}, which holds {sorted(values)}")
    return "\n".join(complaints) or _diff(stream, columns, _merged(wanted), _merged(_only(columns, got)))


def check_books(played: Played) -> None:
    """What holds for every tape: the ledger counts the verdicts, an adjustment corrects the revision before it."""
    rows = played.road.rows
    verdicts = Counter(row["verdict"] for row in rows("evidence"))
    counted = {name: count for name, count in played.road.fold.ledger.items() if not name.startswith("control:")}
    assert counted == verdicts
    for row in rows("adjustments"):
        assert row["corrects_revision"] == row["revision"] - 1
    for row in rows("determinants") + rows("adjustments"):
        present = [name for name in _QUALITIES if row[f"n_{name.lower()}"]]
        assert row["quality"] == (present[-1] if present else "")


# -- rows ---------------------------------------------------------------------------------------------------------


def _determinant(row: Mapping[str, Any], played: Played) -> Row:
    return {
        **_place(row, played), "windows": "1", "quantity": _units(row["quantity_nano"]), **_standing(row),
        "hardened_by": row["hardened_by"], "cause": played.labels[row["cause_offset"]],
    }  # fmt: skip


def _adjustment(row: Mapping[str, Any], played: Played) -> Row:
    changes = {name: _units(row[f"{name}_nano"]) for name in ("old", "new", "delta")}
    return {
        **_place(row, played), "revision": str(row["revision"]), **changes, **_standing(row), "reason": row["reason"],
        "cause": played.labels[row["cause_offset"]],
    }  # fmt: skip


def _finding(row: Mapping[str, Any], played: Played) -> Row:
    return {
        "check_id": row["check_id"], "severity": row["severity"], **_place(row, played), "device": row["device"],
        "detail": row["detail"], "cause": played.labels[row["cause_offset"]],
    }  # fmt: skip


def _evidence(row: Mapping[str, Any], played: Played) -> Row:
    total = None if row["count"] is None else row["count"] * 10 ** (9 - row["decimals"])
    value = _units(row["quantity_nano"] if total is None else total)
    return {
        **_place(row, played), "device": row["device"], "register": row["register"], "kind": row["kind"], "reads": "1",
        "value": value, "quality": row["quality"], "version": str(row["version"]), "verdict": row["verdict"],
        "failed": " ".join(row["checks_failed"]), "not_run": " ".join(row["checks_not_run"]),
        "cause": played.labels[row["raw_offset"]],
    }  # fmt: skip


def _held(row: Mapping[str, Any], played: Played) -> Row:
    return {
        "supply_point": row["supply_point"], "start": played.portfolio.clock.text(row["start_ms"]),
        "end": "" if row["start_ms"] == row["end_ms"] else played.portfolio.clock.text(row["end_ms"]),
        "device": row["device"], "register": row["register"], "kind": row["kind"], "reason": row["reason"],
        "cause": played.labels[row["origin_offset"]],
    }  # fmt: skip


_ROW: dict[str, Callable[[Mapping[str, Any], Played], Row]] = {
    "determinants": _determinant, "adjustments": _adjustment, "findings": _finding, "evidence": _evidence,
    "quarantine": _held,
}  # fmt: skip

_PLACE = ("supply_point", "channel", "start_ms", "end_ms")
_KEYS: dict[str, tuple[str, ...]] = {
    "determinants": _PLACE,
    "adjustments": ("cause_offset", "cause_sub", *_PLACE, "revision"),
    "findings": ("cause_offset", "cause_sub", "check_id", *_PLACE),
    "evidence": ("raw_offset", "raw_sub"),
    "quarantine": ("raw_offset", "raw_sub"),
}


def _by(keys: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    return lambda row: tuple(row[key] for key in keys)


_ORDER = {stream: _by(keys) for stream, keys in _KEYS.items()}


def _place(row: Mapping[str, Any], played: Played) -> Row:
    """Where and when; an instant has no end, and what concerns no time has neither."""
    start_ms, end_ms, text = row["start_ms"], row["end_ms"], played.portfolio.clock.text
    return {
        "supply_point": row["supply_point"], "channel": row["channel"], "start": text(start_ms) if start_ms else "",
        "end": text(end_ms) if end_ms != start_ms else "",
    }  # fmt: skip


def _standing(row: Mapping[str, Any]) -> Row:
    counts = [(name, row[f"n_{name.lower()}"]) for name in _QUALITIES]
    parts = [(name, count) for name, count in counts if count]
    alone = len(parts) == 1 and parts[0][1] == 1
    shown = parts[0][0] if alone else " ".join(f"{count} {name}" for name, count in parts) or "nothing"
    return {"parts": shown, "methods": " ".join(row["methods"]), "missing_reason": row["missing_reason"]}


def _units(quantity_nano: int | None) -> str:
    return "" if quantity_nano is None else _shortest(Decimal(quantity_nano).scaleb(-9))


def _shortest(number: Decimal) -> str:
    return f"{number.normalize():f}" if number else "0"


def _plain(name: str, cell: str) -> str:
    return _shortest(Decimal(cell)) if name in _NUMBERS and cell else cell


# -- comparing ----------------------------------------------------------------------------------------------------


def _only(columns: Iterable[str], rows: list[Row]) -> list[Row]:
    return [{name: row.get(name, "") for name in columns} for row in rows]


def _merged(rows: list[Row]) -> list[Row]:
    """Neighbours that say the same become one row over both, where a column counts them."""
    found: list[Row] = []
    for row in rows:
        counter = next((name for name in ("windows", "reads") if name in row), None)
        if counter and found and row["end"] and _joins(found[-1], row, counter):
            found[-1] = {**row, "start": found[-1]["start"], counter: str(int(found[-1][counter]) + int(row[counter]))}
        else:
            found.append(row)
    return found


def _joins(before: Row, row: Row, counter: str) -> bool:
    moving = ("start", "end", counter)
    return before["end"] == row["start"] and all(before[name] == row[name] for name in row if name not in moving)


def _diff(stream: str, columns: list[str], wanted: list[Row], got: list[Row]) -> str:
    if wanted == got:
        return ""
    cells = [columns, *([row.get(name, "") for name in columns] for row in wanted + got)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(columns))]
    head, *lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    found = list(difflib.unified_diff(lines[: len(wanted)], lines[len(wanted) :], lineterm="", n=99))[3:]
    return "\n".join([f"{stream}: - expected, + got", f" {head}", *found])
