"""Replay: the whole curated log through a shadow fold, compared with what stands.

The shadow remembers everything, so it takes the evidence that came after the horizon. What differs is what a
restatement may apply; where the evidence was in time, nothing may differ, whatever happened in between.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from connectors.codec import decode
from connectors.file_log import LogReader
from meterfold.workspace import Workspace
from state.codes import DAY_MS, QUALITY_NAMES
from state.fold import Fold
from state.outputs import COLUMNS, Outputs

Window = tuple[str, str, int, int]
"""(supply point, channel, start, end)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A window that stands at `old_nano` (revision) and that the whole log gives as `new_nano`.

    `is_beyond`: it lies before its channel's horizon, so a restatement may apply it.
    """

    window: Window
    old_nano: int
    new_nano: int
    revision: int
    quality: str
    is_beyond: bool


@dataclass(slots=True)
class _Standing:
    quantity_nano: int
    revision: int
    quality: str


_DETERMINANT: Final = {name: at for at, name in enumerate(COLUMNS["determinants"])}
_ADJUSTMENT: Final = {name: at for at, name in enumerate(COLUMNS["adjustments"])}


def replay(workspace: Workspace, tell: Callable[[int], None]) -> list[Difference]:
    """Replay every curated partition; `tell` is given the records so far. The tables must be up to date."""
    found: list[Difference] = []
    records = 0
    memory_days = _memory_days(workspace)
    for partition in range(workspace.curated.partitions):
        real, shadow = Fold(partition), Fold(partition, memory_days)
        shadow_standing: dict[Window, _Standing] = {}
        real_standing: dict[Window, _Standing] = {}
        for record, offset, append_ms in _curated(workspace, partition):
            for fold, standing in ((real, real_standing), (shadow, shadow_standing)):
                out = Outputs()
                fold.apply(record, offset, append_ms, out)
                _take(standing, out)
            records += 1
            tell(records)
        found += _differences(real, real_standing, shadow_standing)
    return found


def _curated(workspace: Workspace, partition: int) -> Iterator[tuple[dict[str, Any], int, int]]:
    with LogReader(workspace.paths.curated, partition) as reader:
        while batch := reader.read():
            for record in batch:
                yield decode(record.payload), record.offset, record.append_ms


def _memory_days(workspace: Workspace) -> int:
    """Days between the earliest instant of any evidence and the latest to which anything closed: what the shadow must
    remember. Gates close what no evidence came for, so the evidence alone does not say how far that is."""
    found = workspace.store.query(
        "SELECT (SELECT min(start_ms) FROM evidence WHERE verdict != 'REJECTED'), "
        "greatest((SELECT max(end_ms) FROM evidence WHERE verdict != 'REJECTED'), "
        "(SELECT max(end_ms) FROM determinants), (SELECT max(known_at_ms) FROM frontier))"
    )
    first, last = found.rows[0]
    return int((last - first) // DAY_MS + 2)


def _take(standing: dict[Window, _Standing], out: Outputs) -> None:
    for row in out.determinants:
        window = (row[0], row[1], row[2], row[3])
        standing[window] = _Standing(row[_DETERMINANT["quantity_nano"]], 0, row[_DETERMINANT["quality"]])
    for row in out.adjustments:
        window = (row[0], row[1], row[2], row[3])
        new, revision, quality = (row[_ADJUSTMENT[name]] for name in ("new_nano", "revision", "quality"))
        standing[window] = _Standing(new, revision, quality)


def _differences(
    real: Fold, real_standing: dict[Window, _Standing], shadow_standing: dict[Window, _Standing]
) -> Iterator[Difference]:
    for window in sorted(real_standing.keys() | shadow_standing.keys()):
        old, new = real_standing.get(window), shadow_standing.get(window)
        if old is None or new is None or old.quantity_nano == new.quantity_nano:
            continue
        channel = real.points[window[0]].channels[window[1]]
        beyond = window[3] <= channel.base_ms
        quality = new.quality or QUALITY_NAMES[1]
        yield Difference(window, old.quantity_nano, new.quantity_nano, old.revision, quality, beyond)
