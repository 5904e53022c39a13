"""A building where everything goes wrong, its collector killed again and again: what reaches the log is what was metered.

Virtual time, real sockets, a real outbox, a real log, real kills (`soaking.py`). The meters' own journal is the judge.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors.codec import decode_raw
from connectors.file_log import LogReader
from edge_collector.profile_load import load_profile
from edge_collector.simulate.journal import Entry, read_journal
from meterfold.workspace import RAW_PARTITIONS, Paths, create
from tests.edge.soaking import BEGIN_MS, HOUR, INTERVAL_S, LINES, STEP, UNTIL_MS

Record = dict[str, Any]
INTERVAL_MS = INTERVAL_S * 1000
METERS = {meter.device: meter for line in LINES for meter in line.meters}
DOUBTFUL = {"ZERO", "BACKWARD", "SENTINEL"}


class Soaked:
    """What a soak left: the records of the raw log, the journal, and when no collector ran."""

    def __init__(self, folder: Path, seed: int, kills: int) -> None:
        self.folder, self._rng = folder, random.Random(seed)
        self.data = folder / "data"
        create(self.data)
        self.down: list[tuple[int, int]] = []
        start_ms = BEGIN_MS
        for _ in range(kills):
            killed_ms = self._run_until(start_ms, self._rng.uniform(0.1, 0.9))
            start_ms = killed_ms + self._rng.randrange(10 * 60_000, 3 * HOUR)
            self.down.append((killed_ms, start_ms))
        assert self._run(start_ms).wait(timeout=280) == 0
        self.records = list(_records(Paths(self.data).raw))
        self.answers: dict[str, list[Entry]] = defaultdict(list)
        for entry in read_journal(folder / "journal"):
            self.answers[entry.device].append(entry)

    def _run(self, start_ms: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.edge.soaking", str(self.folder), str(self.data), str(start_ms)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _run_until(self, start_ms: int, share: float) -> int:
        """Kill a run when virtual time has come so far towards the end; returns how far it was."""
        until_ms = start_ms + int((UNTIL_MS - start_ms) * share / 2)
        process = self._run(start_ms)
        while self._progress() < until_ms:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.005)
        time.sleep(self._rng.uniform(0, 0.05))
        process.kill()
        process.wait()
        return max(self._progress(), until_ms)

    def _progress(self) -> int:
        try:
            return int((self.folder / "progress").read_text() or 0)
        except FileNotFoundError:
            return 0

    def of_type(self, kind: str) -> list[Record]:
        return [record for record in self.records if record["type"] == kind]


def _records(topic: Path) -> Iterator[Record]:
    for partition in range(RAW_PARTITIONS):
        with LogReader(topic, partition) as reader:
            while found := reader.read():
                yield from (decode_raw(record.payload) for record in found)


def _was_shown(read: Record, answers: list[Entry]) -> bool:
    """Whether the meter answered with these words for this register between question and answer."""
    device, _, serial = str(read["device"]).partition("@")
    spec = load_profile(METERS[device].profile).register(read["register"])
    sent_ms, received_ms = read["timing"]["sent_ms"], read["timing"]["received_ms"]
    for moved_ms in (0, STEP[1]):  # the wall clock after the step, of the run that lived through it
        for entry in answers:
            shown = entry.answered
            if (
                sent_ms - moved_ms <= shown.at_ms <= received_ms - moved_ms
                and shown.span.covers(spec.span)
                and list(shown.words[spec.address - shown.span.address :][: spec.span.count]) == read["words"]
                and serial in ("", shown.serial)
            ):
                return True
    return False


def judge(soaked: Soaked) -> None:
    reads = soaked.of_type("register")
    assert len(reads) > 200
    by_id: dict[str, Record] = {}
    for read in reads:
        assert by_id.setdefault(read["read_id"], read) == read, "one id, two contents"
    wrong = [read for read in by_id.values() if not _was_shown(read, soaked.answers[read["device"].partition("@")[0]])]
    assert not wrong, wrong[:2]
    _no_energy_is_invented(list(by_id.values()))
    _every_gap_is_a_record(list(by_id.values()), soaked)


def _no_energy_is_invented(reads: list[Record]) -> None:
    """Totals of a meter never fall but where that is said; and one boundary has one total."""
    streams: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for read in reads:
        streams[read["device"], read["register"]].append(read)
    for stream in streams.values():
        stream.sort(key=lambda read: read["at_ms"])
        trusted = [read for read in stream if not DOUBTFUL & set(read["flags"])]
        resets = [read for read in stream if "BACKWARD" in read["flags"]]
        for before, after in pairwise(trusted):
            fell = after["count"] < before["count"]
            assert not fell or any(before["at_ms"] < read["at_ms"] <= after["at_ms"] for read in resets), (
                before,
                after,
            )


def _every_gap_is_a_record(reads: list[Record], soaked: Soaked) -> None:
    """A boundary without a read of a device is one that some record of it speaks of: a time, or an instant of that interval on."""
    had: dict[str, set[int]] = defaultdict(set)
    for read in reads:
        boundary_ms = int(read["read_id"].split("/")[3])
        had[str(read["device"]).partition("@")[0]].add(boundary_ms)
    said: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for status in soaked.of_type("status"):
        at_ms = status["at_ms"]
        said[status["device"]].append(
            (status.get("from_ms", at_ms - INTERVAL_MS), status.get("to_ms", at_ms + INTERVAL_MS))
        )
    for device in METERS:
        missing = [at_ms for at_ms in range(BEGIN_MS, UNTIL_MS + 1, INTERVAL_MS) if at_ms not in had[device]]
        begins = [at_ms for at_ms in missing if at_ms - INTERVAL_MS not in missing]
        for at_ms in begins:  # what is still going on has been said once
            assert any(from_ms <= at_ms <= to_ms for from_ms, to_ms in said[device]), (device, at_ms, said[device])


@pytest.mark.long
def test_what_reaches_the_log_is_what_was_metered(tmp_path: Path) -> None:
    soaked = Soaked(tmp_path, seed=1, kills=2)
    judge(soaked)
    _judge_notices(soaked)


def _judge_notices(soaked: Soaked) -> None:
    """A wrong word, a boundary that went missing in silence, one read twice with other contents."""
    reads, others = soaked.of_type("register"), soaked.of_type("status")
    victim = next(read for read in reads[len(reads) // 2 :] if not read["flags"])
    wrong = {**victim, "words": [*victim["words"][:-1], victim["words"][-1] ^ 1]}
    gone = str(victim["read_id"]).split("/")[1::2]
    for records in (
        [wrong if read["read_id"] == victim["read_id"] else read for read in reads] + others,
        [read for read in reads if read["read_id"].split("/")[1::2] != gone]
        + [status for status in others if status["device"] != victim["device"]],
        [*reads, wrong, *others],
    ):
        soaked.records = records
        with pytest.raises(AssertionError):
            judge(soaked)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_what_reaches_the_log_is_what_was_metered_however_it_is_killed(tmp_path: Path, seed: int) -> None:
    soaked = Soaked(tmp_path, seed, kills=5)
    judge(soaked)
    print(json.dumps({"reads": len(soaked.of_type("register")), "down": soaked.down}))
