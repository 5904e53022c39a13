"""`meterfold demo`."""

from pathlib import Path

from meterfold.demo.story import tell
from meterfold.session import DataOption, resolve


def demo(data: DataOption = Path("meterfold-demo")) -> None:
    """Two months of a small house with everything that goes wrong: bills, a correction, and one amount explained."""
    tell(resolve(data))
