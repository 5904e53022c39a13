"""Gates: the timetable's "everything of this scope before T closes", one copy in every raw partition."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from connectors.codec import encode
from meterfold.clock import now_ms
from meterfold.render import utc_text
from meterfold.workspace import Workspace
from state.calendar import Calendar
from state.codes import DAY_MS

_EPOCH = date(1970, 1, 1)


class UnableToGate(ValueError):
    """The gate makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a site's days close: day X at `gate_at` local time, `gate_after_days` days later."""

    site: str
    calendar: Calendar
    gate_after_days: int
    gate_at: time

    def midnight_ms(self, day: date) -> int:
        """The start of a local day, by the offsets that the log holds."""
        return self.calendar.midnight_ms((day - _EPOCH).days)

    def due_ms(self, at_ms: int) -> int:
        """Through when the site is closed at an instant."""
        local_ms = at_ms + self.calendar.offset_ms(at_ms)
        day, into_day_ms = divmod(local_ms, DAY_MS)
        gate_ms = (self.gate_at.hour * 60 + self.gate_at.minute) * 60_000
        last = day if into_day_ms >= gate_ms else day - 1
        return self.calendar.midnight_ms(last - self.gate_after_days + 1)


def append(workspace: Workspace, until: date | datetime, site: str | None) -> list[tuple[str, str]]:
    """Append gates for one site or for all; returns (scope, until) of each. Raises `UnableToGate`."""
    tables = {table.site: table for table in timetables(workspace)}
    if site is not None and site not in tables:
        raise UnableToGate(f"no site {site} in the portfolio; it has {', '.join(sorted(tables)) or 'none'}")
    if not tables:
        raise UnableToGate("there is no site yet; load a portfolio first")
    wanted = [tables[site]] if site is not None else [tables[name] for name in sorted(tables)]
    gates = []
    for table in wanted:
        if isinstance(until, datetime):
            until_ms = int(until.timestamp() * 1000)
        else:
            until_ms = table.midnight_ms(until)
        if until_ms > now_ms():
            raise UnableToGate(f"{utc_text(until_ms)} is not over yet at {table.site}: a gate closes what is past")
        gates.append((f"site:{table.site}", until_ms))
    return _append(workspace, gates)


def append_due(workspace: Workspace, at_ms: int) -> list[tuple[str, str]]:
    """Append the gates that the timetable wants by now and that the log does not hold; returns (scope, until)."""
    closed = _closed(workspace)
    due = [(f"site:{table.site}", table.due_ms(at_ms)) for table in timetables(workspace)]
    return _append(workspace, [(scope, until) for scope, until in due if until > closed.get(scope, -1)])


def timetables(workspace: Workspace) -> Iterator[Timetable]:
    """The timetables of all sites in force."""
    found = workspace.store.query(
        "SELECT site, offset_from_ms, offset_s, gate_after_days, gate_at FROM ref_sites WHERE ended_reason IS NULL ORDER BY site"
    )
    for site, from_ms, offsets_s, days, at in found.rows:
        calendar = Calendar({"site": site, "utc_offsets": list(zip(from_ms, offsets_s, strict=True))})
        yield Timetable(site, calendar, int(days), time.fromisoformat(at))


def _closed(workspace: Workspace) -> dict[str, int]:
    found = workspace.store.query(
        "SELECT JSONExtractString(payload, 'scope') AS scope, max(JSONExtractInt(payload, 'until_ms')) FROM raw_records "
        "WHERE type = 'gate' GROUP BY scope"
    )
    return {scope: int(until) for scope, until in found.rows}


def _append(workspace: Workspace, gates: list[tuple[str, int]]) -> list[tuple[str, str]]:
    partitions = workspace.raw.partitions
    for scope, until_ms in gates:
        until = datetime.fromtimestamp(until_ms / 1000, UTC).isoformat()
        record = {
            "v": 1, "type": "gate", "gate_id": f"{scope}@{until}", "scope": scope, "until_ms": until_ms,
            "partitions": partitions,
        }  # fmt: skip
        workspace.raw.append_many([(partition, b"", encode(record)) for partition in range(partitions)], now_ms())
    if gates:
        workspace.raw.flush()
    return [(scope, utc_text(until_ms)) for scope, until_ms in gates]
