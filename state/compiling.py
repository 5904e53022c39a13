"""Functions of numbers and arrays that are compiled when one of them is first called.

Numba is imported then, not before: a command that folds nothing does not wait for it. It stores compiled code by the time of the one file
that a function stands in, so a function would go on calling what a changed module used to say; here the store is named by the text of all
that is compiled together. Reading those sources, once, and looking whether the store is there, is all that this module of `state` has to do
with files.

Compiling everything takes a minute, once a version. Small work does not ask for it: see `Worth` and `is_at_hand`.
"""

import os
from collections.abc import Callable
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

Given = ParamSpec("Given")
Found = TypeVar("Found")

_FUNCTIONS: Final[list["_Compiled[..., Any]"]] = []
"""Those that do not know each other yet."""
_HERE: Final = Path(__file__).parent


FEW: Final = 512
"""So few records are sooner done one by one than compiled code is loaded."""
MANY: Final = 10_000
"""After so many it is worth compiling what was never compiled here."""

_SAY: Final[list[Callable[[], None]]] = []
_AT_HAND: Final[set[str]] = set()


class Worth:
    """Whether the next batch of some work is worth compiled code: a large one if it is at hand, else only once there was much.

    `name`: of the function that the work begins with, `package.module.function`.
    """

    def __init__(self, name: str, few: int = FEW, many: int = MANY) -> None:
        self._name, self._few, self._many, self._seen = name, few, many, 0

    def of(self, records: int) -> bool:
        """Of a batch of so many records, which is counted."""
        self._seen += records
        return records >= self._few and (self._seen >= self._many or is_at_hand(self._name))


def is_at_hand(name: str) -> bool:
    """Whether a function, `package.module.function`, was compiled here before, of these very sources."""
    if name not in _AT_HAND:
        *_, module, function = name.split(".")
        if any(Path(_kept(name.partition(".")[0])).glob(f"*/{module}.{function}-*.nbi")):
            _AT_HAND.add(name)
    return name in _AT_HAND


def say_when_compiling(say: Callable[[], None]) -> None:
    """Have `say` called before anything is compiled that was never compiled here."""
    _SAY[:] = [say]


class _Compiled(Generic[Given, Found]):
    """A function that is compiled, with what it calls, at the first call from outside."""

    def __init__(self, function: Callable[Given, Found], **options: bool) -> None:
        self.function = function
        self._options = options
        self.__doc__ = function.__doc__
        _FUNCTIONS.append(self)

    def __call__(self, *given: Given.args, **named: Given.kwargs) -> Found:
        if _SAY and not is_at_hand(f"{self.function.__module__}.{self.function.__name__}"):
            _SAY.pop()()
        if _FUNCTIONS:
            _link()
        return cast(Found, self.dispatcher(*given, **named))

    @cached_property
    def dispatcher(self) -> Any:
        """What Numba makes of the function; counting no references, where none are made, is several times faster."""
        njit, config = _numba()
        before, config.CACHE_DIR = config.CACHE_DIR, _kept(self.function.__module__.partition(".")[0])
        try:
            return njit(cache=True, error_model="numpy", **self._options)(self.function)
        finally:
            config.CACHE_DIR = before


def compiled(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """Have a function compiled that makes no array. NUMBA_CACHE_DIR says where the result is kept, if not beside the package."""
    return _Compiled(function, _nrt=False)


def compiled_inside(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The same for one that only compiled functions call: Python cannot, and so a third of its compiling is saved."""
    return _Compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def compiled_in_place(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The same for a short one that is called for every reading, often: it becomes part of each function that calls it.

    A call hands over every array of its arguments word by word, a hundred of them and more.
    """
    return _Compiled(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def compiled_with_arrays(function: Callable[Given, Found]) -> Callable[Given, Found]:
    """The same for a function that makes arrays."""
    return _Compiled(function, _nrt=True)


def _link() -> None:
    """Let compiled functions call each other directly."""
    while _FUNCTIONS:
        names = _FUNCTIONS.pop().function.__globals__
        for name, value in names.items():
            if isinstance(value, _Compiled):
                names[name] = value.dispatcher


def _numba() -> tuple[Any, Any]:
    """Numba's decorator and its settings, without types: it declares neither `_nrt` nor the settings."""
    import numba

    return numba.njit, numba.config


@cache
def _kept(package: str) -> str:
    """The folder for what is compiled of a package."""
    folder = _HERE.parent / package
    sources = {*_HERE.rglob("*.py"), *folder.rglob("*.py")}
    digest = blake2b(digest_size=8)
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return str(Path(os.environ.get("NUMBA_CACHE_DIR") or folder / "__pycache__") / f"compiled-{digest.hexdigest()}")
