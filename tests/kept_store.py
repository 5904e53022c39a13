"""The store that stays open from test to test: chDB opens one directory a process, and to open it takes as long as most tests."""

from typing import Final

from connectors.clickhouse import Store

OPEN: Final[list[Store]] = []
"""It, or none."""


def let_go() -> None:
    """Close it, so that another directory can be opened."""
    while OPEN:
        OPEN.pop().close()
