"""The world's clock, and what the kernel knows of its quality."""

from __future__ import annotations

import asyncio
import ctypes
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from edge_collector.reading import ClockQuality

SLICE_MS: Final = 1000
"""Nobody sleeps longer in one piece: a wall clock stepped past the awaited instant is noticed within it."""

UNKNOWN: Final = ClockQuality(is_synchronised=False, offset_ms=None, uncertainty_ms=None)
"""Nobody says that the clock is held."""


class SystemClock:
    """A `Clock` of this machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> float:
        return time.monotonic_ns() / 1e6

    async def sleep_until(self, at_ms: int) -> None:
        while (left_ms := at_ms - time.time_ns() / 1e6) > 0:
            await asyncio.sleep(min(left_ms, SLICE_MS) / 1000)

    async def sleep(self, span_ms: float) -> None:
        await asyncio.sleep(max(span_ms, 0) / 1000)

    def quality(self) -> ClockQuality:
        return _kernel_quality()

    @contextmanager
    def participant(self) -> Iterator[None]:
        """Nothing: the world's time moves, whoever works. See `simulate.clock.SteppedClock`."""
        yield

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Nothing, likewise."""
        yield


_STA_UNSYNC: Final = 0x0040
_STA_NANO: Final = 0x2000
_TIME_ERROR: Final = 5


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); the tail is room that the kernel may write to."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_byte * 256),
    ]


def _find_adjtimex() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    return function


_adjtimex: Final = _find_adjtimex()


def _kernel_quality() -> ClockQuality:
    """The kernel's discipline of the wall clock, read without changing it; UNKNOWN where the system does not tell."""
    if _adjtimex is None:
        return UNKNOWN
    timex = _Timex()  # modes = 0: read only
    state = _adjtimex(ctypes.byref(timex))
    if state < 0:  # refused by a container's system-call filter
        return UNKNOWN
    return quality_of(state, timex.status, timex.offset, timex.maxerror)


def quality_of(state: int, status: int, offset: int, maxerror_us: int) -> ClockQuality:
    """From what adjtimex(2) returned; `offset` is in ns if the status says so, else µs, and is what is still to be slewed away.

    `maxerror` grows by 500 ppm since the last correction and contains the distance to the time source: a bound, as
    `uncertainty_ms` wants one; `esterror` is only an expectation. An unsynchronised kernel says 16 s whatever the truth, so then
    nothing is known.
    """
    if state == _TIME_ERROR or status & _STA_UNSYNC:
        return UNKNOWN
    offset_ns = offset if status & _STA_NANO else offset * 1000
    return ClockQuality(True, round(offset_ns / 1e6), math.ceil(maxerror_us / 1000))
