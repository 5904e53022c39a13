"""A process that commits cycles and publishes them, both without pause, until it is killed: python -m … DIRECTORY FIRST_CYCLE.

It says `committed N` after each commit, and appends each batch to the file `log`, with an fsync, before it notes it as delivered.
"""

import os
import sys
import threading
from pathlib import Path

from edge_collector.records import READS
from tests.edge.outbox_world import cycle, outbox_at

DEVICES = ("A", "B", "C")


def main(directory: Path, first: int) -> None:
    """Never returns."""
    outbox = outbox_at(directory, first)

    def publish() -> None:
        with (directory / "log").open("ab") as log:
            while True:
                entries = outbox.backlog(READS, 7)
                log.writelines(f"{entry.sequence} {entry.read_id or ''}\n".encode() for entry in entries)
                log.flush()
                os.fsync(log.fileno())
                outbox.delivered([entry.sequence for entry in entries])

    threading.Thread(target=publish, daemon=True).start()
    n = first
    while True:
        outbox.commit(cycle(n, DEVICES, telemetry=1), {"newest": str(n)})
        print(f"committed {n}", flush=True)
        n += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
