"""A story of bills, played: portfolios through the loader, energy as determinants and adjustments, runs and issues for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import ndiff
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
import yaml

from connectors.clickhouse import Store
from meterfold.billing.documents import documents
from meterfold.billing.issue import issue_bill
from meterfold.billing.project import project
from meterfold.billing.run import RunResult, run_bills
from meterfold.portfolio import Portfolio, load_file, plan
from meterfold.store import sql_folder
from tests.bills import spoken
from tests.bills.paper import Row, rows_of, written
from tests.integration.billing_world import Killed, ListLog, World

Step = Mapping[str, Any]
_QUALITIES = ("ACTUAL", "CALCULATED", "SUBSTITUTED", "ESTIMATED", "MISSING")


@dataclass
class Standing:
    """What stands in a window: its end, its quantity in 10⁻⁹, how often it was adjusted."""

    end_ms: int
    nano: int
    revision: int = 0


@dataclass
class Story:
    """One folder being played."""

    folder: Path
    world: World
    portfolio: Portfolio | None = None
    windows: dict[tuple[str, str, int], Standing] = field(default_factory=dict)
    now_ms: int = 0

    @classmethod
    def of(cls, folder: Path, store: Store) -> Story:
        return cls(folder, World(store, ListLog()))

    def play(self) -> None:
        """Every step in order, then what must hold at the end of every story."""
        steps = yaml.load((self.folder / "story.yaml").read_text("utf-8"), yaml.BaseLoader)  # all scalars are text
        for step in steps:
            verb = next(iter(step))
            getattr(self, f"_{verb}")(step)
        self._end()

    def _end(self) -> None:
        """What is still a draft goes out; then every check is silent, and a further run has nothing to say."""
        store, log = self.world.store, self.world.log
        for run_id in sorted({item.run_id for item in documents(store, "documents.status = 'draft'")}):
            issue_bill(store, log, run_id, self.now_ms)
        for path in sorted((sql_folder() / "checks").glob("*.sql")):
            assert store.query(path.read_text("utf-8")).rows == [], path.stem
        assert rows_of(self._ran().documents) == [], "running again drafts nothing"

    def _portfolio(self, step: Step) -> None:
        """A file of the product's own format, through its own loader."""
        found = load_file(self.folder / step["portfolio"])
        assert isinstance(found, Portfolio), [str(problem) for problem in found]
        log = self.world.log
        planned = plan(found, (orjson.loads(payload) for _, _, payload in log.records))
        for record in planned.reference_records():
            log.append(str(record["id"]).encode(), orjson.dumps(record))
        log.flush()
        project(self.world.store, log)
        self.portfolio = found

    def _metered(self, step: Step) -> None:
        """Windows harden."""
        what = step["metered"]
        point, channel, unit = self._channel(what)
        rows = list(self._tiled(what))
        for start, end, nano in rows:
            self.windows[point, channel, start] = Standing(end, nano)
        self.world.windows(rows, supply_point=point, channel=channel, unit=unit, quality=what.get("quality", "ACTUAL"))

    def _corrected(self, step: Step) -> None:
        """Windows that hardened become what is written now, each by one adjustment."""
        what = step["corrected"]
        point, channel, unit = self._channel(what)
        quality = what.get("quality", "ACTUAL")
        self.world.curated_offset += 100
        columns: dict[str, list[Any]] = {}
        for sub, (start, end, nano) in enumerate(self._tiled(what)):
            was = self.windows[point, channel, start]
            assert was.end_ms == end
            row = {
                "supply_point": point, "channel": channel, "start_ms": start, "end_ms": end, "revision": was.revision + 1, "unit": unit,
                "old_nano": was.nano, "new_nano": nano, "delta_nano": nano - was.nano, "quality": quality,
                **{f"n_{name.lower()}": int(name == quality) for name in _QUALITIES}, "methods": [], "missing_reason": "",
                "reason": what.get("reason", "CORRECTED_READ"), "corrects_revision": was.revision, "cause_partition": 0,
                "cause_offset": self.world.curated_offset, "cause_sub": sub, "rule_version": 1, "config_version": 1,
                "known_at_ms": 1_700_000_000_000 + self.world.curated_offset, "curated_partition": 0,
                "curated_offset": self.world.curated_offset,
            }  # fmt: skip
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
            self.windows[point, channel, start] = Standing(end, nano, was.revision + 1)
        self.world.store.insert("adjustments", columns)
        self.world.frontier(1_700_000_000_000 + self.world.curated_offset)

    def _run(self, step: Step) -> None:
        """A bill run at an instant; with `dies_after`, the log is gone after so many of its records, and a new process finds the rest."""
        self.now_ms = self._ms(step["run"], self._zone())
        if "dies_after" in step:
            self.world.log.dies_after = int(step["dies_after"])
            with pytest.raises(Killed):
                self._ran()
            self.world.log = self.world.log.revived()
            return
        result = self._ran()
        _compare(rows_of(result.documents, result.blocked), written(step["then"]))

    def _issue(self, step: Step) -> None:
        """The open drafts of an account, or of the last run."""
        target = step["issue"]
        if target == "all":
            target = self.world.log.of_type("run_opened")[-1]["run_id"]
        issued = issue_bill(self.world.store, self.world.log, target, self.now_ms)
        if "then" in step:
            _compare([(item.account, item.number) for item in issued], written(step["then"]))

    def _edition(self, step: Step) -> None:
        """A step of an edition of a tariff."""
        spoken.edition(self.world, self.folder, step["edition"], self.now_ms)

    def _entry(self, step: Step) -> None:
        """A credit, or a charge that no tariff makes."""
        spoken.entry(self.world, step["entry"], self.now_ms)

    def _dispute(self, step: Step) -> None:
        """A document is contested, or that is settled."""
        spoken.disputed(self.world, step["dispute"], self.now_ms)

    def _documents(self, step: Step) -> None:
        """Every document there is: account, first day of its period, run, status, total."""
        found = [
            (item.account, str(item.period_from), item.run_id, item.status, f"{item.total:.{item.minor_digits}f}")
            for item in documents(self.world.store)
        ]
        _compare(found, written(step["documents"]))

    def _query(self, step: Step) -> None:
        """What an analyst asks in SQL."""
        found = self.world.store.query(step["query"]).rows
        _compare([tuple(str(value) for value in row) for row in found], written(step["then"]))

    def _ran(self) -> RunResult:
        return run_bills(self.world.store, self.world.log, self.now_ms, take_over=True)

    def _zone(self, supply_point: str = "") -> ZoneInfo:
        assert self.portfolio is not None
        point = self.portfolio.supply_points[supply_point] if supply_point else None
        site = point.site if point else next(iter(self.portfolio.sites.values()))
        assert site is not None
        return ZoneInfo(site.time_zone)

    def _channel(self, what: Step) -> tuple[str, str, str]:
        """(supply point, channel, unit); what is not written is the only one."""
        assert self.portfolio is not None
        point = what.get("supply_point") or _only(self.portfolio.supply_points)
        channels = self.portfolio.supply_points[point].channels
        channel = what.get("channel") or _only(channels)
        return point, channel, channels[channel].unit

    def _tiled(self, what: Step) -> Iterator[tuple[int, int, int]]:
        """(start, end, 10⁻⁹ of the unit) of each window of a stretch, or of its one span."""
        assert self.portfolio is not None
        point, channel, _ = self._channel(what)
        zone = self._zone(point)
        start, end = self._ms(what["from"], zone), self._ms(what["to"], zone)
        if "total" in what:
            yield start, end, _nano(what["total"])
            return
        grid = self.portfolio.supply_points[point].channels[channel].grid_s
        after = partial(_next_day, zone=zone) if isinstance(grid, str) else (lambda at: at + int(grid) * 1000)
        use = _use(what, zone)
        other = {self._ms(stamp, zone): _nano(value) for stamp, value in what.get("but", {}).items()}
        while start < end:
            yield start, after(start), other.pop(start) if start in other else use(start)
            start = after(start)
        assert not other, f"no window begins at {list(other)}"

    @staticmethod
    def _ms(text: str, zone: ZoneInfo) -> int:
        """A day or a stamp by the site's clock, or one with an offset."""
        stamp = datetime.fromisoformat(text)
        return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)).timestamp() * 1000)


def _use(what: Step, zone: ZoneInfo) -> Callable[[int], int]:
    """The quantity of a window by its start."""
    if "each" in what:
        each = _nano(what["each"])
        return lambda start: each
    hours = {}
    for span, value in what["hours"].items():
        first, last = map(int, span.split("-"))
        hours.update(dict.fromkeys(range(first, last), _nano(value)))
    return lambda start: hours[datetime.fromtimestamp(start / 1000, zone).hour]


def _next_day(at_ms: int, zone: ZoneInfo) -> int:
    day: date = datetime.fromtimestamp(at_ms / 1000, zone).date() + timedelta(days=1)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def _nano(quantity: str) -> int:
    return int(Decimal(quantity).scaleb(9))


def _only(items: Mapping[str, Any]) -> str:
    (name,) = items
    return name


def _compare(got: Sequence[Row], expected: Sequence[Row]) -> None:
    """Row for row; a difference is shown as `- expected`, `+ got`."""
    if list(got) != list(expected):
        shown = [["  ".join(row) for row in rows] for rows in (expected, got)]
        raise AssertionError("\n" + "\n".join(ndiff(shown[0], shown[1])))
