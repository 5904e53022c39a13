"""Compiling, and keeping what was compiled.

Numba stores compiled code beside a file and compares that file's time only: a function would go on calling what a changed module used
to say. So the store is named by the text of all modules that are compiled together. This is the one module of `state` that looks
at files: at its own sources, once, when it is imported.
"""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba

_SOURCES: Final = sorted([*Path(__file__).parent.glob("*.py"), *Path(__file__).parent.parent.glob("*.py")])
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _digest() -> str:
    digest = blake2b(digest_size=8)
    for source in _SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


_KEPT: Final = str(Path(numba.config.CACHE_DIR or Path(__file__).parent / "__pycache__") / f"compiled-{_digest()}")


def compiled(function: _Function) -> _Function:
    """Compile a function of numbers and arrays at its first call; NUMBA_CACHE_DIR says where that is kept."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _KEPT
    try:
        return cast(_Function, numba.njit(cache=True, error_model="numpy", _nrt=False)(function))
    finally:
        numba.config.CACHE_DIR = before
