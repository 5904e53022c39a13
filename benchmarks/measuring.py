"""What one row of the table is measured by: wall and CPU seconds of what lies between, and the peak of its process."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Stopwatch:
    """Adds up the wall and CPU seconds (all threads) of the stretches it runs for."""

    def __init__(self) -> None:
        self.wall_s = 0.0
        self.cpu_s = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what happens inside."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall_s += time.perf_counter() - wall
        self.cpu_s += time.process_time() - cpu

    def figure(self, reads: int, **more: Any) -> dict[str, Any]:
        """What is known of a row, as plain values."""
        return {"reads": reads, "wall_s": self.wall_s, "cpu_s": self.cpu_s, **more}


def peak_mb() -> float:
    """The most memory this process held. Linux counts for `ru_maxrss` what the process that started it held, so it is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20  # macOS counts in bytes
