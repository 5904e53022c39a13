"""Where the tests find the real meter data, which lives beside the repository and not in it."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared(path: str) -> Path:
    """`path` within the shared folder: `../shared` beside the repository, or METERFOLD_SHARED. Skips the test when it is not there."""
    found = Path(os.environ.get("METERFOLD_SHARED") or ROOT.parent / "shared") / path
    if not found.exists():
        pytest.skip(f"needs the shared data ({path}); set METERFOLD_SHARED to its folder")
    return found
