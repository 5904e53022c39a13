"""Compiling, and keeping what was compiled.

Numba keeps compiled code by the time of the one file a function stands in, so a function would go on calling what a changed module used
to say. Here it is kept in a folder that is named by the text of all the modules that are compiled together.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

_HERE: Final = Path(__file__).parent
_SOURCES: Final = sorted(
    [
        *(path for folder in ("curate", "file_log", "scan") for path in _HERE.glob(f"{folder}/*.py")),
        _HERE.parent / "state" / "codes.py",
    ]
)
_config: Any = numba.config
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for source in _SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


_KEPT: Final = str(Path(_config.CACHE_DIR or _HERE / "__pycache__") / f"compiled-{_digest()}")


def compiled(function: _Function) -> _Function:
    """Compile a function of numbers and arrays at its first call; NUMBA_CACHE_DIR says where that is kept."""
    before, _config.CACHE_DIR = _config.CACHE_DIR, _KEPT
    try:
        return cast(_Function, numba.njit(cache=True)(function))
    finally:
        _config.CACHE_DIR = before
