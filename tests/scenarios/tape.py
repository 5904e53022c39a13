"""A tape: one line a record, in arrival order. README.md shows every kind of line."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.road import Road
from tests.scenarios.clock import length_s
from tests.scenarios.given import Portfolio, Record, nano

_LINE = re.compile(r"(?:\((?P<label>[^)]+)\)\s+)?(?P<kind>[a-z]+)\s*(?P<rest>.*)")
_TIME = r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?(?:Z|[+-]\d\d:\d\d)?)"
_QUALITIES = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")
PERSON = {"person": "A. Analyst", "reason": "checked on site"}


@dataclass
class Played:
    """A tape that was played to its end: the road, and who sent what.

    `labels[n]` names the record at raw offset n as the files in then/ do: its label, or the number of its line.
    """

    road: Road
    portfolio: Portfolio
    labels: list[str] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    def send(self, record: Record, label: str) -> None:
        """Receive one record."""
        self.labels.append(label)
        self.records.append(record)
        self.road.send([record])


def play(folder: Path) -> Played:
    """Configure what `given/portfolio.yaml` says, then play every tape in `when/`, in the order of their names."""
    played = Played(Road(), Portfolio(folder / "given"))
    for record in played.portfolio.read("portfolio"):
        played.send(record, "portfolio")
    for number, label, kind, rest in _lines(folder / "when"):
        try:
            _KINDS[kind](played, label or f"line {number}", rest)
        except Exception as error:
            error.add_note(f"{folder.name}, line {number} of the tape: {kind} {rest}")
            raise
    return played


def _lines(folder: Path) -> Iterator[tuple[int, str | None, str, str]]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))]
    number = 0
    for line in "\n".join(texts).splitlines():
        written = line.split("  #")[0].strip()
        if not written or written.startswith("#"):
            continue
        number += 1
        found = _LINE.fullmatch(written)
        assert found, f"not a line of a tape: {written!r}"
        yield number, found["label"], found["kind"], found["rest"]


def _at(rest: str, *words: str) -> tuple[str, ...]:
    """The words before a time, the time, and what follows it."""
    before = r"\s+".join(rf"(?P<{word}>\S+)" for word in words)
    found = re.fullmatch(rf"{before}\s+{_TIME}\s*(.*)", rest)
    assert found, f"expected {' '.join(words)} and a time"
    return found.groups()


# -- readings -----------------------------------------------------------------------------------------------------


def _reading(played: Played, rest: str) -> tuple[Record, list[tuple[str, str]]]:
    """The record without its quantities, and (quantity, quality) of every interval."""
    meter, register, at, written = _at(rest, "meter", "register")
    record: Record = {
        "v": 1, "device": meter, "register": register, "unit": played.portfolio.unit(meter, register),
        "start_ms": played.portfolio.clock.instant(at), "interval_s": played.portfolio.slot_s(meter, register),
        "version": 0,
    }  # fmt: skip
    elements: list[tuple[str, str]] = []
    for part in written.split(","):
        elements += _element(record, part)
    return record, elements


def _element(record: Record, part: str) -> list[tuple[str, str]]:
    """`1.5 ESTIMATED x 4`; a version `v2`, a unit or a slot length `of 15 min` is said of the whole record."""
    of = re.search(r" of (LOCAL_DAY|\d+ \w+)", part)
    if of:
        record["interval_s"] = length_s(of[1])
        part = part.replace(of[0], "")
    times = re.search(r" x (\d+)", part)
    words = re.sub(r" x \d+", "", part).split()
    quality = "ACTUAL"
    for word in words[1:]:
        if word in _QUALITIES:
            quality = word
        elif re.fullmatch(r"v\d+", word):
            record["version"] = int(word[1:])
        else:
            record["unit"] = word
    return [(words[0], quality)] * (int(times[1]) if times else 1)


def _quantity(text: str) -> int | None:
    return None if text == "null" else nano(text)


def _interval(played: Played, label: str, rest: str) -> None:
    """One record; with several quantities, that many records, one interval each."""
    record, elements = _reading(played, rest)
    for at, (quantity, quality) in enumerate(elements):
        start = {"start_ms": record["start_ms"] + at * int(record["interval_s"]) * 1000} if at else {}
        one = {**record, **start, "type": "interval", "quantity_nano": _quantity(quantity), "quality": quality}
        played.send(one, label)


def _list(kind: str) -> "Line":
    def send(played: Played, label: str, rest: str) -> None:
        record, elements = _reading(played, rest)
        ranges = [
            {"first": at, "last": at, "quality": quality}
            for at, (_, quality) in enumerate(elements)
            if quality != elements[0][1]
        ]
        body = {"type": kind, "quantities_nano": [_quantity(text) for text, _ in elements], "quality": elements[0][1]}
        played.send({**record, **body, **({"ranges": ranges} if ranges else {})}, label)

    return send


def _register(played: Played, label: str, rest: str) -> None:
    meter, register, at, written = _at(rest, "meter", "register")
    record: Record = {"unit": played.portfolio.unit(meter, register), "version": 0, "interval_s": None}
    words = written.split()
    reset = {"event": "reset"} if "reset" in words else {}
    ((total, quality),) = _element(record, " ".join(word for word in words if word != "reset"))
    whole, _, decimals = total.partition(".")
    del record["interval_s"]
    played.send(
        {
            "v": 1, "type": "register", "device": meter, "register": register, **record,
            "at_ms": played.portfolio.clock.instant(at), "count": int(whole + decimals), "decimals": len(decimals),
            "quality": quality, **reset,
        },
        label,
    )  # fmt: skip


# -- everything else ----------------------------------------------------------------------------------------------


def _heartbeat(played: Played, label: str, rest: str) -> None:
    meter, at, written = _at(rest, "meter")
    through = {"complete_through_ms": played.portfolio.clock.instant(at), "sequence": int(written.split()[1])}
    played.send({"v": 1, "type": "heartbeat", "device": meter, **through}, label)


def _status(played: Played, label: str, rest: str) -> None:
    meter, at, written = _at(rest, "meter")
    kind, detail = written.split(maxsplit=1)
    said = {"at_ms": played.portfolio.clock.instant(at), "kind": kind, "detail": detail}
    played.send({"v": 1, "type": "status", "device": meter, **said}, label)


def _gate(played: Played, label: str, rest: str) -> None:
    scope, at, _ = _at(rest, "scope")
    until_ms = played.portfolio.clock.instant(at)
    name = {"gate_id": f"{scope} {at}", "scope": scope}
    played.send({"v": 1, "type": "gate", **name, "until_ms": until_ms, "partitions": 1}, label)


def _edit(played: Played, label: str, rest: str) -> None:
    """`v1 becomes 1.5`, `hole becomes 1.5` or `refuse METER REGISTER`."""
    point, channel, at, written = _at(rest, "point", "channel")
    at_ms = played.portfolio.clock.instant(at)
    words = written.split()
    if words[0] == "refuse":
        body = {"action": "refuse_read", "device": words[1], "register": words[2], "at_ms": at_ms}
    else:
        replaces = -1 if words[0] == "hole" else int(words[0][1:])
        body = {"action": "replace", "start_ms": at_ms, "quantity_nano": nano(words[2]), "replaces_version": replaces}
        body["device"] = played.portfolio.a_meter_of(channel)
    played.send({"v": 1, "type": "edit", "supply_point": point, "channel": channel, **body, **PERSON}, label)


def _release(played: Played, label: str, rest: str) -> None:
    """The labels of the records to let in again."""
    offsets = [at for at, name in enumerate(played.labels) if name in rest.split()]
    device = played.records[offsets[0]]["device"]
    coordinates = [[0, at] for at in offsets]
    played.send({"v": 1, "type": "release", "device": device, "coordinates": coordinates, **PERSON}, label)


def _restatement(played: Played, label: str, rest: str) -> None:
    """`r0 1.0 becomes 1.4 [QUALITY]`: revision and quantity now in force, then the new quantity. One window."""
    point, channel, at, written = _at(rest, "point", "channel")
    revision, old, _, new, *quality = written.split()
    start_ms = played.portfolio.clock.instant(at)
    grid_s = length_s(played.portfolio.channels[channel]["slots"])
    row = {
        "start_ms": start_ms, "end_ms": start_ms + int(grid_s) * 1000, "old_nano": nano(old), "new_nano": nano(new),
        "revision": int(revision[1:]), "quality": quality[0] if quality else "ACTUAL",
    }  # fmt: skip
    head = {"device": played.portfolio.a_meter_of(channel), "supply_point": point, "channel": channel}
    played.send({"v": 1, "type": "restatement", **head, "rows": [row], "replay_id": "replay-1", **PERSON}, label)


def _given(played: Played, label: str, rest: str) -> None:
    for record in played.portfolio.read(rest):
        played.send(record, rest if label.startswith("line ") else label)


def _received(played: Played, label: str, rest: str) -> None:
    played.road.received_ms = played.portfolio.clock.instant(rest)


def _raw(played: Played, label: str, rest: str) -> None:
    played.send(json.loads(rest), label)


Line = Callable[[Played, str, str], Any]
_KINDS: dict[str, Line] = {
    "interval": _interval, "window": _list("window"), "day": _list("day"), "register": _register,
    "heartbeat": _heartbeat, "status": _status, "gate": _gate, "edit": _edit, "release": _release,
    "restatement": _restatement, "given": _given, "received": _received, "raw": _raw,
}  # fmt: skip
