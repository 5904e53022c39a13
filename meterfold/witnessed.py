"""A total that a person read off a meter, as the raw register record that says so: checked against the register as it is configured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

import orjson

from connectors.clickhouse import Store
from meterfold.portfolio.calendar import EARLIEST_YEAR, iso_utc, to_instant
from meterfold.portfolio.problem import Fault
from meterfold.portfolio.written import read_moment

SOURCE: Final = "read add"
"""What stands in the place of a file name in such a record."""
_TOTAL: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_ROLES: Final = ("totals", "spans", "check")

Record = dict[str, Any]


class UnableToWitness(ValueError):
    """The read does not fit what is configured; nothing was added."""


@dataclass(frozen=True, slots=True)
class Register:
    """A register of a device at an instant, as the portfolio has it. `digits`: all of them, decimals included; None: unknown."""

    device: str
    name: str
    supply_point: str
    channel: str
    unit: str
    decimals: int
    digits: int | None
    at_ms: int


def register_at(store: Store, device: str, register: str, at: str) -> Register:
    """The register that is configured at a time by the clock of the device's site. Raises UnableToWitness."""
    body = _device(store, device)
    try:
        found = to_instant(read_moment(at), _clock(store, body["site"]), EARLIEST_YEAR)
    except ValueError as error:  # of pydantic's kind
        context = getattr(error, "context", None) or {}
        raise UnableToWitness(f"{context.get('wrong', error)}; {context.get('do', '')}") from error
    if isinstance(found, Fault):
        raise UnableToWitness(f"{found.wrong}; {found.do}")
    spans = [span for span in body["registers"] if span["register"] == register]
    if not spans:
        known = ", ".join(sorted({span["register"] for span in body["registers"]})) or "none"
        raise UnableToWitness(f"{device} has no register {register}; it has {known}")
    there = [span for span in spans if span["from_ms"] <= found and (span["to_ms"] is None or found <= span["to_ms"])]
    if not there:
        raise UnableToWitness(
            f"{device} {register} is not assigned at {iso_utc(found)}; correct the time, or the portfolio"
        )
    span = there[0]
    if span["role"] not in _ROLES:
        raise UnableToWitness(
            f"{device} {register} delivers intervals, not totals; give the portfolio a register of role `check` for its display"
        )
    (unit,) = {
        item["unit"]
        for item in body["channels"]
        if (item["supply_point"], item["channel"]) == (span["supply_point"], span["channel"])
    }
    return Register(
        device, register, span["supply_point"], span["channel"], unit, span["decimals"], span["digits"], found
    )


def witnessed_record(
    register: Register, total: str, person: str, reason: str = "", photo_ref: str = "", version: int = 0
) -> Record:
    """The raw record. Its read id is made of what was read, so the same read said again has the same. Raises UnableToWitness."""
    count, decimals = _count(register, total)
    parts = ["witnessed", register.device, register.name, str(register.at_ms), f"{count}e-{decimals}"]
    said = {"by": person, "reason": reason, "photo": photo_ref}
    return {
        "v": 1,
        "type": "register",
        "device": register.device,
        "register": register.name,
        "unit": register.unit,
        "at_ms": register.at_ms,
        "count": count,
        "decimals": decimals,
        "quality": "ACTUAL",
        "version": version,
        "flags": ["witnessed", *(f"{name}:{text}" for name, text in said.items() if text)],
        "read_id": "/".join(
            part.replace("%", "%25").replace("/", "%2F") for part in [*parts, *([str(version)] if version else [])]
        ),
        "source": {"file": SOURCE},
    }


def is_known(store: Store, record: Record) -> bool:
    """Whether a read of that id is in the raw log (as far as the tables reach)."""
    (count,) = store.query(
        "SELECT count() FROM raw_records WHERE device = {device:String} AND type = 'register' "
        "AND JSONExtractString(payload, 'read_id') = {read_id:String}",
        {"device": record["device"], "read_id": record["read_id"]},
    ).rows[0]
    return bool(count)


def verdict_of(store: Store, record: Record) -> tuple[str, tuple[str, ...]]:
    """(verdict, checks that failed) of a read; HELD with the reasons if it is in quarantine, "" if nothing is known of it."""
    params = {
        "device": record["device"],
        "register": record["register"],
        "at_ms": record["at_ms"],
        "count": record["count"],
    }
    found = store.query(
        "SELECT verdict, checks_failed FROM evidence FINAL WHERE device = {device:String} AND register = {register:String} "
        "AND start_ms = {at_ms:Int64} AND count = {count:Int64} ORDER BY raw_partition, raw_offset, raw_sub, supply_point LIMIT 1",
        params,
    ).rows
    if found and found[0][0] not in ("REJECTED", "BEYOND_HORIZON"):
        return str(found[0][0]), tuple(found[0][1])
    held = store.query(
        "SELECT DISTINCT reason FROM open_quarantine WHERE device = {device:String} AND register = {register:String} "
        "AND start_ms = {at_ms:Int64} ORDER BY reason",
        params,
    ).rows
    if found:
        return str(found[0][0]), tuple(found[0][1])
    return ("HELD", tuple(str(row[0]) for row in held)) if held else ("", ())


def _count(register: Register, total: str) -> tuple[int, int]:
    """(count, decimals) of a total as it stands on the display, leading zeros and all."""
    text = total.strip()
    if not _TOTAL.fullmatch(text):
        raise UnableToWitness(f"`{total}` is no total; write the digits of the display and a point, such as 012345.6")
    whole, _, fraction = text.partition(".")
    name = f"{register.device} {register.name}"
    if len(fraction) > register.decimals:
        raise UnableToWitness(
            f"`{total}` has {len(fraction)} decimals, and {name} has {register.decimals}; correct one of the two"
        )
    places = None if register.digits is None else register.digits - register.decimals
    if places is not None and len(whole) > places:
        wrong = f"`{total}` has {len(whole)} digits before the point, and {name} has {places}"
        raise UnableToWitness(f"{wrong}; correct one of the two")
    count = int(whole + fraction)
    if count >= 10**18:
        raise UnableToWitness(f"`{total}` is longer than any register")
    return count, len(fraction)


def _device(store: Store, device: str) -> Record:
    found = store.query(
        "SELECT id, body FROM reference_history WHERE kind = 'device' AND known_until_offset = 18446744073709551615 "
        "AND id = {device:String} AND NOT is_withdrawn ORDER BY id",
        {"device": device},
    ).rows
    if found:
        body: Record = orjson.loads(found[0][1])
        return body
    ids = [
        row[0]
        for row in store.query("SELECT DISTINCT id FROM reference_objects WHERE kind = 'device' ORDER BY id").rows
    ]
    near = get_close_matches(device, ids, n=1)
    raise UnableToWitness(
        f"no device {device} is in the portfolio; " + (f"did you mean {near[0]}?" if near else "add it there first")
    )


def _clock(store: Store, site: str) -> tuple[tuple[int, int], ...]:
    """The UTC offsets of a site."""
    (body,) = store.query(
        "SELECT body FROM reference_history WHERE kind = 'site' AND known_until_offset = 18446744073709551615 AND id = {site:String} "
        "ORDER BY id LIMIT 1",
        {"site": site},
    ).rows[0]
    return tuple((int(at), int(offset)) for at, offset in orjson.loads(body)["utc_offsets"])
