"""One data directory: the logs that are the truth, the ClickHouse files that project them, and who owns them now.

meterfold.json          format and partition counts
logs/reads.raw          everything that comes in, by device
logs/reads.curated      what ingest made of it, by supply point
logs/billing            reference data, runs, documents
recovery/               where the dataflows resume
clickhouse/             the projection; may be dropped and rebuilt
owner.lock, owner.sock  the one process that owns the directory, and how others talk to it
"""

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from connectors.clickhouse import Store
from connectors.file_log import LogWriter, create_topic
from meterfold.billing.log import FileBillingLog
from meterfold.billing.project import frontier, project
from meterfold.clock import now_ms
from meterfold.store import open_store

FORMAT: Final = 1
RAW_PARTITIONS: Final = 4
CURATED_PARTITIONS: Final = 4
COLLECTOR_S: Final = 3.0
"""A collector on this machine writes the raw log too, a batch at a time; so long it is waited for."""


class UnableToOpen(Exception):
    """The directory cannot be used; the message says why and what to do."""


class IsOwned(UnableToOpen):
    """Another process owns the directory."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything lives under a data directory."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "meterfold.json"

    @property
    def raw(self) -> Path:
        return self.root / "logs" / "reads.raw"

    @property
    def curated(self) -> Path:
        return self.root / "logs" / "reads.curated"

    @property
    def billing(self) -> Path:
        return self.root / "logs" / "billing"

    @property
    def recovery(self) -> Path:
        return self.root / "recovery"

    @property
    def clickhouse(self) -> Path:
        return self.root / "clickhouse"

    @property
    def lock(self) -> Path:
        return self.root / "owner.lock"

    @property
    def socket(self) -> Path:
        return self.root / "owner.sock"


def create(root: Path, raw_partitions: int = RAW_PARTITIONS, curated_partitions: int = CURATED_PARTITIONS) -> Paths:
    """Lay out a new data directory; `UnableToOpen` if it is one already or holds something else."""
    paths = Paths(root)
    if paths.settings.exists():
        raise UnableToOpen(f"{root} is a meterfold directory already")
    if root.exists() and any(root.iterdir()):
        raise UnableToOpen(f"{root} is not empty; give a new directory with --data")
    root.mkdir(parents=True, exist_ok=True)
    create_topic(paths.raw, raw_partitions)
    create_topic(paths.curated, curated_partitions)
    create_topic(paths.billing, 1)
    settings = {"format": FORMAT, "raw_partitions": raw_partitions, "curated_partitions": curated_partitions}
    paths.settings.write_text(json.dumps(settings, indent=2) + "\n")
    return paths


def find(root: Path) -> Paths:
    """The paths of an existing data directory; `UnableToOpen` says how to make one."""
    paths = Paths(root)
    if not paths.settings.exists():
        raise UnableToOpen(f"{root} is not a meterfold directory; make one with: meterfold init --data {root}")
    settings = json.loads(paths.settings.read_text())
    if settings.get("format") != FORMAT:
        raise UnableToOpen(f"{root} has format {settings.get('format')}; this version reads format {FORMAT}")
    return paths


class Workspace:
    """An owned data directory: the only writer of its logs, the only process on its ClickHouse files."""

    def __init__(self, paths: Paths, *, drop_projection: bool = False) -> None:
        self.paths = paths
        self._lock = _own(paths)
        try:
            if drop_projection:
                _drop_projection(paths)
            self.raw = LogWriter(paths.raw, wait_s=COLLECTOR_S)
            self.curated = LogWriter(paths.curated)
            self.billing = LogWriter(paths.billing)
            self.store: Store = open_store(paths.clickhouse)
            if frontier(self.store) == (0, 0):  # it is new, or a migration wants the billing log projected anew
                project(self.store, self.billing_log)
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def billing_log(self) -> FileBillingLog:
        """The billing log: reference data, runs, lines, documents."""
        return FileBillingLog(self.billing, self.paths.billing, now_ms)

    def close(self) -> None:
        """Give the directory back."""
        for writer in (self.raw, self.curated, self.billing):
            writer.close()
        self.store.close()
        os.close(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _drop_projection(paths: Paths) -> None:
    """Delete the ClickHouse files and the positions of the flow that fills them; the logs stay."""
    shutil.rmtree(paths.clickhouse, ignore_errors=True)
    shutil.rmtree(paths.recovery / "fold", ignore_errors=True)


def _own(paths: Paths) -> int:
    """Take the owner's lock, held while the descriptor is open; `IsOwned` if another process has it."""
    descriptor = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise IsOwned(f"{paths.root} is owned by process {owner or 'unknown'}") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor
