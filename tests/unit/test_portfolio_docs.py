"""docs/portfolio.md tells the truth: its example loads, it names every key, and its table of problems is the one in the code."""

import re
from pathlib import Path

from meterfold.portfolio import Portfolio, load_text, plan
from meterfold.portfolio.problem import CODES
from meterfold.portfolio.shape import SHAPES
from meterfold.portfolio.shape_base import every_key
from meterfold.portfolio.units import DIMENSIONS

PAGE = (Path(__file__).parents[2] / "docs" / "portfolio.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_loads() -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    portfolio = load_text(example)
    assert isinstance(portfolio, Portfolio), [str(problem) for problem in portfolio]
    assert len(plan(portfolio, []).added) == 7


def test_the_page_names_every_key() -> None:
    keys = every_key()
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
    assert keys | set(SHAPES) <= words, (keys | set(SHAPES)) - words


def test_the_page_lists_every_problem_and_every_unit() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE[PAGE.index("## Problems") :], re.MULTILINE))
    assert table == CODES
    assert set(DIMENSIONS) <= set(re.findall(r"\w+", PAGE))
