"""The portfolio: who is billed, for what, measured by which meter. One YAML file in, log records out.

`load_file` reads and checks; `plan` compares with what is in force; the plan gives the records to append.
"""

from meterfold.portfolio.load import load_file, load_text
from meterfold.portfolio.model import Portfolio
from meterfold.portfolio.plan import Plan, plan
from meterfold.portfolio.problem import Problem

__all__ = ["Plan", "Portfolio", "Problem", "load_file", "load_text", "plan"]
