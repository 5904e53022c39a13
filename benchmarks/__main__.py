"""`make bench`: how fast this is, beside others, on one seeded workload; nothing is printed that was not checked.

Every figure is made in a process of its own. Progress goes to stderr, the table to stdout.
"""

import json
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.rows import Row, Shape, measure
from benchmarks.sizes import DEFAULTS, SEED, Size
from benchmarks.table import block, facts, footer, header


def main() -> int:
    """Measure what was asked for; 1 when something disagreed."""
    given = _arguments()
    sizes = [_size(DEFAULTS[name], given) for name in given.shape or DEFAULTS]
    known = facts(sizes)
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.0f} s] {text}", file=sys.stderr, flush=True)

    _print(header(known, sizes))
    given.work.mkdir(parents=True, exist_ok=True)
    shapes = []
    for size in sizes:
        root = Path(tempfile.mkdtemp(prefix=f"bench-{size.shape}-", dir=given.work))
        try:
            shapes.append(measure(size, root, say))
        finally:
            shutil.rmtree(root)
        _print(block(shapes[-1]))
    _print(footer(shapes))
    if given.json is not None:
        given.json.write_text(json.dumps({**known, "shapes": [_as_plain(shape) for shape in shapes]}, indent=1) + "\n")
    return 0 if all(shape.is_sound for shape in shapes) else 1


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description="The speed table.")
    parser.add_argument("--points", type=int, help="supply points of every shape")
    parser.add_argument("--days", type=int, help="days of every shape, at most 35")
    parser.add_argument("--sample", type=int, help="supply points for the scalar step")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--shape", action="append", choices=list(DEFAULTS), help="only this; may be repeated")
    parser.add_argument("--json", type=Path, help="write everything there too")
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()), help="where logs and tables lie meanwhile"
    )
    given = parser.parse_args()
    if given.days is not None and not 1 <= given.days <= 35:
        parser.error("--days is 1 to 35")
    if min(given.points or 1, given.sample or 1) < 1:
        parser.error("--points and --sample are 1 or more")
    return given


def _size(default: Size, given: Namespace) -> Size:
    return replace(
        default,
        points=given.points or default.points,
        days=given.days or default.days,
        sample=given.sample or default.sample,
        seed=given.seed,
    )


def _as_plain(shape: Shape) -> dict[str, object]:
    return {
        "size": asdict(shape.size),
        "rows": [_row_as_plain(row) for row in shape.rows],
        "components": shape.components,
        "checked": shape.checked,
    }


def _row_as_plain(row: Row) -> dict[str, object]:
    """Without the sums, which were for checking."""
    found = {name: value for name, value in row.found.items() if name not in ("first", "current")}
    return {"row": row.name, "instead": row.instead, **found}


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
