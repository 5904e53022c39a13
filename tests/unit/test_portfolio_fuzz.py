"""Files with words, lines and brackets changed at random: problems or a plan, never an exception; and a load done twice does nothing."""

import random
import re
from pathlib import Path

import pytest

from meterfold.portfolio import Portfolio, load_text, plan
from tests.unit.test_portfolio_charges import EXAMPLES, framed

EXAMPLE = (Path(__file__).parents[2] / "examples" / "portfolio.yaml").read_text(encoding="utf-8")
WORDS = [
    *"null true [] {} 0 -1 x '' [a] FLAT-2 E1 W1 PV-9 A-2 HOME local_day 1e9 24:00 sat 2026-13-01 2026-01-01 é *a : }".split(),
    *(
        "2026-03-29 02:30",
        "{a: b}",
        "withdrawn: {reason: x}",
        "ended: {at: 2026-05-01, reason: x}",
        "&a 1",
        "<<: {a: b}",
    ),
]


def spoilt(text: str, seed: int) -> str:
    """One to three changes: a word for another, a line gone or moved, something at the end of a line."""
    choice = random.Random(seed)
    for _ in range(choice.randint(1, 3)):
        lines = text.split("\n")
        at = choice.randrange(len(lines))
        match choice.choice(("word", "word", "drop", "copy", "tail")):
            case "word":
                words = list(re.finditer(r"[^\s,{}\[\]:]+", text))
                word = choice.choice(words)
                other = choice.choice(WORDS) if choice.random() < 0.6 else choice.choice(words).group()
                lines = (text[: word.start()] + other + text[word.end() :]).split("\n")
            case "drop":
                del lines[at]
            case "copy":
                lines.insert(choice.randrange(len(lines)), lines[at])
            case _:
                lines[at] += choice.choice(("  ", ", x: 1", " }", " # c"))
        text = "\n".join(lines)
    return text


@pytest.mark.parametrize("first_seed", range(0, 400, 50))
def test_no_file_makes_it_fail(first_seed: int) -> None:
    endure(EXAMPLE, range(first_seed, first_seed + 50))


@pytest.mark.parametrize("charges", EXAMPLES)
def test_no_charges_make_it_fail(charges: str) -> None:
    endure(framed(charges), range(60))


def endure(text: str, seeds: range) -> None:
    good = load_text(text)
    assert isinstance(good, Portfolio)
    in_force = plan(good, []).reference_records()
    for seed in seeds:
        found = load_text(spoilt(text, seed))
        if not isinstance(found, Portfolio):
            assert found and all(problem.line >= 1 for problem in found), seed
            continue
        change = plan(found, in_force)
        assert change.lines(), seed
        if not change.problems:
            log = [*in_force, *change.reference_records(), *change.raw_records()]
            assert plan(found, log).is_empty, seed
