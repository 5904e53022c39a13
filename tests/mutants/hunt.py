"""Slips by the hundred, one token each, to find what no test notices.

    python -m tests.mutants.hunt --sample 150 --seed 1          # some of all
    python -m tests.mutants.hunt --file spans.py                # all of one file

A survivor is either equivalent (nothing that comes out could differ) or a gap: then a scenario or an edge of the simulation
(`tests/simulation/edges.py`) is lacking. A mutant takes one to fifteen seconds.
"""

import argparse
import io
import keyword
import shutil
import subprocess
import tempfile
import token
import tokenize
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.mutants import detection
from tests.mutants.mutants import copy_state
from tests.mutants.streams import MORE_SEEDS, write_streams
from tests.mutants.test_mutants import detect

SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "and": "or", "or": "and", "min": "max",
    "max": "min", "+": "-", "-": "+", "+=": "-=", "True": "False", "False": "True", "any": "all", "all": "any",
}  # fmt: skip
"""What one token becomes. Besides: a number becomes the next one, and a `not` is dropped."""

WORDS = {detection.WRONG: "caught", detection.CRASHED: "crashed", detection.SURVIVED: "SURVIVED"}
NEVER_ENDS = "never ends"


@dataclass(frozen=True)
class Slip:
    """One token of a file of `state/` that becomes another."""

    file: str
    line: int
    column: int
    said: str
    says: str

    def apply(self, copy: Path) -> str:
        """Make the slip in a copy of the fold; returns the two lines, for people."""
        path = copy / "state" / self.file
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        before = lines[self.line - 1]
        after = before[: self.column] + self.says + before[self.column + len(self.said) :]
        lines[self.line - 1] = after
        path.write_text("".join(lines), encoding="utf-8")
        return f"  - {before.strip()}\n  + {after.strip()}"


def slips(path: Path) -> Iterator[Slip]:
    """Every slip that one file of the fold allows."""
    tokens = list(tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline))
    for at, found in enumerate(tokens):
        says = _says(found, tokens[at + 1 : at + 2])
        if says is not None:
            yield Slip(path.name, *found.start, found.string, says)


def _says(found: tokenize.TokenInfo, following: Sequence[tokenize.TokenInfo]) -> str | None:
    if found.type == token.NUMBER and found.string.isdigit():
        return str(int(found.string) + 1)
    if found.string == "not":
        return ""
    if found.string in ("min", "max", "any", "all") and not (following and following[0].string == "("):
        return None
    is_word = found.type == token.NAME and (keyword.iskeyword(found.string) or found.string in SWAPS)
    return SWAPS.get(found.string) if found.type == token.OP or is_word else None


def try_out(slip: Slip, original: Path, streams: Path) -> tuple[str, str, str]:
    """(outcome, the two lines, what was noticed)."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(shutil.copytree(original, Path(folder) / "copy"))
        lines = slip.apply(copy)
        try:
            code, said = detect(copy, streams)
        except subprocess.TimeoutExpired:
            return NEVER_ENDS, lines, ""
    return WORDS[code], lines, said


def main() -> None:
    """Try a sample and list who survived."""
    options = _options()
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="hunt-") as folder:
        original = copy_state(Path(folder) / "original")  # the code may be edited meanwhile
        files = sorted((original / "state").glob(options.file))
        found = [slip for file in files for slip in slips(file)]
        chosen = Random(options.seed).sample(found, min(options.sample, len(found)))
        print(f"{len(chosen)} of {len(found)} slips in {len(files)} files", flush=True)
        streams = options.streams or Path(folder) / "streams.pickle"
        if not streams.exists():
            write_streams(streams, MORE_SEEDS)
        _require_survival(original, streams)
        for slip in sorted(chosen, key=lambda slip: (slip.file, slip.line, slip.column)):
            outcome, lines, said = try_out(slip, original, streams)
            outcomes[outcome] += 1
            if outcome in options.show:
                print(f"{outcome} state/{slip.file}:{slip.line}:{slip.column + 1}\n{lines}\n{said}", flush=True)
    print(", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))


def _require_survival(original: Path, streams: Path) -> None:
    """Without a slip nothing is noticed; else every mutant would seem to be caught."""
    code, said = detect(original, streams)
    if code != detection.SURVIVED:
        raise SystemExit(f"the fold itself is suspected (exit {code}): {said}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=10_000, help="how many; all when left out")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--file", default="*.py", help="only this file of state/, or those that match")
    parser.add_argument("--show", nargs="*", default=["SURVIVED"], help="outcomes to show: caught, crashed, …")
    parser.add_argument("--streams", type=Path, help="a file to keep the streams in, or one that holds them")
    return parser.parse_args()


if __name__ == "__main__":
    main()
