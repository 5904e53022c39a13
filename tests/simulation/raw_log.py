"""Seeded raw logs: readings of meters that come, move and go, told late and told anew, with everything else that a log may hold."""

from pathlib import Path
from random import Random
from typing import Any, Final

from connectors.codec import encode
from connectors.file_log import LogWriter, create_topic
from tests.road import assignment, channel, configuration, gate, register
from tests.unit.raw_readings import TEXTS, a_reading
from tests.unit.spoiling import spoiled

Record = dict[str, Any]
START_MS: Final = 1_767_225_600_000
HOUR_MS: Final = 3_600_000
PARTITIONS: Final = 3
POINTS: Final = ("FLAT-A", "FLAT-B", 'FLAT "C"', "Wohnung ä", "FLAT-E")
CONTROLS: Final = (
    *("assignment",) * 5, *("configuration",) * 3, "heartbeat", "status", "gate", "edit", "release", "release", "dead_letter",
)  # fmt: skip
NO_RECORDS: Final = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe{}",
    b'{"v":1,"type":"reading"}',
    b'{"v":2,"type":"interval"}',
)


class RawLog:
    """A log being written: what a meter sends next depends on what the log holds already."""

    def __init__(self, rng: Random, directory: Path) -> None:
        create_topic(directory, PARTITIONS)
        self._rng = rng
        self._log = LogWriter(directory)
        self._devices = [f"M{number}" for number in range(rng.choice([2, 5, 12]))]
        self._versions: dict[str, int] = {}
        self._written: list[tuple[int, int]] = []
        self._ends: list[int] = []  # of services
        self._stamp = 1_000

    def write(self, records: int) -> None:
        """Append so many records, in flushes of random sizes."""
        for _ in range(records):
            key, payload = self._next()
            partition = self._log.partition_of(key) if self._rng.random() < 0.99 else self._rng.randrange(PARTITIONS)
            self._stamp += self._rng.choice([0, 0, 1, 50])
            self._written.append((partition, self._log.append(partition, key, payload, self._stamp)))
            if self._rng.random() < 0.03:
                self._log.flush()
        self._log.close()

    def _next(self) -> tuple[bytes, bytes]:
        """Key and payload of a record."""
        rng = self._rng
        what = rng.random()
        if what < 0.01:
            return rng.choice([b"", b"M0", b"\xff"]), rng.choice(NO_RECORDS)
        record = self._reading() if what < 0.93 else self._control()
        key, payload = str(record.get("device", "")).encode(), encode(record)
        if rng.random() < 0.04:
            payload = spoiled(rng, payload)
        return (key if rng.random() < 0.98 else rng.choice([b"other", b"\xff"])), payload

    def _device(self) -> str:
        return self._rng.choice(self._devices) if self._rng.random() < 0.97 else self._rng.choice(["stranger", *TEXTS])

    def _instant(self) -> int:
        """Mostly on the hour, as ends of services are, and beside it; often at such an end itself."""
        rng = self._rng
        if self._ends and rng.random() < 0.3:
            return rng.choice(self._ends)
        return START_MS + rng.randrange(96) * HOUR_MS + rng.choice([0, 0, 0, -1, 1, HOUR_MS // 2])

    def _reading(self) -> Record:
        return a_reading(self._rng, self._device(), self._instant() if self._rng.random() < 0.98 else None)

    def _control(self) -> Record:
        rng, device = self._rng, self._device()
        said = {"v": 1, "device": device, "person": "p", "reason": "r"}
        match rng.choice(
            ["assignment"] * 5
            + ["configuration"] * 3
            + ["heartbeat", "status", "gate", "edit", "release", "release", "dead"]
        ):
            case "assignment":
                return assignment(device, *self._spans(), version=self._version(device))
            case "configuration":
                return self._configuration(device)
            case "heartbeat":
                return {
                    "v": 1,
                    "type": "heartbeat",
                    "device": device,
                    "complete_through_ms": self._instant(),
                    "sequence": 1,
                }
            case "status":
                return {"v": 1, "type": "status", "device": device, "at_ms": self._instant(), "kind": "clock"}
            case "gate":
                return gate(self._instant())
            case "edit":
                return {
                    **said, "type": "edit", "supply_point": rng.choice(POINTS), "channel": "E", "action": "refuse_read",
                    "register": "E1", "at_ms": self._instant(),
                }  # fmt: skip
            case "release":
                self._log.flush()  # it names records that can be read
                wanted = [rng.choice(self._written or [(0, 0)]) for _ in range(3)]
                return {
                    **said,
                    "type": "release",
                    "coordinates": [list(rng.choice([pair, (pair[0], pair[1] + 1)])) for pair in wanted],
                }
            case _:
                return {
                    "v": 1,
                    "type": "dead_letter",
                    "reason": "x",
                    "detail": "y",
                    "payload": "z",
                    "source": {"line": 3},
                }

    def _version(self, device: str) -> int:
        """Mostly a newer one than before."""
        self._versions[device] = self._versions.get(device, 0) + self._rng.choice([0, 1, 1, 1])
        return self._versions[device]

    def _spans(self) -> list[tuple[str, int, int | None]]:
        """Up to three services in order, adjoining or apart, of one supply point or several; once in a while they contradict."""
        rng = self._rng
        ends = sorted(START_MS + rng.randrange(-24, 120) * HOUR_MS for _ in range(2 * rng.choice([0, 1, 1, 1, 2, 3])))
        if rng.random() < 0.5:
            ends[2::2] = ends[1:-1:2]  # each begins where the one before it ends
        self._ends += ends
        spans: list[tuple[str, int, int | None]] = [
            (rng.choice(POINTS), low, high) for low, high in zip(ends[::2], ends[1::2], strict=True)
        ]
        if spans and rng.random() < 0.6:
            spans[-1] = (spans[-1][0], spans[-1][1], None)
        return spans

    def _configuration(self, device: str) -> Record:
        registers = [register(name, "E", "intervals", START_MS - 10 * HOUR_MS) for name in self._rng.sample(TEXTS, 3)]
        offsets = [[0, 3600], [START_MS + 24 * HOUR_MS, 7200]] if self._rng.random() < 0.5 else None
        return configuration(device, registers, [channel("E")], self._version(device), offsets)
