"""Bills worked by others, put through reference records, determinants, a run and its lines: each to the cent, line by line where published.

A file's section `meterfold` says how its tariff is written here (charges and taxes as in the billing log), what its channels read, and
which published figure each of our lines must be. All of them are one portfolio in one store, billed by one run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.clickhouse import Store
from meterfold.billing.documents import Document, Line
from meterfold.billing.run import run_bills
from meterfold.store import migrate
from tests.integration.billing_world import HALF_HOUR_MS, ListLog, World, midnight_ms, ms

HERE = Path(__file__).parent
DAY_MS = 86_400_000
NOW = ms("2026-01-01T00:00Z")
FIRST_PERIOD = "2023-06"
"""The billing period of a file that names none: it has 30 days."""


@dataclass(frozen=True)
class Worked:
    """A file, and how it is written here."""

    name: str
    published: dict[str, Any]
    here: dict[str, Any]

    @property
    def begins(self) -> date:
        return date.fromisoformat(f"{self.here.get('period', FIRST_PERIOD)}-{self.here.get('day', 1):02}")

    @property
    def months(self) -> list[date]:
        """The first days of its periods, and the day after the last."""
        firsts = [self.begins]
        for _ in range(self.here.get("periods", 1)):
            firsts.append((firsts[-1].replace(day=28) + timedelta(days=4)).replace(day=self.begins.day))
        return firsts

    @property
    def currency(self) -> str:
        stated = str(self.published.get("currency"))
        return str(self.here.get("currency") or (stated if len(stated) == 3 else "EUR"))

    def figure(self, what: str) -> Decimal:
        """A published figure by name (− before it: below zero here), or a number as it stands."""
        name, sign = (what[1:], -1) if what.startswith("-") else (what, 1)
        lines = {line["name"]: line["amount"] for line in self.published.get("lines") or ()}
        return Decimal(lines.get(name, self.published.get(name, name))) * sign


@cache
def worked() -> dict[str, Worked]:
    found = {}
    for path in sorted(HERE.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        if "meterfold" in content:
            found[path.stem] = Worked(path.stem, content["expected"], content["meterfold"])
    return found


@pytest.fixture(scope="module")
def bills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Document]]]:
    """The documents of every file, by its name, in order of their periods."""
    with Store(tmp_path_factory.mktemp("worked") / "store") as store:
        migrate(store)
        world = World(store, ListLog())
        world.entity()
        world.site(zone="UTC")
        for bill in worked().values():
            enter(world, bill)
        found: dict[str, list[Document]] = defaultdict(list)
        result = run_bills(store, world.log, NOW)
        assert result.blocked == ()
        for document in result.documents:
            found[document.account].append(document)
    yield found


def enter(world: World, bill: Worked) -> None:
    """One account with one supply point, on the tariff of the file, for its periods."""
    name, here, months = bill.name, bill.here, bill.months
    channels = here["channels"]
    items = [
        {
            "channel": channel,
            "unit": reads["unit"],
            "grid_s": 1800 if "windows" in reads else "LOCAL_DAY",
            "kind": "spans" if "span" in reads else "intervals",
        }
        for channel, reads in channels.items()
    ]
    world.reference("supply_point", name, {"site": "SITE", "channels": items})
    for id_, tax in here.get("tax_objects", {}).items():
        body = {"name": id_, "rates": [{"from": "2020-01-01", "rate": tax["rate"]}], "date": "supply", **tax}
        world.reference("tax", f"{name} {id_}", {key: value for key, value in body.items() if key != "rate"})
    version = {
        "version": "1",
        "effective_from": "2020-01-01",
        "charges": here["charges"],
        "taxes": here.get("taxes", []),
    }
    versions = [version]
    if "price_change" in here:
        versions.append({**version, "version": "2", "effective_from": here["price_change"]})
    world.tariff(name, *versions, currency=bill.currency)
    world.account(name, str(months[0]), months[0].day, bill.currency)
    moved_in, moved_out = here.get("tenancy", str(months[0])), here.get("tenancy_to", str(months[-1]))
    world.tenancy(name, name, name, moved_in, moved_out, name)
    for channel, reads in channels.items():
        windows = list(_read(reads, months, moved_in))
        world.windows(windows, supply_point=name, channel=channel, unit=reads["unit"])


def _read(reads: dict[str, Any], months: list[date], moved_in: str) -> Iterator[tuple[int, int, int]]:
    """(start, end, quantity in 10⁻⁹) of what a channel reads: `use` once, `daily`, `monthly`, at `windows`, or over a `span`."""
    start, end = midnight_ms(months[0], "UTC"), midnight_ms(months[-1], "UTC")
    step = HALF_HOUR_MS if "windows" in reads else DAY_MS
    if "span" in reads:
        first, last, use = reads["span"]
        yield midnight_ms(first, "UTC"), midnight_ms(last, "UTC"), nano(use)
        return
    used: dict[int, str] = {midnight_ms(moved_in, "UTC"): reads.get("use", "0")}
    used |= {midnight_ms(month, "UTC"): reads["monthly"] for month in months[:-1] if "monthly" in reads}
    for item in reads.get("windows", ()):
        at = ms(f"{item['from']}Z")
        used |= {at + number * step: item["each"] for number in range(item.get("count", 1))}
    for at in range(start, end, step):
        yield at, at + step, nano(reads.get("daily") or used.get(at, "0"))


def nano(quantity: str) -> int:
    return int(Decimal(quantity).scaleb(9))


def lines_of(documents: list[Document]) -> dict[str, list[Line]]:
    """Lines by what the bill calls them, of all its documents."""
    found: dict[str, list[Line]] = defaultdict(list)
    for document in documents:
        for line in document.lines:
            found[line.band].append(line)
    return found


@pytest.mark.parametrize("name", worked())
def test_a_bill_worked_by_others_is_reproduced(bills: dict[str, list[Document]], name: str) -> None:
    bill, documents = worked()[name], bills[name]
    assert [document.period_from for document in documents] == bill.months[:-1]
    lines = lines_of(documents)
    amounts = {what: sum((line.amount for line in found), Decimal(0)) for what, found in lines.items()}
    wanted = bill.here["lines"]
    if wanted:
        assert amounts == {item["line"]: bill.figure(item["is"]) for item in wanted} | _others(bill, amounts)
        assert [what for what in lines if what not in _others(bill, amounts)] == [item["line"] for item in wanted]
    for item in wanted:
        if "quantity" in item:
            (line,) = lines[item["line"]]
            assert line.quantity == bill.figure(item["quantity"])
    for item in bill.here.get("sums", ()):
        assert sum(amounts[what] for what in item["of"]) == bill.figure(item["is"])
    for item in bill.here.get("quantities", ()):
        (line,) = [line for line in lines[item["line"]] if _is_asked(line, item)]
        published = bill.figure(item["is"])
        assert line.quantity.quantize(published, ROUND_HALF_UP) == published
    total = bill.here.get("total", "total")
    if total is not None:
        assert sum(document.total for document in documents) == bill.figure(total)


def _others(bill: Worked, amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    """Lines that only their quantity is asked of."""
    asked = {item["line"] for item in bill.here.get("quantities", ())}
    return {what: amount for what, amount in amounts.items() if what in asked}


def _is_asked(line: Line, item: dict[str, str]) -> bool:
    first = item.get("period", "")
    return line.tariff_version == item.get("version", "1") and str(line.service_from).startswith(first)


def test_at_least_thirty_bills_are_reproduced() -> None:
    assert len(worked()) >= 30
