"""The figures as text, at most 110 columns wide."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from textwrap import wrap
from typing import Any, Final

from benchmarks.rows import PEERS, Shape
from benchmarks.sizes import Size
from benchmarks.workload import CORRECTIONS, DUPLICATES, GAPS, LATE

WIDTH: Final = 110
_TITLES: Final = ("reads", "wall s", "reads/s", "reads/CPU s", "peak MB", "of DuckDB")
_WIDTHS: Final = (12, 9, 11, 12, 9, 10)
_NAME: Final = 38
_LIBRARIES: Final = ("bytewax", "chdb", "numba", "numpy", "orjson", "duckdb", "polars")
_PARTS: Final = (
    ("log_read_per_s", "log records", 12, ",.0f"),
    ("scan_per_s", "scan reads", 12, ",.0f"),
    ("fold_per_s", "fold reads", 12, ",.0f"),
    ("insert_rows_per_s", "insert rows", 12, ",.0f"),
    ("memory_bytes_per_channel", "state B/chan.", 14, ",.0f"),
    ("disk_bytes_per_channel", "on disk", 8, ",.0f"),
    ("snapshot_s", "snapshot s", 11, ".3f"),
    ("restore_s", "restore s", 10, ".3f"),
)
_LEAVES_OUT: Final = {
    "Bytewax": (
        "what is late (dropped: no adjustments), estimates and gaps (a window without a reading does not exist), counts of "
        "qualities, verdicts, value checks, citations; recovery off, nothing stored; restarting is possible"
    ),
    "DuckDB": (
        "watermarks (so nothing is late, no first figure is kept, no adjustment), estimates (a gap is MISSING), verdicts, "
        "register plausibility, value checks, citations; a batch: it starts anew for every further reading"
    ),
    "Polars": "as DuckDB",
}
"""By peer: what of the fold's work it was not asked for, as it cannot express it or only by writing the fold itself."""


def facts(sizes: list[Size]) -> dict[str, Any]:
    """What the figures were measured on, whatever the commit."""
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0],
        "seed": sizes[0].seed,
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "shares": {"duplicates": DUPLICATES, "late": LATE, "corrections": CORRECTIONS, "gaps": GAPS},
    }


def header(known: dict[str, Any], sizes: list[Size]) -> Iterator[str]:
    """The facts, and the titles."""
    yield (
        f"Python {known['python']}, {known['machine']}, {known['cores']} cores (load {known['load']:.1f} at the start), "
        f"seed {known['seed']}"
    )
    yield ", ".join(f"{name} {found or 'not installed'}" for name, found in known["libraries"].items())
    yield (
        f"{DUPLICATES:.1%} duplicates, {LATE:.1%} out of order, {CORRECTIONS:.1%} corrections, {GAPS:.1%} gaps; "
        "2 channels a supply point, half-hours"
    )
    for size in sizes:
        yield f"{size.shape:>9}: {size.points:,} supply points, {size.days} days; sample {len(size.sampled):,} supply points"
    yield ""
    yield f"{'':{_NAME}}" + "".join(f"{title:>{width}}" for title, width in zip(_TITLES, _WIDTHS, strict=True))


def block(shape: Shape) -> Iterator[str]:
    """The rows of one shape."""
    yield shape.size.shape
    peer = next((row for row in shape.rows if row.name == "duckdb" and not row.instead), None)
    reference = _per_cpu(peer.found) if peer is not None else None
    for row in shape.rows:
        name = f"  {row.title}"
        if row.instead:
            yield f"{name:{_NAME}}  {row.instead}"[:WIDTH]
            continue
        found = row.found
        cells = (
            f"{found['reads']:,}", f"{found['wall_s']:.2f}", f"{found['reads'] / found['wall_s']:,.0f}",
            f"{_per_cpu(found):,.0f}", f"{found['peak_mb']:,.0f}",
            "–" if reference is None else f"{_per_cpu(found) / reference:.3f}",
        )  # fmt: skip
        yield f"{name:{_NAME}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))


def footer(shapes: list[Shape]) -> Iterator[str]:
    """What was checked, what peers leave out, and the parts."""
    yield ""
    for shape in shapes:
        yield f"checked, {shape.size.shape}:"
        for text in shape.checked:
            yield from _wrapped(text, "  ", "         ")
    yield ""
    yield from _wrapped(
        "of DuckDB: reads per CPU second over DuckDB's. Peers start from the curated readings as lines of JSON (ingest is done "
        "for them) and end in memory, as the fold's own rows do; on few reads their fixed costs weigh on them.",
        "",
        "",
    )
    for peer in PEERS.values():
        yield from _wrapped(f"{peer} leaves out: {_LEAVES_OUT[peer]}.", "", "  ")
    yield ""
    yield f"{'parts':{_NAME // 2}}" + "".join(f"{title:>{width}}" for _, title, width, _ in _PARTS)
    for shape in shapes:
        cells = (f"{shape.components[name]:>{width}{form}}" for name, _, width, form in _PARTS)
        yield f"{'  ' + shape.size.shape:{_NAME // 2}}" + "".join(cells)
    for shape in shapes:
        together, road = shape.components["together_per_s"], _per_cpu(shape.rows[0].found)
        yield f"  {shape.size.shape}: the first four together {together:,.0f} reads/CPU s; the road reaches {road / together:.0%} of that"
    yield from _wrapped(
        "the first four per CPU second: curated records read from their log; reads scanned into columns; reads folded; rows of evidence "
        "and determinants into chDB, as many at once as the sink holds, its merges included. State: bytes a channel in memory (the "
        "fold's tables) and in the pages of a snapshot of everything; snapshot and restore: of all channels of the shape. What the road "
        "does beside: the raw log, its scanning and routing, the archive, the ledger and the curated log, snapshots.",
        "",
        "",
    )


def _per_cpu(found: dict[str, Any]) -> float:
    return float(found["reads"] / found["cpu_s"])


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
